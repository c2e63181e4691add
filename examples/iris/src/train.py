"""Trains a classifier of iris flowers: multinomial logistic regression by gradient descent.

Python's standard library only, so that it runs in any image. Reads a CSV file whose last column is the label.
"""

import argparse
import csv
import json
import math
import random
import time
from pathlib import Path

import plot
from tracking import Tracking


def main():
    options = read_options()
    labels, features, rows = read_rows(options.data)
    training, test = split(rows, options.test_fraction, options.seed)
    print(f"Read {len(rows)} rows: {len(training)} to train on, {len(test)} to test on; labels: {', '.join(labels)}")

    tracking = Tracking()
    tracking.log_params(vars(options))
    started = time.monotonic()
    model, curve = train(training, test, features, labels, options, tracking)
    print(f"Trained for {time.monotonic() - started:.1f} s")

    report(model, test)
    save_model(Path(options.model), model, curve[-1], options)
    draw_curve(Path("outputs") / "curves.png", curve)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="CSV file with a header; the last column is the label")
    parser.add_argument("--model", required=True, help="folder for the trained model")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--steps-per-epoch", type=int, default=150)
    parser.add_argument("--learning-rate", type=float, default=0.02)
    parser.add_argument("--test-fraction", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    if options.epochs < 1 or options.steps_per_epoch < 1:
        parser.error("--epochs and --steps-per-epoch must be at least 1")
    if not 0 < options.test_fraction < 1:
        parser.error("--test-fraction must lie between 0 and 1")
    return options


# Data


def read_rows(path):
    """Answers labels, names of the features, and the rows as pairs of (values, index of the label)."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *lines = [line for line in csv.reader(file) if line]
    labels = sorted({line[-1] for line in lines})
    rows = [([float(value) for value in line[:-1]], labels.index(line[-1])) for line in lines]
    return labels, header[:-1], rows


def split(rows, test_fraction, seed):
    """Splits the rows so that each label has the same share of both parts."""
    rng = random.Random(seed)
    training, test = [], []
    for label in sorted({label for _, label in rows}):
        group = [row for row in rows if row[1] == label]
        rng.shuffle(group)
        cut = max(1, round(len(group) * test_fraction))
        test += group[:cut]
        training += group[cut:]
    rng.shuffle(training)
    return training, test


def scales_of(rows):
    """Mean and standard deviation of each feature."""
    columns = list(zip(*[values for values, _ in rows]))
    means = [sum(column) / len(column) for column in columns]
    spreads = [spread(column, mean) or 1.0 for column, mean in zip(columns, means)]
    return means, spreads


def spread(column, mean):
    return math.sqrt(sum((value - mean) ** 2 for value in column) / len(column))


# Model


def train(training, test, features, labels, options, tracking):
    means, spreads = scales_of(training)
    rng = random.Random(options.seed)
    model = {
        "features": features,
        "labels": labels,
        "means": means,
        "spreads": spreads,
        "weights": [[rng.gauss(0, 0.01) for _ in features] for _ in labels],
        "bias": [0.0 for _ in labels],
    }
    scaled = [(scale(model, values), label) for values, label in training]
    curve = []
    for epoch in range(1, options.epochs + 1):
        for _ in range(options.steps_per_epoch):
            loss = descend(model, scaled, options.learning_rate)
        if not math.isfinite(loss):
            raise SystemExit(f"The loss is {loss} in epoch {epoch}: training diverged. Use a smaller --learning-rate.")
        accuracy = accuracy_of(model, test)
        curve.append({"epoch": epoch, "loss": loss, "accuracy": accuracy})
        tracking.log_metrics({"loss": loss, "accuracy": accuracy}, step=epoch)
        print(f"epoch {epoch:3d}/{options.epochs}  loss {loss:.4f}  accuracy {accuracy:.4f}")
    return model, curve


def scale(model, values):
    return [(value - mean) / spread for value, mean, spread in zip(values, model["means"], model["spreads"])]


def probabilities(model, scaled):
    lines = zip(model["weights"], model["bias"])
    scores = [sum(w * x for w, x in zip(weights, scaled)) + bias for weights, bias in lines]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def descend(model, rows, learning_rate):
    """One step of gradient descent over all rows; answers the mean cross entropy before it."""
    weights, bias = model["weights"], model["bias"]
    slope = [[0.0] * len(weights[0]) for _ in weights]
    lift = [0.0] * len(bias)
    loss = 0.0
    for scaled, label in rows:
        chances = probabilities(model, scaled)
        loss -= math.log(max(chances[label], 1e-12))
        for index, chance in enumerate(chances):
            error = chance - (index == label)
            lift[index] += error
            for feature, value in enumerate(scaled):
                slope[index][feature] += error * value
    rate = learning_rate / len(rows)
    for index, row in enumerate(slope):
        bias[index] -= rate * lift[index]
        weights[index] = [weight - rate * change for weight, change in zip(weights[index], row)]
    return loss / len(rows)


def predict(model, values):
    chances = probabilities(model, scale(model, values))
    return chances.index(max(chances))


def accuracy_of(model, rows):
    return sum(predict(model, values) == label for values, label in rows) / len(rows)


# Results


def report(model, test):
    print("label         rows  correct")
    for index, label in enumerate(model["labels"]):
        group = [values for values, actual in test if actual == index]
        correct = sum(predict(model, values) == index for values in group)
        print(f"{label:12s}  {len(group):4d}  {correct:7d}")


def save_model(folder, model, last, options):
    folder.mkdir(parents=True, exist_ok=True)
    card = {
        "task": "Which of three kinds of iris is a flower with these measures (in cm)?",
        "method": "multinomial logistic regression, full-batch gradient descent",
        "metrics": {"accuracy": last["accuracy"], "loss": last["loss"]},
        "training": {"epochs": options.epochs, "learning_rate": options.learning_rate, "seed": options.seed},
    }
    for name, content in (("model.json", model), ("labels.json", model["labels"]), ("card.json", card)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote the model to {folder}")


def draw_curve(path, curve):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = {name: [point[name] for point in curve] for name in ("loss", "accuracy")}
    path.write_bytes(plot.line_chart(lines, axis="epoch"))
    print(f"Drew {path}")


if __name__ == "__main__":
    main()
