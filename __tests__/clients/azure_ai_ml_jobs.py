"""azure-ai-ml against the emulator: sweeps, policies that end trials, pipelines, and the jobs that are not emulated."""

import pathlib
import tempfile

from azure.ai.ml import Input, Output, VERSION, automl, command, dsl, load_component, load_job, spark
from azure.ai.ml.sweep import Uniform

from session import FILES, Session, contents, expect, expect_that, ml_client, stream, version_before

# From 1.30 on the client looks for outputs of type uri_folder, where the service answers UriFolder: it then finds an output
# by the place alone where its own run has written it. Users report the same of the service.
FINDS_OUTPUTS = version_before(VERSION, 1, 30)


def main():
    session = Session("azure-ai-ml %s" % VERSION)
    client = ml_client()
    for part in (sweeps, pipeline, built_pipeline, not_emulated):
        part(session, client)


def changed(file, changes):
    return load_job(FILES / file, params_override=[{name: value} for name, value in changes.items()])


def sweeps(session, client):
    uniform = {"x": {"type": "uniform", "min_value": 0, "max_value": 5}}
    samplings = {
        "grid": {},
        "random": {"sampling_algorithm": "random"},
        "bayesian": {"sampling_algorithm": "bayesian", "search_space": uniform},
    }
    # No good trial is ever judged: each logs once.
    late = {"evaluation_interval": 1, "delay_evaluation": 3}
    policies = {
        "bandit": {"type": "bandit", "slack_amount": 5, **late},
        "median stopping": {"type": "median_stopping", **late},
        "truncation selection": {"type": "truncation_selection", "truncation_percentage": 40, **late},
    }
    jobs = {}
    made = "sweeps: jobs.create_or_update"
    with session.operation(made):
        for name, changes in samplings.items():
            jobs[name] = client.jobs.create_or_update(changed("sweep.yml", changes))
        for name, policy in policies.items():
            jobs[name] = client.jobs.create_or_update(changed("policies.yml", {"early_termination": policy}))
    for name in samplings:
        with session.operation("sweep: %s sampling, every trial runs" % name, needs=[made]):
            check_sweep(client, jobs[name], ["Completed"] * 3)
    for name in policies:
        with session.operation("sweep: %s ends the bad trial, and only that" % name, needs=[made]):
            check_sweep(client, jobs[name], ["Canceled", "Completed", "Completed"])
    with session.operation("sweep: jobs.download, of the best trial", needs=[made]), tempfile.TemporaryDirectory() as folder:
        client.jobs.download(jobs["grid"].name, download_path=folder, all=True)
        log = pathlib.Path(folder, "artifacts", "user_logs", "std_log.txt").read_text()
        expect(log.splitlines()[0], "x 2.0", "first line of the log")
        expect_that(pathlib.Path(folder, "hd-artifacts").is_dir(), "what the sweep itself has written is there")


def check_sweep(client, job, statuses):
    done = stream(client, job)
    expect(done.status, "Completed", "status")
    children = {one.name: one.status for one in client.jobs.list(parent_job_name=job.name)}
    expect(sorted(children.values()), statuses, "trials")
    expect(children.get(done.properties.get("best_child_run_id")), "Completed", "best trial")


def pipeline(session, client):
    ran = "pipeline: steps in order, data between them"
    with session.operation(ran):
        job = client.jobs.create_or_update(load_job(FILES / "pipeline.yml"))
        expect(stream(client, job).status, "Completed", "status")
        children = {one.display_name: one for one in client.jobs.list(parent_job_name=job.name)}
        expect({name: one.status for name, one in children.items()}, {"prepare": "Completed", "score": "Completed"}, "steps")
        scored = contents_of(client, children["score"].name, "scored")
        rows = {name: text for name, text in scored.items() if name.startswith("row-")}
        expect(rows, {"row-1.txt": "2", "row-2.txt": "4", "row-3.txt": "6"}, "content")
    with session.operation("pipeline: parallel step by mini-batch", needs=[ran]):
        batches = sorted(text for name, text in scored.items() if name.startswith("batch-"))
        expect(batches, ["row-1.txt row-2.txt", "row-3.txt"], "mini-batches")
    with session.operation("pipeline: jobs.download of its own output", needs=[ran]):
        expect(len(contents_of(client, job.name, "scored")), len(scored) if FINDS_OUTPUTS else 0, "number of files")
    with session.operation("pipeline: a second run takes its steps from the first", needs=[ran]):
        again = client.jobs.create_or_update(load_job(FILES / "pipeline.yml"))
        expect(stream(client, again).status, "Completed", "status")
        reused = [one.properties.get("azureml.isreused") for one in client.jobs.list(parent_job_name=again.name)]
        expect(reused, ["true", "true"], "reuse of the steps")


def contents_of(client, job_name, output):
    with tempfile.TemporaryDirectory() as folder:
        client.jobs.download(job_name, download_path=folder, output_name=output)
        return contents(folder)


def built_pipeline(session, client):
    """A pipeline in Python: a component from a file, a command and a sweep of one."""
    prepare = load_component(FILES / "pipeline" / "prepare.yml")
    environment = "azureml:python-stdlib:1"
    total = command(
        name="total",
        inputs={"parts": Input(type="uri_folder")},
        outputs={"total": Output(type="uri_folder")},
        command="cat ${{inputs.parts}}/* | wc -c > ${{outputs.total}}/total.txt",
        environment=environment,
    )
    trial = command(
        name="trial",
        inputs={"x": Input(type="number"), "total": Input(type="uri_folder")},
        code=str(FILES / "sweep"),
        command="ls ${{inputs.total}}/total.txt && python trial.py --x ${{inputs.x}}",
        environment=environment,
    )

    @dsl.pipeline(default_compute="cpu-cluster", experiment_name="clients")
    def built(rows):
        parts = prepare(rows=rows)
        summed = total(parts=parts.outputs.parts)
        tuned = trial(x=Uniform(0, 5), total=summed.outputs.total)
        tuned = tuned.sweep(primary_metric="score", goal="maximize", sampling_algorithm="random")
        tuned.set_limits(max_total_trials=2, max_concurrent_trials=2)
        return {"total": summed.outputs.total}

    with session.operation("pipeline made by dsl.pipeline, with a sweep as step"):
        job = client.jobs.create_or_update(built(rows=Input(type="uri_file", path=str(FILES / "data" / "rows.txt"))))
        expect(stream(client, job).status, "Completed", "status")
        children = {one.display_name: one for one in client.jobs.list(parent_job_name=job.name)}
        expect(sorted(children), ["parts", "summed", "tuned"], "steps")
        expect(contents_of(client, children["summed"].name, "total"), {"total.txt": "3\n"}, "content")
        trials = list(client.jobs.list(parent_job_name=children["tuned"].name))
        expect([one.status for one in trials], ["Completed", "Completed"], "trials")


def not_emulated(session, client):
    data = Input(type="mltable", path=str(FILES / "table"))
    classify = automl.classification(
        compute="cpu-cluster", experiment_name="clients", training_data=data, target_column_name="label", primary_metric="accuracy"
    )
    classify.set_limits(max_trials=1, timeout_minutes=15)
    count = spark(
        experiment_name="clients",
        code=str(FILES / "spark"),
        entry={"file": "count.py"},
        driver_cores=1,
        driver_memory="2g",
        executor_cores=1,
        executor_memory="2g",
        executor_instances=1,
        resources={
            "instance_type": "Standard_E4S_V3",
            "runtime_version": "3.2" if version_before(VERSION, 1, 5) else "3.4.0",
        },
    )
    for name, job in (("AutoML", classify), ("Spark", count)):
        with session.operation("%s job: fails, and says that it is not emulated" % name):
            made = client.jobs.create_or_update(job)
            try:
                stream(client, made)
            except Exception as error:
                expect_that("not emulated" in str(error), "the error %s says so" % error)
            else:
                raise AssertionError("the stream of a failed job raised nothing")
            expect(client.jobs.get(made.name).status, "Failed", "status")


if __name__ == "__main__":
    main()
