"""Two small past cases with truths, forecasts and trends of their own."""

from __future__ import annotations

from pathlib import Path

from case_fixture import MINIMAL, edited
from fabless.case_records import Case
from fabless.catalogue.case.case import parse_case

RICH = edited(
    MINIMAL,
    ("name: minimal\ntitle: A small service", "name: rich\ntitle: A service that trains"),
    ("    unserved_price: {value: 0.01}\n", """\
    unserved_price: {value: 0.01}
    revenue: {value: 0.02}
  research:
    kind: training
    precision: bf16
    flop: {low: 1.0e+21, mode: 2.0e+21, high: 4.0e+21, scale: log}
    growth: {low: 1.1, mode: 2, high: 4, scale: log}
    utilisation: {value: 0.4}
    unserved_price: {value: 0.01}
"""),
    ("lines:\n", """\
pools:
  packaging:
    output: {value: 10000, unit: wafer/month}
    chips: {value: 20}
    growth: {low: 1.2, mode: 1.5, high: 2, scale: log}
    share: {value: 0.1}
lines:
"""),
    ("    price: {value: 30000}\n", "    price: {low: 25000, mode: 30000, high: 36000}\n"),
    ("    lead_scarce: {value: 40}\n", """\
    lead_scarce: {value: 40}
    successors: 2
    successor_first: {low: 9, mode: 12, high: 15}
    successor_gap: {low: 18, mode: 24, high: 30}
    successor_gain: {low: 1.6, mode: 2.2, high: 3, scale: log}
    successor_price: {low: 1.1, mode: 1.3, high: 1.6, scale: log}
    successor_power: {low: 1.1, mode: 1.4, high: 1.8, scale: log}
  rented:
    vendor: amd
    chip: mi250x
    how: rent
    term: 1 year
    ways: [diversify]
    first_quarter: 2023Q4
    price: {low: 2, mode: 3, high: 4}
    price_decline: {value: 0.2}
    allotment: {value: 500}
    allotment_growth: {value: 1.5}
    lead_normal: {value: 4}
    lead_scarce: {value: 13}
"""),
)
"""The smallest case with training, revenue, a pool, coming generations and a second vendor."""
TRUTHS = "quantity,date,value,low,high,unit,source,known\n"
PUBLISHED = "who,quantity,date,low,value,high,unit,source,published\n"
TRENDS = "quantity,today_low,today,today_high,growth_low,growth,growth_high,unit,source,published\n"
SAID = "A page (https://example.org/page)"


def small_case(text: str = MINIMAL) -> Case:
    """Read a case from its text."""
    return parse_case(text, "case", Path())


def truth_file(folder: Path, *rows: str, name: str = "small.truths.csv") -> Path:
    """Write truths; each row is all but source and day."""
    path = folder / name
    path.write_text(TRUTHS + "".join(f"{row},{SAID},2025-10-01\n" for row in rows))
    return path
