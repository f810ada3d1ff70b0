"""What an error says: where, what, what is allowed, what to do; and the bounds that raise it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabless.checks import Bound, require
from fabless.errors import BadValue, FablessError, Fault, nearest_names, suggestion, unknown


def test_an_error_says_all_of_its_faults() -> None:
    error = BadValue(Fault("a.csv:2", "-1", "0 or more", "leave it out"), Fault("a.csv:3", "nan", "a number", "mend it"))
    assert [fault.place for fault in error.faults] == ["a.csv:2", "a.csv:3"]
    assert str(error).splitlines()[:3] == ["a.csv:2: -1", "  allowed: 0 or more", "  remedy:  leave it out"]
    with pytest.raises(ValueError, match="at least one fault"):
        FablessError()


@pytest.mark.parametrize(
    ("asked", "known", "found"),
    [
        (
            "h100", ["a100", "h100-sxm", "h100-pcie", "v100"], ["h100-pcie", "h100-sxm"],
        ),  # the beginning comes first
        ("mein", ["mine", "other"], ["mine"]),  # the likest
        ("tpu", ["google-tpu-v4", "trainium"], ["google-tpu-v4"]),  # part of a name
        (
            "gb", ["GB", "Gb", "kW"], ["GB", "Gb"],
        ),  # spellings that differ only in capitals are two names
        ("zzz", ["mine", "other"], []),
    ],
)
def test_the_nearest_names(asked: str, known: list[str], found: list[str]) -> None:
    assert nearest_names(asked, known)[: len(found)] == found
    assert bool(nearest_names(asked, known)) == bool(found)
    assert len(nearest_names(asked, known, 1)) <= 1


def test_an_unknown_name_suggests_or_says_what_else_to_do() -> None:
    assert suggestion("mein", ["mine"], "add it") == "did you mean mine?"
    assert suggestion("zzz", ["mine"], "add it") == "add it"
    many = [f"name-{k}" for k in range(13)]
    assert unknown("chip", "zzz", many).faults[0].allowed.startswith("13 names, for example name-0")
    assert unknown("chip", "zzz", many[:2], "case.yaml").faults[0] == Fault(
        "case.yaml", "unknown chip 'zzz'", "name-0, name-1", "choose one of the allowed names")


def test_bounds_hold_their_ends_and_every_element() -> None:
    require("call", Bound("share", [0.0, 0.5, 1.0], 0, 1, ""), Bound("alpha", math.inf, 0, math.inf, "", unbounded=True))
    with pytest.raises(BadValue) as caught:
        require(
            "call",
            Bound("open", 0.0, 0, 1, "", open_low=True),
            Bound("second", np.array([[0.1], [1.5]]), 0, 1, ""),
            Bound("nan", math.nan, 0, 1, "", unbounded=True),
            Bound("infinite", math.inf, 0, math.inf, ""),
            Bound("fine", 0.5, 0, 1, ""),
        )
    assert [(fault.place, fault.found) for fault in caught.value.faults] == [
        ("call: open", "0"), ("call: second", "1.5"), ("call: nan", "nan"),
        ("call: infinite", "inf"),
    ]
    assert caught.value.faults[0].allowed == "a number in (0, 1]"
