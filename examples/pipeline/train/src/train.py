"""Learns the mean flower of each label."""

import csv
import json
import sys
from pathlib import Path


def main(rows, model):
    groups = {}
    with open(Path(rows) / "rows.csv", newline="", encoding="utf-8") as file:
        for *values, label in list(csv.reader(file))[1:]:
            groups.setdefault(label, []).append([float(value) for value in values])
    means = {label: [sum(column) / len(group) for column in zip(*group)] for label, group in groups.items()}
    Path(model).mkdir(parents=True, exist_ok=True)
    (Path(model) / "means.json").write_text(json.dumps(means, indent=2), encoding="utf-8")
    print(f"Learnt {', '.join(sorted(means))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
