"""The container of an emulated online deployment: loads the scoring script, calls init(), answers POST /score by run().

Python's standard library only. Answers, headers and log lines have the form of Azure ML's own inference HTTP server;
its @rawhttp and CORS are not here.
"""

import argparse
import builtins
import importlib.util
import inspect
import json
import logging
import os
import sys
import threading
import time
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

logger = logging.getLogger("azmlinfsrv")
user_logger = logging.getLogger("azmlinfsrv.user_script")
print_logger = logging.getLogger("azmlinfsrv.print")
plain_print = builtins.print

HEADER_LIMIT = 100
TREE_LINES = 200


class CannotServe(Exception):
    """Why this deployment will never take requests; the text is for its author."""


def main():
    options = read_options()
    start_logging()
    # The folder of this file is no part of what a scoring script may import.
    sys.path.pop(0)
    try:
        answer = mlflow_answer(options.mlflow_model) if options.mlflow_model else script_answer(options)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(answer))
    except CannotServe as problem:
        tell(options.token, "failed", str(problem))
        sys.exit(3)
    logger.info("Worker with pid %d ready for serving traffic", os.getpid())
    tell(options.token, "ready", str(server.server_address[1]))
    server.serve_forever()


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--token", required=True, help="marks the lines that are for the emulator")
    parser.add_argument("--code", help="folder of the deployment's code")
    parser.add_argument("--script", help="scoring script, relative to --code")
    parser.add_argument("--mlflow-model", help="folder that holds an MLmodel file")
    return parser.parse_args()


def tell(token, word, text):
    sys.stdout.flush()
    line = "\x01%s %s %s\x02\n" % (token, word, json.dumps(text))
    os.write(1, line.encode("utf-8"))


def start_logging():
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter("%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    builtins.print = print_to_log


def print_to_log(*objects, sep=" ", end="\n", file=None, flush=False):
    if file is None or file is sys.stdout:
        print_logger.info((" " if sep is None else sep).join(map(str, objects)))
    else:
        plain_print(*objects, sep=sep, end=end, file=file, flush=flush)


# Scoring scripts


def script_answer(options):
    """Loads the script and calls init(); answers a function of (raw_data, request_headers)."""
    module = load_script(os.path.join(options.code, options.script), options)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            fault = "The scoring script %s has no %s() function. Define init() and run(raw_data)." % (options.script, name)
            logger.error(fault)
            raise CannotServe(fault)
    user_logger.info("Found user script at %s", module.__file__)
    answer = bind_run(module.run, options.script)
    user_logger.info("Invoking user's init function")
    try:
        module.init()
    except BaseException as error:
        logger.error("User's init function failed")
        logger.error("Encountered Exception %s", traceback.format_exc())
        log_model_folder()
        raise CannotServe("init() of %s failed: %s" % (options.script, brief(error)))
    user_logger.info("Users's init has completed successfully")
    return answer


def load_script(path, options):
    sys.path.append(options.code)
    try:
        spec = importlib.util.spec_from_file_location("entry_module", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except BaseException as error:
        logger.error(traceback.format_exc())
        raise CannotServe("The scoring script %s could not be loaded: %s" % (options.script, brief(error)))


def bind_run(run, script):
    parameters = list(inspect.signature(run).parameters.values())
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    data = [parameter for parameter in parameters if parameter.name != "request_headers"]
    if not data or any(parameter.kind not in named for parameter in parameters):
        fault = "run() in %s must take the request's text as an ordinary argument: def run(raw_data)." % script
        logger.error(fault)
        raise CannotServe(fault)
    if len(data) == len(parameters):
        return lambda raw_data, headers: run(**{data[0].name: raw_data})
    return lambda raw_data, headers: run(**{data[0].name: raw_data, "request_headers": headers})


def log_model_folder():
    folder = os.environ.get("AZUREML_MODEL_DIR", "")
    if not os.path.isdir(folder):
        return
    logger.info("Model Directory Contents:")
    lines = 0
    for parent, _, files in os.walk(folder):
        for name in sorted(files):
            lines += 1
            if lines > TREE_LINES:
                logger.info("Output Truncated. First %d lines shown.", TREE_LINES)
                return
            logger.info(os.path.relpath(os.path.join(parent, name), folder))


def brief(error):
    return "".join(traceback.format_exception_only(type(error), error)).strip()


# MLflow models without a scoring script


def mlflow_answer(folder):
    """Loads the model by pyfunc; answers a function of (raw_data, request_headers)."""
    try:
        import mlflow.pyfunc
    except ImportError:
        fault = (
            "The deployment serves an MLflow model without a scoring script, and mlflow is not installed here. "
            "Install mlflow and the model's requirements for this python (%s), or give the deployment a scoring script."
            % sys.executable
        )
        logger.error(fault)
        raise CannotServe(fault)
    try:
        model = mlflow.pyfunc.load_model(folder)
    except BaseException as error:
        logger.error("Encountered Exception %s", traceback.format_exc())
        raise CannotServe("The MLflow model could not be loaded: %s" % brief(error))
    logger.info("Loaded the MLflow model at %s", folder)
    return lambda raw_data, headers: plain(model.predict(model_input(json.loads(raw_data))))


def model_input(request):
    if not isinstance(request, dict):
        raise ValueError("The request must be a JSON object with the field input_data.")
    for field in ("input_data", "dataframe_split", "inputs", "instances"):
        if field in request:
            return frame_of(request[field])
    raise ValueError("The request has no field input_data (nor dataframe_split, inputs or instances).")


def frame_of(data):
    if isinstance(data, dict) and "data" in data and "columns" in data:
        import pandas

        return pandas.DataFrame(data["data"], columns=data["columns"], index=data.get("index"))
    if isinstance(data, dict):
        return data
    try:
        import numpy
    except ImportError:
        return data
    return numpy.array(data)


def plain(result):
    if hasattr(result, "columns"):
        return result.to_dict(orient="records")
    return result.tolist() if hasattr(result, "tolist") else result


# HTTP


class BadInput(Exception):
    """The request cannot be given to run()."""


def handler_of(answer):
    # One worker, as the inference server has by default: run() is never called twice at a time.
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "azmlinfsrv"
        sys_version = ""

        def do_GET(self):
            self.serve("GET")

        def do_POST(self):
            self.serve("POST")

        def do_OPTIONS(self):
            self.serve("OPTIONS")

        def serve(self, method):
            self.started = time.perf_counter()
            body = self.read_body()
            path = urlsplit(self.path).path
            too_long = self.take_ids()
            if too_long:
                self.reply(431, {"message": too_long})
            elif path == "/" and method == "GET":
                self.send_body(200, b"Healthy", "text/html; charset=utf-8")
            elif path == "/score" and method == "OPTIONS":
                self.reply(200, "")
            elif path == "/score":
                self.score(method, body)
            else:
                self.reply(404, {"message": "The requested URL was not found on the server."})

        def score(self, method, body):
            begun = time.perf_counter()
            try:
                raw_data = self.raw_data(method, body)
                with turn:
                    begun = time.perf_counter()
                    result = answer(raw_data, dict(self.headers.items()))
            except BadInput as problem:
                return self.reply(400, {"message": str(problem)})
            except Exception:
                logger.error("Encountered Exception: %s", traceback.format_exc())
                fault = "An unexpected error occurred in scoring script. Check the logs for more info."
                return self.reply(500, {"message": fault}, failed=True)
            spent = "%.3f" % ((time.perf_counter() - begun) * 1000)
            try:
                text = json.dumps({} if result is None else result)
            except (TypeError, ValueError):
                logger.error("Encountered Exception: %s", traceback.format_exc())
                return self.reply(500, {"message": "An unexpected internal error occurred. Check the logs for more info."})
            self.send_body(200, text.encode("utf-8"), "application/json", {"x-ms-run-fn-exec-ms": spent})

        def raw_data(self, method, body):
            if method == "GET":
                return json.dumps(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)))
            try:
                return str(body, "utf-8")
            except UnicodeDecodeError as error:
                raise BadInput("Input cannot be decoded as UTF-8: %s" % error)

        def read_body(self):
            if "chunked" not in (self.headers.get("Transfer-Encoding") or "").lower():
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0].strip() or b"0", 16)
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    return b"".join(parts)

        def take_ids(self):
            request_id = self.headers.get("x-request-id") or str(uuid.uuid4())
            legacy = self.headers.get("x-ms-request-id") or ""
            client = self.headers.get("x-ms-client-request-id") or legacy
            self.ids = {}
            if len(request_id) > HEADER_LIMIT:
                return "x-request-id must not exceed %d characters" % HEADER_LIMIT
            self.ids["x-request-id"] = request_id
            if len(legacy) > HEADER_LIMIT or len(client) > HEADER_LIMIT:
                return "x-ms-request-id and x-ms-client-request-id must not exceed %d characters" % HEADER_LIMIT
            self.ids["x-ms-request-id"] = legacy or client or request_id
            if client:
                self.ids["x-ms-client-request-id"] = client
            return None

        def reply(self, status, content, failed=False):
            body = json.dumps(content).encode("utf-8")
            self.send_body(status, body, "application/json", {}, failed)

        def send_body(self, status, body, content_type, headers=None, failed=False):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-ms-run-function-failed", str(failed))
            for name, value in {**self.ids, **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if urlsplit(self.path).path != "/":
                spent = (time.perf_counter() - self.started) * 1000
                logger.info("%s %s %d %.3fms %d", self.command, self.path, status, spent, len(body))

        def log_message(self, *_):
            """Requests are logged once, by send_body."""

    return Handler


if __name__ == "__main__":
    main()
