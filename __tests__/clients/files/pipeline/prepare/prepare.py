"""Writes each row into a file of its own."""

import pathlib
import sys

rows, parts = sys.argv[1:]
for row in pathlib.Path(rows).read_text().split():
    pathlib.Path(parts, "row-%s.txt" % row).write_text(row)
