#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: small files of every type, encoding, codec and page version.

    fuzz/seeds.py fuzz/corpus/read --gpudrift target/release/gpudrift [--more FOLDER ...]

The values come from `gpudrift generate`, so that features have the names that the scan target's good side has; pyarrow
writes them again in every encoding that it knows for a type. `--more` adds files from elsewhere.
"""

import argparse
import hashlib
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

LARGEST = 16 << 10
ROWS = 200
CODECS = ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]
# Which encodings pyarrow writes for a physical type.
ENCODINGS = {
    "INT32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "INT64": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "FLOAT": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "DOUBLE": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "BYTE_ARRAY": ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    "FIXED_LEN_BYTE_ARRAY": ["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"],
    "BOOLEAN": ["PLAIN", "RLE"],
}


def generated(gpudrift: str, types: list[str], folder: Path, *options: str) -> Path:
    """One side of a small store with one feature of every type."""
    command = [gpudrift, "generate", "--output", str(folder), "--rows", str(ROWS), "--features", str(len(types))]
    command += ["--drifted", "0"]
    subprocess.run([*command, "--types", ",".join(types), *options], check=True, capture_output=True)
    return folder / "reference" / "part-000.parquet"


def types_of(gpudrift: str) -> list[str]:
    """The types that the generator knows, from what it says to one that it does not."""
    shown = subprocess.run([gpudrift, "generate", "--help"], check=True, capture_output=True, text=True).stdout
    block = shown.split("--types")[1].split("[possible values:")[1].split("]")[0]
    return [name.strip() for name in block.replace("\n", " ").split(",")]


class Corpus:
    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.written = 0

    def add(self, data: bytes) -> None:
        if len(data) <= LARGEST:
            (self.folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
            self.written += 1

    def table(self, table: pa.Table, **options) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, write_statistics=False, **options)
        self.add(sink.getvalue().to_pybytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--gpudrift", default="target/release/gpudrift")
    parser.add_argument("--more", type=Path, action="append", default=[], help="a folder with more Parquet files")
    args = parser.parse_args()
    corpus = Corpus(args.corpus)
    types = types_of(args.gpudrift)
    with tempfile.TemporaryDirectory() as scratch:
        whole = generated(args.gpudrift, types, Path(scratch) / "all", "--nulls", "0.05", "--nans", "0.02")
        # As our own writer writes: all in one, and each type alone with and without dictionary pages.
        corpus.add(whole.read_bytes())
        for index, one in enumerate(types):
            for pages in ("--dictionary", "--no-dictionary"):
                for codec in ("uncompressed", "snappy"):
                    folder = Path(scratch) / f"{index}{pages}{codec}"
                    corpus.add(generated(args.gpudrift, [one], folder, pages, "--codec", codec).read_bytes())
        file = pq.ParquetFile(whole)
        physical = {file.schema.column(i).name: file.schema.column(i).physical_type for i in range(len(file.schema))}
        table = file.read()
    for name in table.column_names:
        column = table.select([name])
        for rows in (0, 1, ROWS):
            corpus.table(column.slice(0, rows), compression="none", use_dictionary=False)
        for version in ("1.0", "2.0"):
            plain = {"data_page_version": version, "compression": "none"}
            # Dictionaries that overflow fall back to plain pages in the middle; small pages make many of them.
            corpus.table(column, use_dictionary=True, **plain)
            small = {"dictionary_pagesize_limit": 64, "data_page_size": 128, "write_batch_size": 16}
            corpus.table(column, use_dictionary=True, **small, **plain)
            corpus.table(column, use_dictionary=True, row_group_size=ROWS // 3, **plain)
            for encoding in ENCODINGS.get(physical.get(name, ""), []):
                try:
                    corpus.table(column, use_dictionary=False, column_encoding=encoding, **plain)
                except (OSError, pa.ArrowException, NotImplementedError):
                    continue  # pyarrow has no such encoder for this type
    for codec in CODECS:
        for version in ("1.0", "2.0"):
            for one in ("f64", "string"):
                column = table.select([types.index(one)])
                for dictionary in (False, True):
                    corpus.table(column, compression=codec, data_page_version=version, use_dictionary=dictionary)
    for folder in args.more:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                corpus.add(path.read_bytes())
    print(f"{corpus.written} seeds in {args.corpus}")


if __name__ == "__main__":
    main()
