"""How numbers are written, in sentences, on the terminal, on paper and in charts alike.

Every function takes plain floats in SI or USD and gives a short string; what is missing or not
finite is written as a dash, never as 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from fabless.records import Band
from fabless.units import from_si

MISSING = "–"
MINUS = "−"
ALIKE = 0.02
"""Relative difference from which two costs of a column must not be printed alike."""

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_ASCII = str.maketrans(
    {
        "–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "→": "->", "·": "*", "≤": "<=",
        "≥": ">=", "±": "+-", "’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ",
        "\u2009": " ",
    }
)


def ascii_only(text: str) -> str:
    """Write `text` in ASCII, for terminals whose encoding lacks symbols; a letter without a like
    becomes ``?``.

    >>> ascii_only("2026Q3–2027Q1")
    '2026Q3-2027Q1'
    """
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def significant(value: float, digits: int = 3) -> str:
    """Write a number with `digits` significant digits and no exponent, with thousands separators.

    >>> significant(0.00361), significant(26543.0), significant(1.0)
    ('0.00361', '26,543', '1.00')
    """
    if not math.isfinite(value):
        return MISSING
    if value == 0.0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    decimals = max(0, digits - 1 - magnitude)
    rounded = round(value, decimals)
    if rounded != 0.0:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}".replace("-", MINUS)


def _with_suffix(value: float, digits: int) -> str:
    for scale, suffix in _SUFFIXES:
        if abs(value) >= scale * (1.0 - 0.5 * 10.0 ** (-digits)):
            return significant(value / scale, digits) + suffix
    return significant(value, digits)


def plain(value: float) -> str:
    """Write an input as a person would type it: up to four digits, large ones with M, B or T, huge
    ones with an exponent.

    >>> plain(0.5), plain(26500.0), plain(1.93e8), plain(30.0), plain(2.15e25)
    ('0.5', '26,500', '193M', '30', '2.15e25')
    """
    if not math.isfinite(value):
        return MISSING
    if abs(value) >= 1e15:
        return f"{value:.4g}".replace("e+", "e").replace("-", MINUS)
    text = _with_suffix(value, 4) if abs(value) >= 1e6 else significant(value, 4)
    body, suffix = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "")
    if "." in body:
        body = body.rstrip("0").rstrip(".")
    return body + suffix


def usd(value: float | None) -> str:
    """Write USD with k, M, B or T and three significant digits.

    >>> usd(48.1e9), usd(999.7e6), usd(-2.5e6), usd(3.4), usd(None)
    ('$48.1B', '$1.00B', '−$2.50M', '$3.40', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    sign = MINUS if value < 0 else ""
    return f"{sign}${_with_suffix(abs(value), 3)}"


def error_usd(value: float) -> str:
    """Write a standard error: as `usd`, and $0 where it is rounding alone.

    >>> error_usd(1.5e9), error_usd(3e-7)
    ('$1.50B', '$0')
    """
    return usd(value if abs(value) >= 1.0 else 0.0)


def usd_step(size: float) -> float:
    """Smallest step in which amounts of this size are written with three significant digits [USD]:
    a power of ten, at least a cent.

    >>> usd_step(48.1e9), usd_step(7.0e6), usd_step(0.0)
    (100000000.0, 10000.0, 0.01)
    """
    return float(10.0 ** (math.floor(math.log10(max(abs(size), 1.0))) - 2))


def in_steps(parts: Sequence[float], step: float) -> list[int]:
    """Round the parts of a sum to whole steps that add up to the rounded sum: those with the
    largest remainder are rounded up.

    >>> in_steps([0.4, 0.4, 0.4], 1.0), in_steps([-1.6, 0.7], 1.0)
    ([1, 0, 0], [-2, 1])
    """
    exact = [part / step for part in parts]
    whole = [math.floor(part) for part in exact]
    more = round(math.fsum(exact)) - sum(whole)
    order = sorted(range(len(exact)), key=lambda k: (whole[k] - exact[k], k))
    for k in order[:more]:
        whole[k] += 1
    return whole


def steps_usd(steps: int, step: float) -> str:
    """Write a whole number of steps in the suffix of the step, so that a column of them lines up.

    >>> steps_usd(481, 1e8), steps_usd(-3, 1e8), steps_usd(1234, 1e7)
    ('$48.1B', '−$0.3B', '$12.34B')
    """
    reach = step * 100.0
    scale, suffix = next(
        ((scale, suffix) for scale, suffix in _SUFFIXES if reach >= scale * 0.999), (1.0, ""))
    decimals = max(0, round(math.log10(scale / step)))
    sign = MINUS if steps < 0 else ""
    return f"{sign}${abs(steps) * step / scale:,.{decimals}f}{suffix}"


def usd_parts(parts: Sequence[float]) -> tuple[list[str], str]:
    """Write the parts of a sum, and the sum, so that the parts as printed add up to the sum as
    printed: all in steps of the largest of them.

    >>> usd_parts([42.74e9, 6.14e9, 12.14e9])
    (['$42.7B', '$6.1B', '$12.2B'], '$61.0B')
    """
    total = math.fsum(parts)
    step = usd_step(max([abs(total), *map(abs, parts)], default=0.0))
    counts = in_steps(parts, step)
    return [steps_usd(k, step) for k in counts], steps_usd(sum(counts), step)


def cent_decimals(values_usd: Iterable[float]) -> int:
    """Decimals with which a column of costs in cents shows its smallest with two significant
    digits, 1 to 4; one more where two of them differ by more than `ALIKE` and would be
    printed alike.

    >>> cent_decimals([0.0031, 0.0187]), cent_decimals([0.00116, 0.00121])
    (2, 3)
    """
    sizes = sorted(abs(value) * 100.0 for value in values_usd
                   if math.isfinite(value) and value != 0.0)
    if not sizes:
        return 2
    decimals = min(4, max(1, 1 - math.floor(math.log10(sizes[0]))))
    alike = any(
        round(low, decimals) == round(high, decimals) and high > (1.0 + ALIKE) * low
        for low, high in pairwise(sizes))
    return decimals + alike


def cents(value_usd: float | None, decimals: int = 2) -> str:
    """Write a cost per query in cents, without the unit.

    >>> cents(0.0036), cents(0.04, 1)
    ('0.36', '4.0')
    """
    if value_usd is None or not math.isfinite(value_usd):
        return MISSING
    return f"{value_usd * 100.0:,.{decimals}f}".replace("-", MINUS)


def in_percent(value: float | None) -> str:
    """Write a share or probability in whole percent; what is not quite none or all says so.

    >>> in_percent(0.42), in_percent(0.001), in_percent(0.999), in_percent(0.0), in_percent(1.0)
    ('42%', '<1%', '>99%', '0%', '100%')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if 1e-9 < value < 0.005:
        return "<1%"
    if 0.995 < value < 1.0 - 1e-9:  # a sum that misses 1 by rounding is all
        return ">99%"
    return f"{value * 100.0:.0f}%"


def count(value: float | None) -> str:
    """Write a number of things: whole below ten thousand, then with k, M or B.

    >>> count(8432.4), count(45_210.0), count(2.6e9)
    ('8,432', '45.2k', '2.60B')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) < 9999.5:
        return f"{round(value):,d}".replace("-", MINUS)
    return _with_suffix(value, 3)


def listed(names: Sequence[str]) -> str:
    """Join names as in speech.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def heading(title: str) -> str:
    """Write a title at the head of a row or column: without its article, its first letter large.

    >>> heading("the own chip"), heading("H100, bought from Nvidia")
    ('Own chip', 'H100, bought from Nvidia')
    """
    bare = title.removeprefix("the ")
    return bare[:1].upper() + bare[1:]


def in_unit(value_si: float, unit: str) -> str:
    """Write an SI value as a number in `unit`, without the unit.

    >>> in_unit(80e9, "GB"), in_unit(0.3, "%")
    ('80', '30')
    """
    return plain(from_si(value_si, unit))


def with_unit(value: float, unit: str) -> str:
    """Write an input with its unit, none for a bare number.

    >>> with_unit(20.0, "% a year"), with_unit(40_000.0, "USD"), with_unit(3.0, "1")
    ('20% a year', '40,000 USD', '3')
    """
    if unit in ("", "1"):
        return plain(value)
    return f"{plain(value)}{'' if unit.startswith('%') else ' '}{unit}"


def cents_band(band: Band, decimals: int = 2) -> str:
    """Write P10 to P90 of a cost per query in cents."""
    return f"{cents(band.p10, decimals)}–{cents(band.p90, decimals)}"


def quarter_range(quarters: tuple[str, str, str] | None) -> str:
    """Write the quarter of own silicon as its median with P10 and P90; a dash where there is none.

    >>> quarter_range(("2026Q4", "2027Q3", "2029Q1"))
    '2027Q3 (2026Q4–2029Q1)'
    """
    if quarters is None:
        return MISSING
    early, median, late = quarters
    return f"{median} ({early}–{late})"


def gap(value: float) -> str:
    """Say how far a plan may be from the best there is.

    >>> gap(0.0), gap(2e-9), gap(0.00042), gap(0.031)
    ('no gap', 'no gap', 'gap 0.04%', 'gap 3.10%')
    """
    return "no gap" if value < 5e-5 else f"gap {value * 100.0:.2f}%"


def verdict(
    difference_usd: float, standard_error_usd: float, *, first: bool, tied: bool = False
) -> str:
    """Rank of a way in words: what it costs above the first, with two standard errors; a tie where
    that is within them. The first is best only where no other ties with it (`tied`).

    >>> verdict(3.1e9, 2.0e8, first=False), verdict(1.0e8, 2.0e8, first=False)
    ('+$3.10B ± $400M', 'tie (+$100M ± $400M)')
    >>> verdict(0.0, 0.0, first=True), verdict(0.0, 0.0, first=True, tied=True)
    ('best', 'first, tied')
    """
    if first:
        return "first, tied" if tied else "best"
    sign = "" if difference_usd < 0 else "+"
    amounts = f"{sign}{usd(difference_usd)} ± {error_usd(2.0 * standard_error_usd)}"
    return f"tie ({amounts})" if abs(difference_usd) <= 2.0 * standard_error_usd else amounts


def split_code(tensor: int, pipeline: int, expert: int, data: int) -> str:
    """How an instance is split, in a few letters: only the degrees above 1.

    >>> split_code(8, 2, 1, 1), split_code(1, 1, 1, 1)
    ('TP8 PP2', '1 chip')
    """
    degrees = {"TP": tensor, "PP": pipeline, "EP": expert, "DP": data}
    return " ".join(f"{name}{degree}" for name, degree in degrees.items() if degree > 1) or "1 chip"
