"""Scoring script of the iris model: {"data": [[sepal length, sepal width, petal length, petal width], ...]}."""

import json
import math
import os
from pathlib import Path

model = None


def init():
    """Called once when the deployment starts."""
    global model
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    # Below it is the registered folder, whose name depends on how the model was registered.
    files = sorted(folder.rglob("model.json"))
    if not files:
        raise FileNotFoundError(f"There is no model.json below {folder}. Deploy a model that train.py has written.")
    model = json.loads(files[0].read_text(encoding="utf-8"))
    print(f"Loaded {files[0]}: {len(model['features'])} features, {len(model['labels'])} labels")


def run(raw_data):
    """Called for each request with its text."""
    rows = rows_of(json.loads(raw_data))
    chances = [probabilities(row) for row in rows]
    return {
        "predictions": [model["labels"][chance.index(max(chance))] for chance in chances],
        "probabilities": [[round(value, 6) for value in chance] for chance in chances],
    }


def rows_of(request):
    rows = request.get("data") if isinstance(request, dict) else request
    width = len(model["features"])
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == width for row in rows):
        raise ValueError(f'Send {{"data": [[…], …]}} with {width} numbers in each row: {", ".join(model["features"])}.')
    return [[float(value) for value in row] for row in rows]


def probabilities(row):
    scaled = [(value - mean) / spread for value, mean, spread in zip(row, model["means"], model["spreads"])]
    lines = zip(model["weights"], model["bias"])
    scores = [sum(w * x for w, x in zip(weights, scaled)) + bias for weights, bias in lines]
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]
