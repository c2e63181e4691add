"""MLflow with azureml-mlflow against the emulator: a job that logs by itself, its run read back, its model served."""

import importlib.metadata
import json
import os
import pathlib
import tempfile

from azure.ai.ml import Input, load_job
from azure.ai.ml.entities import BatchEndpoint, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model
from azure.ai.ml.entities import ModelBatchDeployment, ModelBatchDeploymentSettings
from azure.identity import ClientSecretCredential

from session import FILES, Session, contents, credential, expect, expect_that, ml_client, stream

MODEL = "outputs: the model, registered as mlflow_model"


def main():
    versions = [importlib.metadata.version(name) for name in ("mlflow", "azureml-mlflow")]
    session = Session("mlflow %s, azureml-mlflow %s" % tuple(versions))
    client = ml_client()
    with session.operation("job with mlflow.autolog() on scikit-learn"):
        job = client.jobs.create_or_update(load_job(FILES / "sklearn.yml"))
        expect(stream(client, job).status, "Completed", "status")
        read_back(session, client, job.name)
    serve(session, client, job.name)
    score(session, client)


def read_back(session, client, run_id):
    """Reads the run by MLflow's own client. azureml-mlflow signs in as in a job, where the token is a variable."""
    scope = "%s/.default" % os.environ["ARM_CLOUD_METADATA_URL"].split("/metadata")[0]
    os.environ.update(
        MLFLOW_TRACKING_URI=client.workspaces.get(client.workspace_name).mlflow_tracking_uri,
        MLFLOW_TRACKING_TOKEN=credential(ClientSecretCredential).get_token(scope).token,
        MLFLOW_EXPERIMENT_NAME="clients-sklearn",
        MLFLOW_RUN_ID=run_id,
    )
    import mlflow

    tracking = mlflow.tracking.MlflowClient()
    with session.operation("MlflowClient.get_run: parameters and metrics"):
        data = tracking.get_run(run_id).data
        expect(data.params["max_iter"], "200", "a parameter that autologging logs")
        expect_that(data.metrics["accuracy"] > 0.6, "the accuracy is a sensible one")
        expect_that("training_accuracy_score" in data.metrics, "autologging has logged a metric")
    with session.operation("MlflowClient.get_metric_history: steps"):
        history = tracking.get_metric_history(run_id, "epoch_accuracy")
        expect([point.step for point in history], [0, 1, 2, 3, 4], "steps")
    with session.operation("MlflowClient.list_artifacts: figures"):
        expect([one.path for one in tracking.list_artifacts(run_id, "plots")], ["plots/accuracy.png"], "figures")
    with session.operation("MlflowClient.download_artifacts"), tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(tracking.download_artifacts(run_id, "plots/accuracy.png", folder))
        expect(file.read_bytes()[:4], b"\x89PNG", "beginning of the figure")
    with session.operation("MlflowClient.search_runs, search_experiments"):
        experiment = tracking.get_experiment_by_name("clients-sklearn")
        found = tracking.search_runs([experiment.experiment_id], "metrics.accuracy > 0.6")
        expect_that(run_id in [run.info.run_id for run in found], "the run is found")
        expect_that("clients-sklearn" in [one.name for one in tracking.search_experiments()], "the experiment is found")
    with session.operation("MlflowClient: a run of its own, with files"), tempfile.TemporaryDirectory() as folder:
        run = tracking.create_run(experiment.experiment_id, run_name="by hand")
        tracking.log_param(run.info.run_id, "kind", "manual")
        tracking.log_metric(run.info.run_id, "height", 2.5, step=1)
        tracking.set_tag(run.info.run_id, "mood", "good")
        tracking.log_text(run.info.run_id, "hello", "notes/hello.txt")
        tracking.set_terminated(run.info.run_id)
        again = tracking.get_run(run.info.run_id)
        expect((again.info.status, again.data.params, again.data.metrics), ("FINISHED", {"kind": "manual"}, {"height": 2.5}))
        text = tracking.download_artifacts(run.info.run_id, "notes/hello.txt", folder)
        expect(pathlib.Path(text).read_text(), "hello", "content")


def serve(session, client, run_id):
    with session.operation(MODEL):
        path = "azureml://jobs/%s/outputs/artifacts/paths/model/" % run_id
        made = client.models.create_or_update(Model(name="clients-sklearn", version="1", path=path, type="mlflow_model"))
        expect_that("sklearn" in made.flavors, "the flavors are read: %s" % list(made.flavors or {}))
    with session.operation("deployment without code, invoke", needs=[MODEL]):
        endpoint = ManagedOnlineEndpoint(name="clients-sklearn", auth_mode="key")
        client.online_endpoints.begin_create_or_update(endpoint).result()
        deployment = ManagedOnlineDeployment(
            name="blue",
            endpoint_name=endpoint.name,
            model="azureml:clients-sklearn:1",
            instance_type="Standard_DS3_v2",
            instance_count=1,
        )
        client.online_deployments.begin_create_or_update(deployment).result()
        with tempfile.NamedTemporaryFile("w", suffix=".json") as request:
            columns = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
            rows = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4]]
            json.dump({"input_data": {"columns": columns, "index": [0, 1], "data": rows}}, request)
            request.flush()
            answer = client.online_endpoints.invoke(endpoint.name, request_file=request.name, deployment_name="blue")
        expect(json.loads(answer), [0, 2], "answer")
        client.online_endpoints.begin_delete(name=endpoint.name).result()


def score(session, client):
    with session.operation("batch deployment without code, invoke, jobs.download", needs=[MODEL]):
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="clients-sklearn-batch")).result()
        deployment = ModelBatchDeployment(
            name="flowers",
            endpoint_name="clients-sklearn-batch",
            model="azureml:clients-sklearn:1",
            compute="cpu-cluster",
            settings=ModelBatchDeploymentSettings(instance_count=1, mini_batch_size=1),
        )
        client.batch_deployments.begin_create_or_update(deployment).result()
        with tempfile.TemporaryDirectory() as folder:
            head = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)\n"
            for name, rows in (("a.csv", "5.1,3.5,1.4,0.2\n"), ("b.csv", "6.7,3.1,5.6,2.4\n5.0,3.4,1.5,0.2\n")):
                pathlib.Path(folder, name).write_text(head + rows)
            flowers = Input(type="uri_folder", path=folder)
            job = client.batch_endpoints.invoke(
                endpoint_name="clients-sklearn-batch", deployment_name="flowers", input=flowers
            )
        stream(client, job)
        with tempfile.TemporaryDirectory() as folder:
            client.jobs.download(job.name, download_path=folder)
            expect(contents(folder), {"predictions.csv": "0\n2\n0\n"}, "scores")
        client.batch_endpoints.begin_delete(name="clients-sklearn-batch").result()


if __name__ == "__main__":
    main()
