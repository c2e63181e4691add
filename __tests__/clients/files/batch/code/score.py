"""Multiplies the number in each file of a mini-batch by the factor of the model."""

import os
import pathlib


def init():
    global factor
    factor = int(next(pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("factor.txt")).read_text())


def run(mini_batch):
    return ["%s %d" % (pathlib.Path(one).name, factor * int(pathlib.Path(one).read_text())) for one in mini_batch]
