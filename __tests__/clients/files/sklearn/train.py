"""Trains a classifier with MLflow's autologging, and logs by hand what autologging does not: steps and a figure."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

mlflow.autolog()

features, labels = load_iris(return_X_y=True, as_frame=True)
train_x, test_x, train_y, test_y = train_test_split(features, labels, random_state=4)

with mlflow.start_run():
    model = SGDClassifier(random_state=4, max_iter=200, alpha=0.01)
    model.fit(train_x, train_y)
    mlflow.log_metric("accuracy", model.score(test_x, test_y))
    probe = SGDClassifier(random_state=4, alpha=0.01)
    scores = []
    for step in range(5):
        probe.partial_fit(train_x.values, train_y, classes=[0, 1, 2])
        scores.append(probe.score(test_x.values, test_y))
        mlflow.log_metric("epoch_accuracy", scores[-1], step=step)
    figure, axes = plt.subplots()
    axes.plot(scores)
    mlflow.log_figure(figure, "plots/accuracy.png")
print("trained")
