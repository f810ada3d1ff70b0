"""A result as plain data, ready for JSON.

Dataclasses become objects in the order of their fields, mappings are sorted, pairs get names,
quarters and dates become text, and a number that is not finite becomes null. The time a computation
took is left out: the same case, seed, digest and versions give the
same bytes.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

import numpy as np

from fabless.units import Quarter
from fabless.versions import versions

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None

_COLUMNS: dict[str, tuple[str, ...]] = {
    "cost_per_query_by_year_usd": ("year", "cost_per_query_usd"),
    "shortage_by_year": ("year", "probability", "expected_share"),
    "fleet_by_quarter": ("quarter", "offer", "chips"),
    "cost_by_quarter_usd": ("quarter", "cost_usd"),
    "demand_by_quarter": ("quarter", "queries_per_day"),
    "shortage_probability_by_year": ("year", "probability"),
    "missing_share_by_year": ("year", "share"),
    "mean_usd": ("futures", "regret_usd"),
    "prices": ("share", "saved_usd"),
    "allotments": ("share", "saved_usd"),
}
_BANDS = ("own_silicon_quarter",)
_LEFT_OUT = ("seconds",)
_DERIVED = ("evpi_usd", "vss_usd", "mean_usd", "upper_usd", "common", "agreement",
            "is_tie", "beyond", "worse")
"""Properties that are written after the fields."""


def plain_data(value: object) -> Plain:
    """Turn any result into data that JSON can hold; `TypeError` for what has no such form."""
    if value is None or (isinstance(value, (bool, str)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain_data(value.value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (dt.date, Quarter)):
        return str(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.ndarray):
        return plain_data(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain_data(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [plain_data(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_document(value)
    raise TypeError(f"{type(value).__name__} has no plain form")


def as_document(record: object) -> dict[str, Plain]:
    """Turn a result dataclass into a JSON object with its fields in order.

    Rows that the dataclass holds as tuples (quarter, offer, band) become objects with named
    members.
    """
    if not dataclasses.is_dataclass(record) or isinstance(record, type):
        raise TypeError(f"{type(record).__name__} is not a result")
    document: dict[str, Plain] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name in _LEFT_OUT:
            continue
        if field.name in _COLUMNS:
            columns = _COLUMNS[field.name]
            document[field.name] = [dict(zip(columns, map(plain_data, row), strict=True)) for row in value]
        elif field.name in _BANDS and value is not None:
            document[field.name] = dict(zip(("p10", "p50", "p90"), map(plain_data, value), strict=True))
        else:
            document[field.name] = plain_data(value)
    for name in _DERIVED:
        if isinstance(getattr(type(record), name, None), property):
            document[name] = plain_data(getattr(record, name))
    return document


def as_json(record: object) -> str:
    """Write a result as JSON text, indented, with a final newline; an object says which
    ``versions`` made it."""
    plain = plain_data(record)
    document = {**plain, "versions": plain_data(versions())} if isinstance(plain, dict) else plain
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
