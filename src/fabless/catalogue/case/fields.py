"""The kinds of field that a case file may hold: names, words, plain numbers, and numbers with a
range and a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from fabless.records import Grade


@dataclass(frozen=True)
class Unit:
    """The unit in which a number of the case is understood when it is printed."""

    name: str
    low: float = 0.0
    """Smallest value allowed, in this unit."""
    high: float = float("inf")
    above: bool = False
    """Whether `low` itself is not allowed."""

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        name = "" if self.name == "1" else f" {self.name}"
        least = f"above {self.low:g}" if self.above else f"{self.low:g} or more"
        return f"{least}{name}" if self.high == float("inf") else f"{least}, at most {self.high:g}{name}"


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number")
    return value


def _plain_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text):
        raise ValueError("a name of letters, digits, - and _")
    return text


def _quarter(text: str) -> str:
    if not re.fullmatch(r"[12]\d{3}Q[1-4]", text):
        raise ValueError("a quarter, YYYYQ1 to YYYYQ4")
    return text


Real = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_flag)]
Whole = Annotated[int, BeforeValidator(_no_flag)]
Name = Annotated[str, AfterValidator(_plain_name)]
QuarterText = Annotated[str, AfterValidator(_quarter)]
Ways = Annotated[tuple[str, ...], Field(min_length=1)]
"""Standard ways, and those of the case's own."""
Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "mxfp8", "int8", "fp6", "fp4", "nvfp4", "mxfp4", "int4"]


class Strict(BaseModel):
    """No unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Number(Strict):
    """A number: `{low, mode, high}`, `{value}` or `{fact: entity.field}`."""

    value: Real | None = None
    low: Real | None = None
    mode: Real | None = None
    high: Real | None = None
    fact: str | None = None
    period: str | None = None
    unit: str | None = None
    scale: Literal["linear", "log"] = "linear"
    grade: Grade = Grade.ASSUMPTION
    source: str = "case"
    note: str = ""
    news: Literal["today", "gradual", "moves"] | None = None
    beyond: Real | None = Field(default=None, ge=0.0, lt=0.5)
    """Chance of a value beyond the ends; that of the case where left out."""


Share = Annotated[Number, Unit("1", 0.0, 1.0)]
Decline = Annotated[Number, Unit("1", 0.0, 0.95)]
Multiple = Annotated[Number, Unit("1", above=True)]
Month = Annotated[Number, Unit("month")]
Week = Annotated[Number, Unit("week")]
Dollar = Annotated[Number, Unit("USD")]
DollarYear = Annotated[Number, Unit("USD/year")]
Count = Annotated[Number, Unit("chip")]
