"""The step that scores for an emulated batch deployment: feeds the scoring script with mini-batches of files.

Python's standard library only. One process and one thread, whatever the deployment says of instances and concurrency.
"""

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import traceback


class CannotScore(Exception):
    """Why nothing can be scored; the text is for the author of the deployment."""


def main():
    options = read_options()
    # The folder of this file is no part of what a scoring script may import; the code of the deployment is.
    sys.path[0] = os.getcwd()
    is_folder = os.path.isdir(options.output)
    os.environ["AZUREML_BI_OUTPUT_PATH"] = options.output if is_folder else os.path.dirname(options.output)
    try:
        if options.model:
            place_model(options)
        script = load_script(options.script) if options.script else MlflowScript(options.model)
        files = files_below(options.data)
        script.init()
        score(script, files, options)
    except CannotScore as problem:
        print(f"Cannot score: {problem}", file=sys.stderr)
        sys.exit(1)


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="file or folder to score")
    parser.add_argument("--output", required=True, help="folder that takes the scores, or the file")
    parser.add_argument("--output-file", default="predictions.csv")
    parser.add_argument("--action", default="AppendRow", choices=["AppendRow", "SummaryOnly"])
    parser.add_argument("--mini-batch-size", type=int, default=10, help="files in one call of run()")
    parser.add_argument("--error-threshold", type=int, default=-1, help="files that may fail; -1 for any number")
    parser.add_argument("--max-retries", type=int, default=3)
    parser.add_argument("--script", help="scoring script, relative to the current folder")
    parser.add_argument("--model", help="file or folder of the registered model")
    parser.add_argument("--model-name", default="model", help="what the model is called in AZUREML_MODEL_DIR")
    return parser.parse_args()


def scores_path(options):
    return os.path.join(options.output, options.output_file) if os.path.isdir(options.output) else options.output


def place_model(options):
    """Puts the model where scripts look for it: under its own name in AZUREML_MODEL_DIR."""
    folder = tempfile.mkdtemp(prefix="model-")
    target = os.path.join(folder, options.model_name)
    # No symbolic link: `Path.rglob` and `os.walk` of a script would not go into it.
    if os.path.isdir(options.model):
        shutil.copytree(options.model, target, copy_function=link_or_copy)
    else:
        link_or_copy(options.model, target)
    os.environ["AZUREML_MODEL_DIR"] = folder


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def load_script(path):
    if not os.path.isfile(path):
        raise CannotScore(f"the code has no scoring script {path}")
    spec = importlib.util.spec_from_file_location("scoring_script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            raise CannotScore(f"the scoring script {path} has no function {name}()")
    return module


class MlflowScript:
    """Scores CSV files by the python_function flavor of an MLflow model."""

    def __init__(self, folder):
        self.folder = folder

    def init(self):
        try:
            import mlflow.pyfunc
            import pandas
        except ImportError as problem:
            raise CannotScore(f"an MLflow model needs mlflow where the emulator runs ({problem})") from problem
        self.pandas = pandas
        self.model = mlflow.pyfunc.load_model(self.folder)

    def run(self, mini_batch):
        frames = [self.pandas.read_csv(path) for path in mini_batch]
        return list(self.model.predict(self.pandas.concat(frames)))


def files_below(path):
    if os.path.isfile(path):
        return [path]
    found = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    if not found:
        raise CannotScore("the input holds no files")
    return found


def score(script, files, options):
    failed = 0
    size = max(1, options.mini_batch_size)
    path = scores_path(options)
    appends = options.action == "AppendRow"
    with open(path if appends else os.devnull, "w", encoding="utf-8") as scores:
        for start in range(0, len(files), size):
            batch = files[start : start + size]
            rows = run_patiently(script, batch, options.max_retries)
            if rows is None:
                failed += len(batch)
            elif appends:
                scores.writelines(f"{row}\n" for row in rows)
    print(f"Scored {len(files) - failed} of {len(files)} files.")
    if 0 <= options.error_threshold < failed:
        raise CannotScore(f"{failed} files failed, and the error threshold is {options.error_threshold}")


def run_patiently(script, batch, retries):
    """Gives the rows of a mini-batch, or None where it failed each time."""
    for _ in range(retries + 1):
        try:
            return rows_of(script.run(batch))
        except Exception:
            traceback.print_exc()
    return None


def rows_of(result):
    """The lines of a result: the items of a list, the rows of a data frame with spaces between the values."""
    if hasattr(result, "itertuples"):
        return [" ".join(str(value) for value in row) for row in result.itertuples(index=False)]
    if not hasattr(result, "__iter__") or isinstance(result, (str, bytes)):
        raise TypeError(f"run() must return a list or a data frame, not {type(result).__name__}")
    return [str(item) for item in result]


if __name__ == "__main__":
    main()
