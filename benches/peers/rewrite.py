#!/usr/bin/env python3
"""Writes a Parquet file again as pyarrow does by default: snappy, dictionary pages that overflow into plain ones, row
groups of a million rows. `rewrite.py SOURCE TARGET`"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

source, target = map(Path, sys.argv[1:])
target.parent.mkdir(parents=True, exist_ok=True)
pq.write_table(pq.read_table(source, memory_map=True), target)
