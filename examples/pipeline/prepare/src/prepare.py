"""Splits a CSV file into rows to train on and rows to test on."""

import random
import sys
from pathlib import Path


def main(source, training, test):
    header, *lines = Path(source).read_text(encoding="utf-8").splitlines()
    random.Random(42).shuffle(lines)
    cut = len(lines) * 7 // 10
    for folder, part in ((training, lines[:cut]), (test, lines[cut:])):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "rows.csv").write_text("\n".join([header, *part]) + "\n", encoding="utf-8")
        print(f"{len(part)} rows in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
