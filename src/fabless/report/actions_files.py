"""The first actions as files that other programs open: a calendar (RFC 5545) and a table (CSV)."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence

from fabless.decide import Action, Decision

_LONGEST = 75
"""Bytes of a line of a calendar, its end left out (RFC 5545, 3.1)."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters with which a cell would be read as a formula."""
COLUMNS = ("start", "due", "what", "owner", "spend_usd", "amount", "unit", "stop", "stop_by", "double",
           "double_by", "delay_a_quarter_usd")


def first_actions(decision: Decision) -> tuple[Action, ...]:
    """Actions of the recommended way."""
    return next(way.actions for way in decision.strategies if way.name == decision.recommended)


def actions_calendar(decision: Decision) -> str:
    """A calendar with a day-long entry on the due date of each action, and one on the day by which
    what ends it is known, where that is another.

    The same decision gives the same bytes: entries are stamped with the as-of date of the case.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//fabless//first actions//EN"]
    for number, action in enumerate(first_actions(decision), start=1):
        what = action.what[:1].upper() + action.what[1:]
        about = (f"Owner: {action.owner}\nSpend: {action.spend_usd:,.0f} USD of {decision.price_year}\n"
                 f"Stop if: {action.stop_signal}\nDouble if: {action.double_signal}")
        lines += _entry(decision, f"{number}-due", action.due, what, about)
        if action.stop is not None and action.stop.by != action.due:
            lines += _entry(decision, f"{number}-stop", action.stop.by, f"Stop or go on: {what}", about)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _entry(decision: Decision, uid: str, day: str, summary: str, about: str) -> list[str]:
    start = dt.date.fromisoformat(day)
    stamp = dt.date.fromisoformat(decision.as_of)
    return [
        "BEGIN:VEVENT", f"UID:{decision.digest}-{uid}@fabless", f"DTSTAMP:{stamp:%Y%m%d}T000000Z",
        f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
        f"DTEND;VALUE=DATE:{start + dt.timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_calendar_text(summary)}", f"DESCRIPTION:{_calendar_text(about)}",
        "TRANSP:TRANSPARENT", "END:VEVENT",
    ]


def _calendar_text(text: str) -> str:
    r"""Text as a value of a calendar.

    >>> _calendar_text("a; b, c\nd\\e")
    'a\\; b\\, c\\nd\\\\e'
    """
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "".join(sign for sign in "\\n".join(plain.splitlines()) if sign.isprintable())


def _folded(line: str) -> str:
    """A line cut into pieces of at most 75 bytes, never within a character; each piece after the
    first begins with a space."""
    pieces, size = [""], 0
    for sign in line:
        width = len(sign.encode())
        if size + width > _LONGEST:
            pieces.append(" ")
            size = 1
        pieces[-1] += sign
        size += width
    return "\r\n".join(pieces)


def actions_table(decision: Decision) -> str:
    """The actions as CSV with a heading row; a text that a spreadsheet would read as a formula is
    written with an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for action in first_actions(decision):
        writer.writerow([_cell(value) for value in _row(action)])
    return text.getvalue()


def _row(action: Action) -> Sequence[str | float | None]:
    return (
        action.start, action.due, action.what, action.owner, round(action.spend_usd), action.amount,
        action.unit, action.stop_signal, action.stop.by if action.stop else None, action.double_signal,
        action.double.by if action.double else None, action.delay_cost_usd,
    )


def _cell(value: str | float | None) -> str:
    """A cell; numbers are numbers, also below nought.

    >>> _cell("=1+1"), _cell(-2.5), _cell(None)
    ("'=1+1", '-2.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
    return f"{value:.12g}"
