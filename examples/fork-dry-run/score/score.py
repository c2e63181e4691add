"""Scoring script: {"data": [[sepal length, sepal width, petal length, petal width], ...]}."""

import json
import math
import os
from collections import Counter
from pathlib import Path

model = None


def init():
    """Called once when the deployment starts."""
    global model
    # The model's folder lies below; what it is called depends on how the model was registered.
    [file] = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.json")
    model = json.loads(file.read_text(encoding="utf-8"))


def run(raw_data):
    """Called for each request with its text."""
    return {"predictions": [classify(row) for row in json.loads(raw_data)["data"]]}


def classify(values):
    nearest = sorted(model["rows"], key=lambda row: math.dist(row[0], values))[: model["neighbours"]]
    return Counter(label for _, label in nearest).most_common(1)[0][0]
