"""The example lightgbm-iris by azure-ai-ml: train, register, deploy, ask."""

import contextlib
import io
import json
import pathlib

from azure.ai.ml import VERSION, load_job, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import Model

from session import Session, expect, expect_that, ml_client

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "lightgbm-iris"
TRAIN, REGISTER, DEPLOY = "lightgbm-iris: train", "lightgbm-iris: register", "lightgbm-iris: deploy"


def main():
    session = Session("azure-ai-ml %s" % VERSION)
    client = ml_client()
    with session.operation(TRAIN):
        job = client.jobs.create_or_update(load_job(EXAMPLE / "job.yml"))
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            client.jobs.stream(job.name)
        expect_that("accuracy 0.9" in shown.getvalue() or "accuracy 1.0" in shown.getvalue(), "the log tells the accuracy")
    with session.operation(REGISTER, needs=[TRAIN]):
        path = "azureml://jobs/%s/outputs/artifacts/paths/model/" % job.name
        made = client.models.create_or_update(Model(name="lightgbm-iris", path=path, type="mlflow_model"))
        expect_that("lightgbm" in made.flavors, "the flavors are read")
    with session.operation(DEPLOY, needs=[REGISTER]):
        client.online_endpoints.begin_create_or_update(load_online_endpoint(EXAMPLE / "endpoint.yml")).result()
        model = {"model": "azureml:lightgbm-iris:%s" % made.version}
        deployment = load_online_deployment(EXAMPLE / "deployment.yml", params_override=[{"name": "blue"}, model])
        client.online_deployments.begin_create_or_update(deployment).result()
        endpoint = client.online_endpoints.get("lightgbm-iris")
        endpoint.traffic = {"blue": 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()
    with session.operation("lightgbm-iris: invoke", needs=[DEPLOY]):
        answer = client.online_endpoints.invoke("lightgbm-iris", request_file=str(EXAMPLE / "smoke-test.json"))
        expect(json.loads(answer), json.loads((EXAMPLE / "smoke-test-expect.json").read_text()), "answer")


if __name__ == "__main__":
    main()
