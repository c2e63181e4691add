"""azure-ai-ml against the emulator: online and batch endpoints."""

import json
import tempfile

from azure.ai.ml import Input, load_batch_deployment, load_batch_endpoint, load_component, load_online_deployment
from azure.ai.ml import VERSION, load_online_endpoint
from azure.ai.ml.entities import Model

from session import FILES, Session, contents, expect, expect_that, ml_client, names, stream


def main():
    session = Session("azure-ai-ml %s" % VERSION)
    client = ml_client()
    # Batch before online: the client keeps the header that chooses an online deployment for every later invocation.
    for part in (batch, batch_pipeline, online, online_token):
        part(session, client)


def online(session, client):
    made = "online endpoint and deployment: create"
    endpoints, deployments = client.online_endpoints, client.online_deployments
    with session.operation(made):
        endpoints.begin_create_or_update(load_online_endpoint(FILES / "online" / "endpoint.yml")).result()
        deployments.begin_create_or_update(load_online_deployment(FILES / "online" / "deployment.yml")).result()
    with session.operation("online traffic", needs=[made]):
        endpoint = endpoints.get("clients-endpoint")
        endpoint.traffic = {"blue": 100}
        endpoints.begin_create_or_update(endpoint).result()
        expect(endpoints.get("clients-endpoint").traffic, {"blue": 100}, "traffic")
    with session.operation("online invoke, by traffic and by name", needs=[made]):
        for choice in ({}, {"deployment_name": "blue"}):
            answer = endpoints.invoke("clients-endpoint", request_file=str(FILES / "online" / "request.json"), **choice)
            expect(json.loads(answer), {"product": 42, "by": "blue"}, "answer")
    with session.operation("online logs", needs=[made]):
        log = deployments.get_logs(name="blue", endpoint_name="clients-endpoint", lines=100)
        expect_that("asked for" in log, "the log shows what the script printed")
    with session.operation("online keys: get, regenerate", needs=[made]):
        expect_that(endpoints.get_keys("clients-endpoint").primary_key, "there is a key")
        # The client sends the key that there is as the one that it is to be.
        endpoints.begin_regenerate_keys("clients-endpoint", key_type="primary").result()
    with session.operation("online get, list, update of a deployment", needs=[made]):
        deployment = deployments.get("blue", "clients-endpoint")
        expect(deployment.provisioning_state, "Succeeded", "state")
        expect(names(deployments.list("clients-endpoint")), ["blue"], "deployments")
        expect_that("clients-endpoint" in names(endpoints.list()), "the endpoint is listed")
        update = load_online_deployment(FILES / "online" / "deployment.yml")
        update.environment_variables = {"COLOUR": "light blue"}
        deployments.begin_create_or_update(update).result()
        answer = endpoints.invoke("clients-endpoint", request_file=str(FILES / "online" / "request.json"))
        expect(json.loads(answer)["by"], "light blue", "answer after the update")
    with session.operation("online: a second deployment, traffic between both, mirrored traffic", needs=[made]):
        green = load_online_deployment(FILES / "online" / "deployment.yml", params_override=[{"name": "green"}])
        green.environment_variables = {"COLOUR": "green"}
        deployments.begin_create_or_update(green).result()
        endpoint = endpoints.get("clients-endpoint")
        endpoint.traffic, endpoint.mirror_traffic = {"blue": 100, "green": 0}, {"green": 20}
        endpoints.begin_create_or_update(endpoint).result()
        expect(endpoints.get("clients-endpoint").mirror_traffic, {"green": 20}, "mirrored traffic")
        endpoint.traffic, endpoint.mirror_traffic = {"blue": 50, "green": 50}, {}
        endpoints.begin_create_or_update(endpoint).result()
        request = str(FILES / "online" / "request.json")
        # A deployment that was chosen once stays in the client's headers, so the answers of both are asked for by name.
        for name in ("green", "blue"):
            answer = endpoints.invoke("clients-endpoint", request_file=request, deployment_name=name)
            expect_that(name in json.loads(answer)["by"], "the deployment %s answers" % name)
        expect(endpoints.get("clients-endpoint").traffic, {"blue": 50, "green": 50}, "traffic")
    with session.operation("online delete", needs=[made]):
        endpoint = endpoints.get("clients-endpoint")
        endpoint.traffic = {"blue": 0, "green": 0}
        endpoints.begin_create_or_update(endpoint).result()
        for name in ("blue", "green"):
            deployments.begin_delete(name=name, endpoint_name="clients-endpoint").result()
        endpoints.begin_delete(name="clients-endpoint").result()
        expect_that("clients-endpoint" not in names(endpoints.list()), "the endpoint is gone")


def online_token(session, client):
    name = {"name": "clients-token"}
    with session.operation("online endpoint with auth_mode aml_token: get_keys, invoke, delete"):
        override = [name, {"auth_mode": "aml_token"}]
        endpoint = load_online_endpoint(FILES / "online" / "endpoint.yml", params_override=override)
        client.online_endpoints.begin_create_or_update(endpoint).result()
        override = [{"endpoint_name": "clients-token"}]
        deployment = load_online_deployment(FILES / "online" / "deployment.yml", params_override=override)
        client.online_deployments.begin_create_or_update(deployment).result()
        expect_that(client.online_endpoints.get_keys("clients-token").access_token, "there is a token")
        request = str(FILES / "online" / "request.json")
        answer = client.online_endpoints.invoke("clients-token", request_file=request, deployment_name="blue")
        expect(json.loads(answer)["product"], 42, "answer")
        client.online_endpoints.begin_delete(**name).result()


def batch(session, client):
    made = "batch endpoint and deployment: create"
    endpoints, deployments = client.batch_endpoints, client.batch_deployments
    with session.operation(made):
        client.models.create_or_update(Model(name="clients-model", version="1", path=str(FILES / "batch" / "model")))
        endpoints.begin_create_or_update(load_batch_endpoint(FILES / "batch" / "endpoint.yml")).result()
        deployments.begin_create_or_update(load_batch_deployment(FILES / "batch" / "deployment.yml")).result()
    with session.operation("batch default deployment", needs=[made]):
        endpoint = endpoints.get("clients-batch")
        endpoint.defaults = {"deployment_name": "doubling"}
        endpoints.begin_create_or_update(endpoint).result()
    numbers = Input(type="uri_folder", path=str(FILES / "batch" / "numbers"))
    scores = "1.txt 3\n2.txt 6\n3.txt 9\n"
    invoked = "batch invoke, jobs.stream"
    with session.operation(invoked, needs=[made]):
        job = endpoints.invoke(endpoint_name="clients-batch", input=numbers)
        expect(stream(client, job).status, "Completed", "status")
    with session.operation("batch: jobs.download of the scores", needs=[invoked]), tempfile.TemporaryDirectory() as folder:
        client.jobs.download(job.name, download_path=folder)
        expect(contents(folder), {"predictions.csv": scores}, "files")
    # The way of Microsoft's guide.
    with session.operation("batch: jobs.download of the step that scores", needs=[invoked]):
        steps = list(client.jobs.list(parent_job_name=job.name))
        expect(len(steps), 1, "number of steps")
        with tempfile.TemporaryDirectory() as folder:
            client.jobs.download(steps[0].name, download_path=folder, output_name="score")
            expect(contents(folder), {"predictions.csv": scores}, "files")
    with session.operation("batch invoke with a place for the scores", needs=[made]):
        place = {"output_dataset.datastore_id": "azureml:workspaceblobstore", "output_dataset.path": "clients"}
        override = [{name: value} for name, value in {**place, "output_file_name": "kept.csv"}.items()]
        another = endpoints.invoke(endpoint_name="clients-batch", input=numbers, params_override=override)
        stream(client, another)
        made_of = Model(name="clients-scores", path="azureml://datastores/workspaceblobstore/paths/clients/kept.csv")
        client.models.create_or_update(made_of)
        with tempfile.TemporaryDirectory() as folder:
            client.models.download("clients-scores", "1", folder)
            expect(contents(folder), {"kept.csv": scores}, "files")
    with session.operation("batch list_jobs, delete", needs=[made]):
        expect_that(job.name in names(endpoints.list_jobs("clients-batch")), "the job is listed")
        endpoints.begin_delete(name="clients-batch").result()
        expect_that("clients-batch" not in names(endpoints.list()), "the endpoint is gone")


def batch_pipeline(session, client):
    try:
        from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment
    except ImportError:  # Before 1.9 there were none.
        return
    with session.operation("batch deployment of a pipeline component: create, invoke, jobs.download"):
        component = client.components.create_or_update(load_component(FILES / "batch" / "pipeline.yml"))
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="clients-steps")).result()
        deployment = PipelineComponentBatchDeployment(
            name="steps", endpoint_name="clients-steps", component=component, settings={"default_compute": "cpu-cluster"}
        )
        client.batch_deployments.begin_create_or_update(deployment).result()
        endpoint = client.batch_endpoints.get("clients-steps")
        endpoint.defaults = {"deployment_name": "steps"}
        client.batch_endpoints.begin_create_or_update(endpoint).result()
        rows = Input(type="uri_file", path=str(FILES / "data" / "rows.txt"))
        job = client.batch_endpoints.invoke(endpoint_name="clients-steps", inputs={"rows": rows})
        stream(client, job)
        steps = list(client.jobs.list(parent_job_name=job.name))
        expect([one.display_name for one in steps], ["prepare"], "steps")
        with tempfile.TemporaryDirectory() as folder:
            client.jobs.download(steps[0].name, download_path=folder, output_name="parts")
            expect(sorted(contents(folder)), ["row-1.txt", "row-2.txt", "row-3.txt"], "files")
        client.batch_endpoints.begin_delete(name="clients-steps").result()


if __name__ == "__main__":
    main()
