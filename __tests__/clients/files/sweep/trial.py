"""One trial: a parabola whose best point is at 2, logged in a few steps."""

import argparse

import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
for step in range(3):
    mlflow.log_metric("score", 10 - (x - 2) ** 2 + step, step=step)
print("x", x)
