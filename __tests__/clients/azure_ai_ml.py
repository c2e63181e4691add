"""azure-ai-ml against the emulator: workspace, assets, command jobs, online and batch endpoints."""

import contextlib
import io
import json
import pathlib
import tempfile

from azure.ai.ml import Input, VERSION, load_batch_deployment, load_batch_endpoint, load_component, load_data
from azure.ai.ml import load_environment, load_job, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import AmlCompute, Model

from session import FILES, Session, contents, expect, expect_that, ml_client, names, version_before

# From 1.30 on the client looks for outputs of type uri_folder, where the service answers UriFolder: it then finds an output
# by the place alone where its own run has written it, and only when it is asked for by name. Users report the same of the
# service.
FINDS_OUTPUTS = version_before(VERSION, 1, 30)


def main():
    session = Session("azure-ai-ml %s" % VERSION)
    client = None
    with session.operation("sign in by secret, get the workspace"):
        client = ml_client()
        expect(client.workspaces.get(client.workspace_name).location, "eastus", "location")
    if client is None:
        return
    # Batch before online: the client keeps the header that chooses an online deployment for every later invocation.
    for part in (workspace, assets, command_job, job_control, batch, online):
        part(session, client)


def workspace(session, client):
    with session.operation("workspaces.list"):
        expect_that(client.workspace_name in names(client.workspaces.list()), "the workspace is listed")
    with session.operation("compute.begin_create_or_update, get, list, delete"):
        client.compute.begin_create_or_update(AmlCompute(name="clients-cpu", size="STANDARD_DS3_V2", max_instances=2)).result()
        expect(client.compute.get("clients-cpu").provisioning_state, "Succeeded", "state")
        expect_that("clients-cpu" in names(client.compute.list()), "the compute is listed")
        client.compute.begin_delete("clients-cpu").result()
        expect_that("clients-cpu" not in names(client.compute.list()), "the compute is gone")
    with session.operation("datastores.list, get_default"):
        expect_that("workspaceblobstore" in names(client.datastores.list()), "the datastore is listed")
        expect(client.datastores.get_default().name, "workspaceblobstore", "default datastore")


def assets(session, client):
    with session.operation("environments.create_or_update, get, list"):
        made = client.environments.create_or_update(load_environment(FILES / "environment.yml"))
        found = client.environments.get(made.name, made.version)
        expect(found.conda_file["name"], "clients", "conda file")
        expect(found.image, "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", "image")
        expect([one.version for one in client.environments.list(made.name)], ["1"], "versions")
        expect_that(made.name in names(client.environments.list()), "the environment is listed")
    with session.operation("data.create_or_update (upload), get, list"):
        made = client.data.create_or_update(load_data(FILES / "data.yml"))
        found = client.data.get(made.name, label="latest")
        expect(found.version, "1", "latest version")
        expect_that(found.path.endswith("rows.txt"), "the path %s names the file" % found.path)
        expect([one.version for one in client.data.list(made.name)], ["1"], "versions")
    with session.operation("components.create_or_update, get, list"):
        made = client.components.create_or_update(load_component(FILES / "pipeline" / "prepare.yml"))
        expect(client.components.get(made.name, made.version).inputs["rows"].type, "uri_file", "input")
        expect_that(made.name in names(client.components.list()), "the component is listed")


def command_job(session, client):
    job = None
    with session.operation("jobs.create_or_update: command with local code"):
        job = client.jobs.create_or_update(load_job(FILES / "command.yml"))
        expect_that(job.name and job.studio_url, "the job has a name and a studio address")
    if job is None:
        return
    with session.operation("jobs.stream to the end, with the log"):
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            client.jobs.stream(job.name)
        for line in ("epoch 2 of 3 rows", "RunId: %s" % job.name, "Execution Summary"):
            expect_that(line in shown.getvalue(), "the stream shows %r" % line)
    with session.operation("jobs.get, list"):
        expect(client.jobs.get(job.name).status, "Completed", "status")
        expect_that(job.name in names(client.jobs.list()), "the job is listed")
    with session.operation("jobs.download: everything"), tempfile.TemporaryDirectory() as folder:
        client.jobs.download(job.name, download_path=folder, all=True)
        files = {one.name: one for one in pathlib.Path(folder).rglob("*") if one.is_file()}
        expect(files["note.txt"].read_text(), "kept by run history\n", "artifact")
        expect("factor.txt" in files, FINDS_OUTPUTS, "whether the named output of data is there")
        expect(files["weights.txt"].read_text(), "3 of them\n", "named output of type model")
        expect_that("epoch 2" in files["std_log.txt"].read_text(), "the log is among the files")
    with session.operation("jobs.download: one named output"), tempfile.TemporaryDirectory() as folder:
        client.jobs.download(job.name, download_path=folder, output_name="model")
        expect([one.name for one in pathlib.Path(folder).rglob("*.txt")], ["factor.txt"], "files")
    with session.operation("models.create_or_update from azureml://jobs/…, get, list"):
        path = "azureml://jobs/%s/outputs/model" % job.name
        made = client.models.create_or_update(Model(name="clients-model", version="1", path=path, type="custom_model"))
        found = client.models.get(made.name, "1")
        expect(found.job_name, job.name, "job of the model")
        expect([one.version for one in client.models.list(made.name)], ["1"], "versions")
    with session.operation("models.download", needs=["models.create_or_update from azureml://jobs/…, get, list"]):
        with tempfile.TemporaryDirectory() as folder:
            client.models.download("clients-model", "1", folder)
            expect([one.read_text() for one in pathlib.Path(folder).rglob("factor.txt")], ["3"], "content")
    with session.operation("models.create_or_update from a local folder"):
        made = client.models.create_or_update(Model(name="clients-local", path=str(FILES / "data")))
        expect(client.models.get("clients-local", label="latest").version, made.version, "latest version")
    with session.operation("models.archive, restore"):
        client.models.archive("clients-local", "1")
        expect(list(client.models.list("clients-local")), [], "what is not archived")
        client.models.restore("clients-local", "1")
        expect(len(list(client.models.list("clients-local"))), 1, "versions")


def job_control(session, client):
    with session.operation("jobs.begin_cancel of a running job"):
        job = client.jobs.create_or_update(load_job(FILES / "sleep.yml"))
        client.jobs.begin_cancel(job.name).result()
        expect_that(client.jobs.get(job.name).status in ("Canceled", "CancelRequested"), "the job is cancelled")
    with session.operation("jobs.archive, restore"):
        client.jobs.archive(job.name)
        expect_that(job.name not in names(client.jobs.list()), "an archived job is not listed")
        client.jobs.restore(job.name)
    with session.operation("jobs.stream of a job that fails tells why"):
        failing = load_job(FILES / "sleep.yml", params_override=[{"command": "echo broken >&2; exit 3"}])
        job = client.jobs.create_or_update(failing)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                client.jobs.stream(job.name)
        except Exception as error:
            expect_that("status code 3" in str(error), "the error %s tells the exit code" % error)
        else:
            raise AssertionError("the stream of a failed job raised nothing")
        expect(client.jobs.get(job.name).status, "Failed", "status")


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
    with session.operation("online delete", needs=[made]):
        endpoint = endpoints.get("clients-endpoint")
        endpoint.traffic = {"blue": 0}
        endpoints.begin_create_or_update(endpoint).result()
        deployments.begin_delete(name="blue", endpoint_name="clients-endpoint").result()
        endpoints.begin_delete(name="clients-endpoint").result()
        expect_that("clients-endpoint" not in names(endpoints.list()), "the endpoint is gone")


def batch(session, client):
    made = "batch endpoint and deployment: create"
    endpoints, deployments = client.batch_endpoints, client.batch_deployments
    with session.operation(made):
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
        with contextlib.redirect_stdout(io.StringIO()):
            client.jobs.stream(job.name)
        expect(client.jobs.get(job.name).status, "Completed", "status")
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
        with contextlib.redirect_stdout(io.StringIO()):
            client.jobs.stream(another.name)
        made_of = Model(name="clients-scores", path="azureml://datastores/workspaceblobstore/paths/clients/kept.csv")
        client.models.create_or_update(made_of)
        with tempfile.TemporaryDirectory() as folder:
            client.models.download("clients-scores", "1", folder)
            expect(contents(folder), {"kept.csv": scores}, "files")
    with session.operation("batch list_jobs, delete", needs=[made]):
        expect_that(job.name in names(endpoints.list_jobs("clients-batch")), "the job is listed")
        endpoints.begin_delete(name="clients-batch").result()
        expect_that("clients-batch" not in names(endpoints.list()), "the endpoint is gone")


if __name__ == "__main__":
    main()
