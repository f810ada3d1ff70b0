"""Read measured rows, predict each, and say how far off."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from fabless.catalogue.facts.names import Kind
from fabless.catalogue.facts.store import Catalogue
from fabless.catalogue.files.measured import Reading, Table, read_table, readings, shipped_tables
from fabless.errors import FablessError, unknown
from fabless.validate.inference import first
from fabless.validate.layouts import measurements
from fabless.validate.measurement import Measurement
from fabless.validate.predict import predictions
from fabless.validate.prediction import Prediction
from fabless.validate.results import ComparedRow, ErrorGroup, FileRead, ReasonCount, Summary, Validation
from fabless.validate.statistics import Errors, errors

KEYS = (
    "chip", "vendor", "model", "engine", "phase", "quantity", "metric", "tier", "precision", "mode",
    "kind", "scenario", "layout", "file",
)
"""Keys by which rows can be grouped; keys joined by + group by their combinations."""
STANDARD = (
    "chip", "vendor", "model", "engine", "phase", "metric", "tier", "precision", "mode", "kind",
    "phase+vendor",
)
"""Keys by which rows are grouped unless others are requested."""

Predict = Callable[[Sequence[Measurement], Catalogue], Sequence[Prediction]]

_NOT_STATED = "not stated"


class _Names:
    """Names of the catalogue for what files write, each looked up once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.found: dict[tuple[Kind, str], tuple[str, str]] = {}
        self.facts: dict[str, str] = {}
        self.engines: dict[str, str] = {}
        self.vendors: dict[str, str] = {}

    def resolve(self, kind: Kind, text: str) -> tuple[str, str]:
        """The catalogue's name and nothing, or the text and why there is none."""
        if (kind, text) not in self.found:
            try:
                self.found[kind, text] = (self.catalogue.resolve(kind, text), "")
            except FablessError as error:
                self.found[kind, text] = (
                    text, f"{error.faults[0].found}; {error.faults[0].remedy}",
                )
        return self.found[kind, text]

    def vendor(self, chip: str, written: str) -> str:
        """Vendor of a chip of the catalogue, else as written, in the catalogue's spelling where it
        has one."""
        if not self.vendors:
            named = (
                fact.value
                for name in self.catalogue.chips()
                for fact in self.catalogue.facts_of(name)
                if fact.field == "vendor"
            )
            self.vendors = {str(vendor).casefold(): str(vendor) for vendor in named}
        return self._of(chip, lambda: self.catalogue.chip(chip).vendor) or self.vendors.get(
            written.casefold(), written
        )

    def engine(self, written: str, known: Sequence[Reading]) -> str:
        """One name for the spellings of an engine."""
        if written not in self.engines:
            reading = first(known, "engine", written) if written else None
            self.engines[written] = reading.value if reading else written
        return self.engines[written]

    def kind(self, model: str) -> str:
        """Say whether a model of the catalogue is dense or a mixture of experts."""
        return self._of(
            model, lambda: "mixture of experts" if self.catalogue.model(model).experts else "dense"
        )

    def _of(self, name: str, ask: Callable[[], str]) -> str:
        if name not in self.facts:
            try:
                self.facts[name] = ask()
            except FablessError:
                self.facts[name] = ""
        return self.facts[name]


def _unknown(measurement: Measurement, names: _Names) -> str:
    """Why the names of a row cannot be predicted; nothing where they can."""
    for kind, text in (("chip", measurement.chip), ("model", measurement.model)):
        if text:
            why = names.resolve(kind, text)[1]  # type: ignore[arg-type]
            if why:
                near = why.removeprefix(f"unknown {kind} ")
                return f"unknown {kind}: {near} ({measurement.file}:{measurement.line}, {kind})"
    return ""


def _groups(measurement: Measurement, names: _Names, known: Sequence[Reading]) -> dict[str, str]:
    chip = names.resolve("chip", measurement.chip)[0] if measurement.chip else _NOT_STATED
    model = names.resolve("model", measurement.model)[0] if measurement.model else "-"
    return {
        "chip": chip, "vendor": names.vendor(chip, measurement.vendor) or _NOT_STATED,
        "model": model, "engine": names.engine(measurement.engine, known) or _NOT_STATED,
        "phase": measurement.phase, "quantity": measurement.quantity, "metric": measurement.metric,
        "tier": measurement.tier or _NOT_STATED,
        "precision": (
            f"{measurement.precision}, experts {measurement.expert_precision}"
            if measurement.expert_precision not in ("", measurement.precision)
            else measurement.precision
        )
        or _NOT_STATED,
        "mode": measurement.mode,
        "kind": names.kind(model) or "-" if measurement.model else "-",
        "scenario": measurement.scenario,
        "layout": measurement.layout,
        "file": Path(measurement.file).name,
    }


def _setting(measurement: Measurement) -> str:
    parts: list[tuple[str, object]] = [
        ("chips", measurement.chips), ("tp", measurement.tp),
        ("pp", measurement.pp if measurement.pp != 1 else None),
        ("attention dp", measurement.attention_dp if measurement.attention_dp != 1 else None),
        ("ep", measurement.ep if measurement.ep != 1 else None), ("batch", measurement.batch),
        ("concurrency", measurement.concurrency), ("in", measurement.input_tokens),
        ("out", measurement.output_tokens),
    ]
    if measurement.training is not None:
        parts += [
            ("batch", measurement.training.global_batch),
            ("micro-batch", measurement.training.micro_batch),
            ("seq", measurement.training.sequence),
        ]
    if measurement.kernel is not None:
        shape = (measurement.kernel.m, measurement.kernel.n, measurement.kernel.k)
        parts = [
            (measurement.kernel.op, "x".join(f"{side:g}" for side in shape if side) or None),
            ("batch", measurement.kernel.batch),
            ("new", measurement.kernel.tokens),
            ("context", measurement.kernel.context),
            ("bytes", measurement.kernel.message_bytes),
            ("chips", measurement.chips),
        ]
    said = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in parts
        if value is not None
    ]
    pools = [
        f"{name} {pool.workers or '?'} x {pool.chips} chips"
        for name, pool in (("prefill", measurement.prefill), ("decode", measurement.decode))
        if pool
    ]
    return ", ".join((measurement.precision_written or measurement.precision, *pools, *said)).strip(
        ", "
    )


def _row(measurement: Measurement, prediction: Prediction, groups: dict[str, str]) -> ComparedRow:
    value, reason = prediction.value, prediction.reason
    if value is not None and not (math.isfinite(value) and value > 0.0):
        value, reason = None, f"no finite prediction: the model gave {value!r}"
    if value is None and not reason:
        reason = "no prediction: the model gave none and no reason"
    if value is not None:
        reason = ""
    error = None if value is None or measurement.value is None else value / measurement.value - 1.0
    measured = (
        None
        if measurement.value is None
        else float(f"{measurement.value / measurement.scale:.12g}")
    )
    return ComparedRow(
        id=measurement.id, model=measurement.model, chip=measurement.chip,
        metric=measurement.metric, measured=measured,
        predicted=None if value is None else value / measurement.scale, reason=reason, error=error,
        file=measurement.file, line=measurement.line, layout=measurement.layout,
        quantity=measurement.quantity, scale=measurement.scale, groups=groups,
        setting=_setting(measurement), notes=(*measurement.notes, *prediction.notes),
    )


def _reasons(rows: Sequence[ComparedRow]) -> tuple[ReasonCount, ...]:
    by_kind: dict[str, list[str]] = {}
    for row in rows:
        if row.reason:
            by_kind.setdefault(row.reason.partition(":")[0], []).append(row.reason)
    return tuple(ReasonCount(kind, len(texts), texts[0]) for kind, texts in
                 sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0])))


def grouped(rows: Sequence[ComparedRow], keys: Sequence[str]) -> tuple[ErrorGroup, ...]:
    """Error statistics of the rows by each key, the largest group of a key first; rows without a
    value stay out."""
    groups = []
    counted = [row for row in rows if row.measured is not None]
    for key in keys:
        members: dict[str, list[ComparedRow]] = {}
        for row in counted:
            members.setdefault(", ".join(row.groups[part] for part in key.split("+")), []).append(
                row
            )
        groups += [ErrorGroup(key, name, errors_of(own)) for name, own in
                   sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))]
    return tuple(groups)


def errors_of(rows: Sequence[ComparedRow]) -> Errors:
    """Error statistics of rows that have a measured value."""
    counted = [row for row in rows if row.measured is not None]
    return errors(
        [row.measured for row in counted if row.measured is not None],
        [row.predicted for row in counted], [f"{row.quantity} {row.metric}" for row in counted],
    )


def checked_keys(keys: Sequence[str]) -> tuple[str, ...]:
    """Keys of groups as asked for; `UnknownName` with the nearest where there is none of that
    name."""
    for key in keys:
        for part in key.split("+"):
            if part not in KEYS:
                raise unknown("group", part, KEYS, "--by")
    return tuple(dict.fromkeys(keys))


def validate(
    catalogue: Catalogue, files: Sequence[Path] = (), *, by: Sequence[str] = STANDARD,
    predict: Predict = predictions,
) -> Validation:
    """Predict every row of the files, or of the tables that ship where there are none.

    Parameters: `catalogue`, the chips and models; `files`, CSV or gzip of any layout of `layouts.FORMS`; `by`, keys of
    groups; `predict`, the model. Rows that cannot be predicted stay, with the reason. Raises
    `BadFile` for a file that cannot be read or matches no layout.
    """
    known, keys = readings(), checked_keys(by)
    tables: Sequence[Table] = [read_table(path) for path in files] if files else shipped_tables()
    read, taken = [], []
    for table in tables:
        layout, rows_read = measurements(table, known)
        read.append(FileRead(table.name, layout, len(table.lines), len(rows_read)))
        taken += rows_read
    names = _Names(catalogue)
    refused = [
        m.reason or ("bad cell: no value" if m.value is None else "") or _unknown(m, names)
        for m in taken
    ]
    asked = [m for m, reason in zip(taken, refused, strict=True) if not reason]
    answers = iter(predict(asked, catalogue))
    rows = tuple(
        _row(m, Prediction(None, reason) if reason else next(answers), _groups(m, names, known))
        for m, reason in zip(taken, refused, strict=True)
    )
    faults = tuple(
        dict.fromkeys(reason for reason in refused if reason.startswith(("bad cell", "unknown ")))
    )
    return Validation(
        rows, Summary(tuple(read), errors_of(rows), _reasons(rows), faults, grouped(rows, keys))
    )
