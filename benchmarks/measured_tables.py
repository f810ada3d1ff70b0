"""Make the measured rows that ship (src/fabless/data/measured/*.csv.gz) from the collection of
research.

    python benchmarks/measured_tables.py RESEARCH

RESEARCH is the folder with `measured/` and `peers/`. Left out: tier D, models that are no language
models, and of operators and kernels all but an even sample; every column that a row needs or that
names its source stays.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fabless.catalogue.files.measured import MEASURED, read_table, readings
from fabless.validate.inference import first

Row = Mapping[str, str]
KERNELS_A_GROUP = 60
"""Rows of each chip and precision that ship of a kernel table."""
OPERATORS_A_GROUP = 25


def rows_of(path: Path) -> list[Row]:
    return [dict(cells) for _, cells in read_table(path).lines]


def write(name: str, rows: Sequence[Row]) -> None:
    """Write a table, the same bytes for the same rows."""
    page = io.StringIO()
    writer = csv.DictWriter(page, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="", compresslevel=9) as out:
        out.write(page.getvalue().encode())
    (MEASURED / f"{name}.csv.gz").write_bytes(packed.getvalue())
    print(f"{name}: {len(rows):,} rows, {len(packed.getvalue()):,} bytes")


def usable(rows: Iterable[Row]) -> list[Row]:
    """Rows of language models that are more than bounds."""
    known = readings()
    return [row for row in rows if row["tier"] != "D" and first(known, "not a language model", row["model"]) is None]


def sampled(rows: Sequence[Row], keys: Sequence[str], most: int) -> list[Row]:
    """At most so many rows of each group, evenly over the order of the file."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(tuple(row[key] for key in keys), []).append(place)
    kept = {own[k * len(own) // min(most, len(own))] for own in groups.values() for k in range(min(most, len(own)))}
    return [row for place, row in enumerate(rows) if place in kept]


def main(research: Path) -> None:
    measured, peers = research / "measured", research / "peers"
    MEASURED.mkdir(exist_ok=True)
    write("inference", usable(rows_of(measured / "inference.csv")))
    write("energy", [row for row in usable(rows_of(measured / "energy.csv")) if row["chip"] != "unknown"])
    write("training", usable(rows_of(measured / "training.csv")))
    operators = [row for row in rows_of(measured / "operators.csv") if row["tier"] != "D" and row["chip"] != "unknown"]
    write("operators", sampled(operators, ("op", "chip", "precision"), OPERATORS_A_GROUP))
    write("serving", rows_of(peers / "serving-end-to-end.csv.gz"))
    write("megatron", rows_of(peers / "megatron-training.csv"))
    for name, keys in (
        ("gemm", ("system", "dtype")), ("attention-prefill", ("system", "kv_cache_dtype")),
        ("attention-decode", ("system", "kv_cache_dtype")),
        ("collectives", ("system", "op", "num_gpus")),
    ):
        rows = rows_of(peers / f"kernel-{name}.csv.gz")
        write(name, sampled(rows, keys, KERNELS_A_GROUP if name != "collectives" else KERNELS_A_GROUP // 4))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
