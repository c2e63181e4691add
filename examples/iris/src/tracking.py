"""Logs metrics and parameters of the run over MLflow's REST API, with the standard library only.

Inside an Azure ML job the service names the tracking server by environment variables. Without one (on a laptop), or
when it does not answer, the training goes on and a note is printed.
"""

import json
import os
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit, urlunsplit

TIMEOUT_SECONDS = 20


class Tracking:
    def __init__(self, environment=os.environ):
        self.base = http_address(environment.get("MLFLOW_TRACKING_URI", ""))
        self.run_id = environment.get("MLFLOW_RUN_ID", "")
        self.token = environment.get("MLFLOW_TRACKING_TOKEN", "")
        self.warned = False
        if not (self.base and self.run_id):
            print("No tracking server: metrics are printed only.")

    def log_params(self, params):
        self.send({"params": [{"key": key, "value": str(value)} for key, value in params.items()]})

    def log_metrics(self, values, step):
        now = int(time.time() * 1000)
        metrics = [{"key": key, "value": value, "timestamp": now, "step": step} for key, value in values.items()]
        self.send({"metrics": metrics})

    def send(self, batch):
        if not (self.base and self.run_id):
            return
        request = urllib.request.Request(
            self.base + "/api/2.0/mlflow/runs/log-batch",
            data=json.dumps({"run_id": self.run_id, **batch}).encode("utf-8"),
            headers={"Content-Type": "application/json"},
        )
        if self.token:
            # Not kept on a redirect, so the token stays with the tracking server.
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        try:
            urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
        except (urllib.error.URLError, OSError) as error:
            self.warn(error)

    def warn(self, error):
        if not self.warned:
            print(f"The tracking server could not be reached ({error}); some metrics are printed only.")
        self.warned = True


def http_address(uri):
    """The address of a tracking server: `azureml://` stands for https, and its query is no part of it."""
    parts = urlsplit(uri)
    if parts.scheme not in ("azureml", "http", "https"):
        return ""
    scheme = "https" if parts.scheme == "azureml" else parts.scheme
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
