"""azure-ai-ml against the emulator: workspace, assets, models and command jobs."""

import contextlib
import io
import os
import pathlib
import tempfile

from azure.ai.ml import MLClient, VERSION, load_component, load_data, load_environment, load_job
from azure.ai.ml.entities import AccountKeyConfiguration, AmlCompute, AzureBlobDatastore, BuildContext, Environment, Model
from azure.ai.ml.entities import Workspace
from azure.identity import ClientSecretCredential

from session import FILES, Session, credential, expect, expect_that, ml_client, names, stream, version_before

# From 1.30 on the client looks for outputs of type uri_folder, where the service answers UriFolder: it then finds an output
# by the place alone where its own run has written it, and only when it is asked for by name. Users report the same of the
# service.
FINDS_OUTPUTS = version_before(VERSION, 1, 30)
REGISTRY = "emulated-registry"


def main():
    session = Session("azure-ai-ml %s" % VERSION)
    client = None
    with session.operation("sign in by secret, get the workspace"):
        client = ml_client()
        expect(client.workspaces.get(client.workspace_name).location, "eastus", "location")
    if client is None:
        return
    for part in (workspace, assets, command_job, models, job_control, refused):
        part(session, client)


def workspace(session, client):
    with session.operation("workspaces.list"):
        expect_that(client.workspace_name in names(client.workspaces.list()), "the workspace is listed")
    with session.operation("compute.begin_create_or_update, begin_update, get, list, delete"):
        client.compute.begin_create_or_update(AmlCompute(name="clients-cpu", size="STANDARD_DS3_V2", max_instances=2)).result()
        compute = client.compute.get("clients-cpu")
        compute.max_instances = 4
        client.compute.begin_update(compute).result()
        expect(client.compute.get("clients-cpu").max_instances, 4, "instances after the update")
        expect(client.compute.get("clients-cpu").provisioning_state, "Succeeded", "state")
        expect_that("clients-cpu" in names(client.compute.list()), "the compute is listed")
        client.compute.begin_delete("clients-cpu").result()
        expect_that("clients-cpu" not in names(client.compute.list()), "the compute is gone")
    with session.operation("datastores.list, get_default"):
        expect_that("workspaceblobstore" in names(client.datastores.list()), "the datastore is listed")
        expect(client.datastores.get_default().name, "workspaceblobstore", "default datastore")
    with session.operation("datastores.create_or_update, get, delete"):
        key = AccountKeyConfiguration(account_key="a2V5")
        own = AzureBlobDatastore(name="clients_store", account_name="account", container_name="container", credentials=key)
        client.datastores.create_or_update(own)
        expect(client.datastores.get("clients_store").container_name, "container", "container")
        client.datastores.delete("clients_store")
        expect_that("clients_store" not in names(client.datastores.list()), "the datastore is gone")


def assets(session, client):
    with session.operation("environments.create_or_update, get, list"):
        made = client.environments.create_or_update(load_environment(FILES / "environment.yml"))
        found = client.environments.get(made.name, made.version)
        expect(found.conda_file["name"], "clients", "conda file")
        expect(found.image, "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", "image")
        expect([one.version for one in client.environments.list(made.name)], ["1"], "versions")
        expect_that(made.name in names(client.environments.list()), "the environment is listed")
    with session.operation("environments.create_or_update from a build context"):
        built = Environment(name="clients-built", build=BuildContext(path=str(FILES / "docker")))
        made = client.environments.create_or_update(built)
        found = client.environments.get(made.name, made.version)
        expect(found.build.dockerfile_path, "Dockerfile", "path of the Dockerfile")
    with session.operation("data.create_or_update (upload), get, list"):
        made = client.data.create_or_update(load_data(FILES / "data.yml"))
        found = client.data.get(made.name, label="latest")
        expect(found.version, "1", "latest version")
        expect_that(found.path.endswith("rows.txt"), "the path %s names the file" % found.path)
        expect([one.version for one in client.data.list(made.name)], ["1"], "versions")
    with session.operation("data.create_or_update: a second version; archive, restore"):
        client.data.create_or_update(load_data(FILES / "data.yml", params_override=[{"version": "2"}]))
        client.data.archive(made.name, version="1")
        expect([one.version for one in client.data.list(made.name)], ["2"], "versions that are not archived")
        client.data.restore(made.name, version="1")
        expect(sorted(one.version for one in client.data.list(made.name)), ["1", "2"], "versions")
    with session.operation("components.create_or_update, get, list"):
        made = client.components.create_or_update(load_component(FILES / "pipeline" / "prepare.yml"))
        expect(client.components.get(made.name, made.version).inputs["rows"].type, "uri_file", "input")
        expect_that(made.name in names(client.components.list()), "the component is listed")
    for kind, name in (("environments", "clients-environment"), ("components", "clients_prepare")):
        with session.operation("%s.archive, restore" % kind):
            operations, version = getattr(client, kind), "1"
            operations.archive(name, version=version)
            expect(list(operations.list(name)), [], "what is not archived")
            operations.restore(name, version=version)
            expect([one.version for one in operations.list(name)], [version], "versions")


def command_job(session, client):
    job = None
    with session.operation("jobs.create_or_update: command with local code"):
        # Later versions of the client stumble over outputs of this type before they send anything.
        override = [{"outputs.weights.type": "custom_model"}] if FINDS_OUTPUTS else []
        job = client.jobs.create_or_update(load_job(FILES / "command.yml", params_override=override))
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
        for output in ("factor.txt", "weights.txt"):
            expect(output in files, FINDS_OUTPUTS, "whether the named output with %s is there" % output)
        expect_that("epoch 2" in files["std_log.txt"].read_text(), "the log is among the files")
    with session.operation("jobs.download: one named output"), tempfile.TemporaryDirectory() as folder:
        client.jobs.download(job.name, download_path=folder, output_name="model")
        expect([one.name for one in pathlib.Path(folder).rglob("*.txt")], ["factor.txt"], "files")
    with session.operation("jobs.create_or_update of a job that there is: tags"):
        job = client.jobs.get(job.name)
        job.tags["mood"] = "good"
        client.jobs.create_or_update(job)
        expect(client.jobs.get(job.name).tags.get("mood"), "good", "tag")
    # The client has these since 1.30.
    if hasattr(client.jobs, "update"):
        with session.operation("jobs.update"):
            client.jobs.update(job.name, display_name="counted", tags={"weather": "fine"})
            found = client.jobs.get(job.name)
            expect((found.display_name, found.tags["mood"], found.tags["weather"]), ("counted", "good", "fine"), "words")
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


def models(session, client):
    with session.operation("models.create_or_update from a local folder"):
        made = client.models.create_or_update(Model(name="clients-local", path=str(FILES / "data")))
        expect(client.models.get("clients-local", label="latest").version, made.version, "latest version")
    with session.operation("models.archive, restore"):
        client.models.archive("clients-local", "1")
        expect(list(client.models.list("clients-local")), [], "what is not archived")
        client.models.restore("clients-local", "1")
        expect(len(list(client.models.list("clients-local"))), 1, "versions")


    # Before 1.8 the client could not.
    if hasattr(client.models, "share"):
        with session.operation("models.share with a registry, get and list there"):
            there = {"share_with_name": "clients-shared", "share_with_version": "1", "registry_name": REGISTRY}
            client.models.share("clients-local", "1", **there)
            registry = MLClient(credential(ClientSecretCredential), os.environ["CLIENTS_SUBSCRIPTION"], registry_name=REGISTRY)
            expect(registry.models.get("clients-shared", "1").name, "clients-shared", "name")
            expect([one.version for one in registry.models.list("clients-shared")], ["1"], "versions")


def job_control(session, client):
    with session.operation("jobs.begin_cancel of a running job"):
        job = client.jobs.create_or_update(load_job(FILES / "sleep.yml"))
        client.jobs.begin_cancel(job.name).result()
        expect_that(client.jobs.get(job.name).status in ("Canceled", "CancelRequested"), "the job is cancelled")
    with session.operation("jobs.archive, restore"):
        client.jobs.archive(job.name)
        expect_that(job.name not in names(client.jobs.list()), "an archived job is not listed")
        client.jobs.restore(job.name)
    if hasattr(client.jobs, "begin_delete"):
        with session.operation("jobs.begin_delete"):
            client.jobs.begin_delete(job.name).result()
            expect_that(job.name not in names(client.jobs.list()), "a deleted job is not listed")
    with session.operation("jobs.stream of a job that fails tells why"):
        failing = load_job(FILES / "sleep.yml", params_override=[{"command": "echo broken >&2; exit 3"}])
        job = client.jobs.create_or_update(failing)
        try:
            stream(client, job)
        except Exception as error:
            expect_that("status code 3" in str(error), "the error %s tells the exit code" % error)
        else:
            raise AssertionError("the stream of a failed job raised nothing")
        expect(client.jobs.get(job.name).status, "Failed", "status")


def refused(session, client):
    """What docs/emulator.md has as refused: an error says so, and nothing is pretended."""
    new = Workspace(name="clients-new", location="eastus")
    tries = {
        "schedules.list": lambda: list(client.schedules.list()),
        "compute.begin_stop": lambda: client.compute.begin_stop("cpu-cluster").result(),
        "workspaces.begin_create": lambda: client.workspaces.begin_create(new).result(),
        "workspaces.get_keys": lambda: client.workspaces.get_keys(client.workspace_name),
    }
    for name, attempt in tries.items():
        with session.operation("%s: refused, and the error says so" % name):
            try:
                attempt()
            except Exception as error:
                # Version 1.4.0 makes workspaces in the public cloud, to which the proxy does not lead.
                expect_that("The emulator" in str(error), "the error %s says so" % error)
            else:
                raise AssertionError("nothing was refused")


if __name__ == "__main__":
    main()
