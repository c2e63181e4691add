# Runs the entry script of a parallel step: `init()` once in each process, then `run(mini_batch)` for lists of files.
# Python standard library only. Knows nothing of jobs: it gets folders, settings and arguments.
import argparse
import base64
import collections
import fnmatch
import importlib.util
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import time
import traceback

LOGS = os.path.join("logs", "user")


def list_files(folder):
    """The files of an input in the order of their names; an MLTable file chooses among them."""
    if os.path.isfile(folder):
        return [folder]
    found = sorted(
        os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names if name != "MLTable"
    )
    table = os.path.join(folder, "MLTable")
    if not os.path.isfile(table):
        return found
    with open(table, encoding="utf-8") as file:
        lines = [line.strip() for line in file if not line.lstrip().startswith("#")]
    if any(line.startswith("- read_") or line.startswith("read_") for line in lines):
        sys.exit("Tables are not emulated: the MLTable file of the input reads rows. Give the parallel step files.")
    wanted = [value_of(line) for line in lines if line.lstrip("- ").split(":")[0] in ("file", "pattern", "folder")]
    if not wanted:
        return found
    return [path for path in found if any(matches(os.path.relpath(path, folder), one) for one in wanted)]


def value_of(line):
    value = line.split(":", 1)[1].strip().strip("'\"")
    return value[2:] if value.startswith("./") else value


def matches(path, wanted):
    return fnmatch.fnmatch(path, wanted) or path.startswith(wanted.rstrip("/") + "/")


def work(connection, index, script, arguments):
    """One process: everything it prints goes to files of its own, as the service keeps them."""
    for stream, name in ((1, "stdout"), (2, "stderr")):
        folder = os.path.join(LOGS, name, "0")
        os.makedirs(folder, exist_ok=True)
        log = os.open(os.path.join(folder, f"process{index:03}.{name}.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, stream)
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.spec_from_file_location("entry_script", script)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if hasattr(module, "init"):
            module.init()
    except BaseException:
        connection.send(("init failed", traceback.format_exc()))
        return
    connection.send(("ready", None))
    while (batch := connection.recv()) is not None:
        try:
            connection.send(("done", rows_of(module.run(batch))))
        except BaseException:
            connection.send(("failed", traceback.format_exc()))
    if hasattr(module, "shutdown"):
        module.shutdown()


def rows_of(result):
    if hasattr(result, "to_csv"):
        return result.to_csv(sep=" ", header=False, index=False).splitlines()
    if not isinstance(result, (list, tuple)):
        raise TypeError(f"run() must return a list, a tuple or a DataFrame, not {type(result).__name__}")
    return [str(row) for row in result]


class Worker:
    def __init__(self, index, settings, arguments):
        self.connection, other = multiprocessing.Pipe()
        target = (other, index, settings["entryScript"], arguments)
        self.process = multiprocessing.Process(target=work, args=target, daemon=True)
        self.process.start()
        other.close()
        self.index = index
        self.task = None
        self.is_idle = False
        self.deadline = None

    def give(self, task, timeout):
        self.task, self.is_idle, self.deadline = task, False, time.monotonic() + timeout
        self.connection.send(task["files"])

    def kill(self):
        self.process.kill()
        self.process.join()
        self.connection.close()


class Driver:
    def __init__(self, settings, files, append_to, arguments):
        size = settings["miniBatchSize"]
        batches = [files[start : start + size] for start in range(0, len(files), size)]
        self.tasks = collections.deque({"number": n, "files": batch, "tries": 0} for n, batch in enumerate(batches))
        self.settings, self.arguments, self.append_to = settings, arguments, append_to
        self.total = len(batches)
        self.done = self.failed_batches = self.failed_items = 0
        count = max(1, min(settings["workers"], self.total))
        self.workers = [Worker(index, settings, arguments) for index in range(count)]

    def run(self):
        print(f"{self.total} mini batches for {len(self.workers)} processes", flush=True)
        while self.done + self.failed_batches < self.total:
            for worker in self.workers:
                if worker.is_idle and self.tasks:
                    worker.give(self.tasks.popleft(), self.settings["timeout"])
            self.hear()
        for worker in self.workers:
            self.dismiss(worker)
        print(f"Processed {self.done} mini batches, {self.failed_batches} failed.", flush=True)

    def hear(self):
        deadlines = [worker.deadline for worker in self.workers if worker.deadline is not None]
        timeout = max(0, min(deadlines) - time.monotonic()) if deadlines else None
        ready = multiprocessing.connection.wait([worker.connection for worker in self.workers], timeout)
        for worker in list(self.workers):
            if worker.connection in ready:
                self.listen(worker)
            elif worker.deadline is not None and time.monotonic() >= worker.deadline:
                self.fail(worker, f"run() took longer than {self.settings['timeout']} seconds", respawn=True)

    def listen(self, worker):
        try:
            kind, value = worker.connection.recv()
        except EOFError:
            worker.process.join()
            if worker.task is None:
                sys.exit(f"A process of the entry script ended with code {worker.process.exitcode} in init().")
            return self.fail(worker, f"the process ended with code {worker.process.exitcode}", respawn=True)
        if kind == "init failed":
            sys.exit(f"init() of {self.settings['entryScript']} failed.\n{value}")
        if kind == "failed":
            return self.fail(worker, value, respawn=False)
        if kind == "done":
            self.finish(worker.task, value)
        worker.task, worker.is_idle, worker.deadline = None, True, None

    def finish(self, task, rows):
        self.done += 1
        self.failed_items += max(0, len(task["files"]) - len(rows))
        print(f"Mini batch {task['number']}: {len(rows)} of {len(task['files'])} items", flush=True)
        if self.append_to and rows:
            target = os.path.join(self.append_to, "parallel_run_step.txt") if os.path.isdir(self.append_to) else self.append_to
            with open(target, "a", encoding="utf-8") as file:
                file.writelines(f"{row}\n" for row in rows)
        self.check()

    def fail(self, worker, reason, respawn):
        task = worker.task
        task["tries"] += 1
        print(f"Mini batch {task['number']}, try {task['tries']}: {reason.rstrip()}", flush=True)
        if respawn:
            worker.kill()
            self.workers[self.workers.index(worker)] = Worker(worker.index, self.settings, self.arguments)
        else:
            worker.task, worker.is_idle, worker.deadline = None, True, None
        if task["tries"] <= self.settings["retries"]:
            self.tasks.append(task)
            return
        self.failed_batches += 1
        self.failed_items += len(task["files"])
        os.makedirs(LOGS, exist_ok=True)
        with open(os.path.join(LOGS, "error.txt"), "a", encoding="utf-8") as file:
            file.write(f"Mini batch {task['number']}: {reason}\n")
        self.check()

    def check(self):
        for name, failed in (("errorThreshold", self.failed_items), ("miniBatchErrorThreshold", self.failed_batches)):
            limit = self.settings[name]
            if 0 <= limit < failed:
                what = "items" if name == "errorThreshold" else "mini batches"
                sys.exit(f"{failed} {what} failed, more than the threshold of {limit}. See logs/user/error.txt.")

    def dismiss(self, worker):
        try:
            worker.connection.send(None)
            worker.process.join(self.settings["timeout"])
        except OSError:
            pass
        worker.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--append-to")
    own = sys.argv[1 : sys.argv.index("--")]
    arguments = sys.argv[sys.argv.index("--") + 1 :]
    given = parser.parse_args(own)
    settings = json.loads(base64.b64decode(given.settings))
    Driver(settings, list_files(given.input), given.append_to, arguments).run()


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
