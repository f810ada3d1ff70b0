"""Which layout a table has, told by its header; then its rows as measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fabless.catalogue.files.measured import Reading, Table
from fabless.errors import BadFile, Fault, suggestion
from fabless.validate import inference, kernels, serving, training
from fabless.validate.cells import Cells
from fabless.validate.measurement import Layout, Measurement

Reader = Callable[[Cells, Sequence[Reading]], list[Measurement]]


@dataclass(frozen=True)
class Form:
    """Columns that a layout must and may have, and what reads one of its rows."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Reader


FORMS: Mapping[Layout, Form] = {
    "energy": Form(inference.ENERGY_REQUIRED, inference.ENERGY_OPTIONAL, inference.read_energy),
    "inference": Form(
        inference.INFERENCE_REQUIRED, inference.INFERENCE_OPTIONAL, inference.read_inference
    ),
    "training": Form(training.REQUIRED, training.OPTIONAL, training.read_training),
    "operators": Form(
        kernels.OPERATORS_REQUIRED, kernels.OPERATORS_OPTIONAL, kernels.read_operator
    ),
    "serving": Form(serving.REQUIRED, serving.OPTIONAL, serving.read_serving),
    "gemm": Form(kernels.GEMM_REQUIRED, kernels.KERNEL_OPTIONAL, kernels.read_gemm),
    "gemm-power": Form(
        kernels.GEMM_POWER_REQUIRED, kernels.GEMM_POWER_OPTIONAL, kernels.read_gemm_power
    ),
    "attention-decode": Form(kernels.DECODE_REQUIRED, kernels.KERNEL_OPTIONAL, kernels.read_decode),
    "attention-prefill": Form(
        kernels.PREFILL_REQUIRED, kernels.KERNEL_OPTIONAL, kernels.read_prefill
    ),
    "collectives": Form(
        kernels.COLLECTIVES_REQUIRED, kernels.KERNEL_OPTIONAL, kernels.read_collective
    ),
    "megatron": Form(
        training.MEGATRON_REQUIRED, training.MEGATRON_OPTIONAL, training.read_megatron
    ),
}
"""Every layout that can be read."""


def _distance(header: set[str], form: Form) -> int:
    """Columns that are missing or unknown."""
    return len(set(form.required) - header) + len(header - {*form.required, *form.optional})


def layout_of(table: Table) -> Layout:
    """Tell the layout of a table: all its required columns are there, and no column is unknown.

    Raises `BadFile` with the nearest layout and the columns that are missing or unknown.
    """
    header = set(table.header)
    nearest = min(
        FORMS,
        key=lambda name: (_distance(header, FORMS[name]), -len(header & set(FORMS[name].required))),
    )
    form = FORMS[nearest]
    allowed = (*form.required, *form.optional)
    missing = [column for column in form.required if column not in header]
    unknown = [column for column in table.header if column not in allowed]
    if not missing and not unknown:
        return nearest
    faults = []
    if missing:
        faults.append(
            Fault(
                f"{table.name}:1",
                f"matches no layout; nearest is {nearest!r}, without column {', '.join(missing)}",
                ", ".join(allowed), "add these columns, or write the header of another layout",
            )
        )
    for column in unknown:
        near = suggestion(column, allowed, "remove the column")
        faults.append(
            Fault(
                f"{table.name}:1", f"unknown column {column!r} (layout {nearest!r})",
                ", ".join(allowed), near,
            )
        )
    raise BadFile(*faults)


def measurements(table: Table, readings: Sequence[Reading]) -> tuple[Layout, list[Measurement]]:
    """Read all rows of a table; a row with a faulty cell stays, with the reason.

    Raises `BadFile` when the header matches no layout or no row follows it.
    """
    layout = layout_of(table)
    if not table.lines:
        raise BadFile(
            Fault(
                f"{table.name}:2", "no row after the header", "at least one row",
                "give a file with rows",
            )
        )
    read = FORMS[layout].read
    return layout, [
        measurement
        for line, cells in table.lines
        for measurement in read(Cells(table.name, line, cells), readings)
    ]
