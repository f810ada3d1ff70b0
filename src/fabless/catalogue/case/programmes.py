"""Chip programmes of a case: what their parts must say of each other, and the record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from fabless.case_records import CaseNumber, Programme
from fabless.catalogue.case.schema_programme import Counts, GateName, ProgrammeSection
from fabless.errors import Fault
from fabless.records import Chip

GATES: tuple[str, ...] = get_args(GateName)
CERTAIN = (0.0, 1.0)
"""Pseudo-counts of what never fails."""
_PARTS = ("architecture", "rtl", "physical")


def programme_faults(
    name: str, section: ProgrammeSection, numbers: Mapping[str, CaseNumber]
) -> Iterator[Fault]:
    """What is wrong with a programme as a whole; the place of a fault is a dotted path of the case.

    `numbers` are those of the case that could be read.
    """
    where = f"programmes.{name}"
    yield from _end_faults(where, section)
    for key, counts in _counts(section).items():
        if counts.failed + counts.passed == 0:
            yield Fault(
                f"{where}.{key}", "failed 0, passed 0", "two counts of 0 or more, not both 0",
                "count half a case where nothing is known",
            )
    shares = [numbers[path].spread.mode for part in _PARTS if (path := f"{where}.design_shares.{part}") in numbers]
    if len(shares) == len(_PARTS) and not _is_whole(shares):
        yield Fault(
            f"{where}.design_shares", f"modes {', '.join(f'{share:g}' for share in shares)}",
            "three shares whose modes sum to 1", "for example 0.2, 0.5 and 0.3",
        )
    if section.route != "acquire":
        yield from _purchase_faults(where, section, numbers)


def programme_spec(name: str, section: ProgrammeSection, chip: Chip) -> Programme:
    """Make the record of a programme whose section has no faults."""
    return Programme(
        name=name, title=section.title, route=section.route, ways=section.ways, chip=chip, trains=section.trains,
        spin_limit=section.spin_limit, ended=CERTAIN if section.gates else _pair(section.ended),
        end_shares=(0.0, 0.0, 1.0) if section.gates else section.end_shares,
        bid_failed=_pair(section.bid_failed),
        gates={gate: (counts.failed, counts.passed) for gate, counts in section.gates.items()},
        stands_at=section.stands_at or "",
        second_ended=None if section.second is None else _pair(section.second.ended),
    )


def _pair(counts: Counts | None) -> tuple[float, float] | None:
    return None if counts is None else (counts.failed, counts.passed)


def _counts(section: ProgrammeSection) -> dict[str, Counts]:
    """Every pair of counts by its key."""
    stated = {"bid_failed": section.bid_failed, "ended": section.ended,
              "second.ended": None if section.second is None else section.second.ended}
    counts = {key: pair for key, pair in stated.items() if pair is not None}
    return counts | {f"gates.{gate}": pair for gate, pair in section.gates.items()}


def _end_faults(where: str, section: ProgrammeSection) -> Iterator[Fault]:
    """Ends are counted once: all together with the shares of where, or gate by gate."""
    for key in ("ended", "end_shares"):
        if getattr(section, key) is not None and section.gates:
            yield Fault(f"{where}.{key}", f"{key} beside gates", "gates, or ended with end_shares",
                        "take one of the two out")
    shares = section.end_shares
    if shares is not None and (len(shares) not in (3, len(GATES)) or min(shares) < 0 or not _is_whole(shares)):
        yield Fault(f"{where}.end_shares", f"{list(shares)}",
                    f"three shares of 0 or more that sum to 1, or {len(GATES)}: {', '.join(GATES)}",
                    "for example [0.3, 0.2, 0.5]")


def _purchase_faults(
    where: str, section: ProgrammeSection, numbers: Mapping[str, CaseNumber]
) -> Iterator[Fault]:
    """What only a purchase can have."""
    remedy = "take it out, or choose the route acquire"
    if section.price_path is not None:
        yield Fault(
            f"{where}.price_path", f"a price path on the route {section.route}",
            "none unless something is bought", remedy,
        )
    purchase = numbers.get(f"{where}.purchase")
    if purchase is not None and purchase.spread.high > 0:
        yield Fault(
            f"{where}.purchase", f"up to {purchase.spread.high:g} USD on the route {section.route}",
            "0 unless something is bought", remedy,
        )
    if section.bid_failed is not None and section.bid_failed.failed > 0:
        yield Fault(
            f"{where}.bid_failed",
            f"failed {section.bid_failed.failed:g} on the route {section.route}",
            "failed 0 unless something is bought", remedy,
        )


def _is_whole(shares: Sequence[float]) -> bool:
    return math.isclose(sum(shares), 1.0, abs_tol=1e-9)
