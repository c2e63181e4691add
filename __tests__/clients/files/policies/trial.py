"""One trial: a good one says how good it is and ends; a bad one goes on and on, until a policy stops it."""

import argparse
import time

import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--score", type=float)
score = parser.parse_args().score
deadline = time.monotonic() + 240
step = 0
mlflow.log_metric("score", score, step=step)
while score < 0 and time.monotonic() < deadline:
    time.sleep(0.5)
    step += 1
    mlflow.log_metric("score", score, step=step)
