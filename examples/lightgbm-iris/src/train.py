"""Classifies iris flowers with LightGBM. MLflow logs parameters, metrics and the model by itself."""

import argparse

import lightgbm
import matplotlib

matplotlib.use("Agg")

import mlflow
import pandas
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def main():
    options = read_options()
    mlflow.lightgbm.autolog()
    flowers = pandas.read_csv(options.iris_csv)
    train, test = train_test_split(
        flowers, test_size=options.test_fraction, random_state=options.seed, stratify=flowers["species"]
    )
    with mlflow.start_run():
        model = lightgbm.LGBMClassifier(
            n_estimators=options.iterations,
            learning_rate=options.learning_rate,
            min_child_samples=5,
            random_state=options.seed,
            verbosity=-1,
        )
        model.fit(train[FEATURES], train["species"], eval_set=[(test[FEATURES], test["species"])], eval_names=["test"])
        accuracy = accuracy_score(test["species"], model.predict(test[FEATURES]))
        loss = log_loss(test["species"], model.predict_proba(test[FEATURES]), labels=model.classes_)
        mlflow.log_metrics({"accuracy": accuracy, "log_loss": loss})
    print("accuracy %.3f, log loss %.3f on %d flowers" % (accuracy, loss, len(test)))


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--iris-csv", required=True)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--test-fraction", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
