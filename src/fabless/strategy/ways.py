"""What a way allows and what it commits to, and which ways a case offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fabless.case_records import PORTFOLIO, STANDARD_WAYS, Case, Contract, Line, OwnWay, Programme

TITLES: Mapping[str, str] = {
    "buy": "Buy: work more closely with the dominant vendor",
    "diversify": "Diversify: add second vendors and other clouds",
    "partner": "Partner: a backer's chip, or one designed together",
    "build": "Build: design an own chip",
    "acquire": "Acquire: buy a chip company",
    PORTFOLIO: "Portfolio: every line open, the best commitments taken",
}
"""Titles of the standard ways and of the portfolio."""
_NEEDS_PROGRAMME = ("partner", "build", "acquire")


@dataclass(frozen=True)
class Commitment:
    """What is entered into: lines opened and programmes started on the first day, programmes that
    may be started."""

    lines: tuple[Line, ...]
    programmes: tuple[Programme, ...]
    may_start: tuple[Programme, ...] = ()
    """Programmes that the plan may start, on the first day or later, or never."""
    contracts: tuple[Contract, ...] | None = None
    """Contracts that the plan may sign; None: every one of the case. A contract of a line that is
    not open is left out."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of a case: what it allows, and what it commits to."""

    name: str
    title: str
    """What it is, in a sentence."""
    label: str
    """What people call it in a table."""
    lines: tuple[Line, ...]
    """Lines that may be opened; one that costs something to keep open is, only if it pays."""
    contracts: tuple[Contract, ...]
    """Contracts that may be signed; every contract of a line is one of an allowed line."""
    commits: tuple[Programme, ...] = ()
    """Programmes one of which is started on the first day; none where empty."""
    may_start: tuple[Programme, ...] = ()
    """Programmes that may be started, now or later, or never."""

    @property
    def allows(self) -> tuple[frozenset[str], ...]:
        """Names of all that it allows and commits to: two ways with the same are one."""
        parts = (self.lines, self.contracts, self.commits, self.may_start)
        return tuple(frozenset(item.name for item in part) for part in parts)

    def contains(self, other: Way) -> bool:
        """Whether whatever the other may do, this way may do too."""
        lines, contracts, commits, may_start = self.allows
        theirs = other.allows
        if commits:
            programmes = bool(theirs[2]) and theirs[2] <= commits and theirs[3] <= may_start
        else:
            programmes = theirs[2] | theirs[3] <= may_start
        return theirs[0] <= lines and theirs[1] <= contracts and programmes


@dataclass(frozen=True)
class Offered:
    """The ways of a case."""

    ways: tuple[Way, ...]
    """Those that it offers, the portfolio last."""
    missing: tuple[Way, ...]
    """Standard ways that it does not offer."""
    same: tuple[tuple[Way, Way], ...]
    """Ways that allow what another one does, each with that other: one row is enough for both."""


def every_way(case: Case) -> tuple[Way, ...]:
    """The standard ways, those of the case's own, and the portfolio, whether offered or not."""
    standard = (_standard(case, name) for name in STANDARD_WAYS)
    portfolio = Way(
        name=PORTFOLIO, title=TITLES[PORTFOLIO], label=PORTFOLIO, lines=case.lines,
        contracts=_open(case.contracts, case.lines), may_start=case.programmes)
    return (*standard, *(_own(case, item) for item in case.ways), portfolio)


def offered(case: Case) -> Offered:
    """Which ways a case offers: the standard ones with something in them, and those of its own.

    A way that commits to a programme needs one that names it, every way a line, a contract or a
    programme; diversifying needs something that buying has not. Of ways that allow the same the
    first stands.
    """
    ways: list[Way] = []
    missing: list[Way] = []
    same: list[tuple[Way, Way]] = []
    for way in every_way(case):
        twin = next((other for other in ways if other.allows == way.allows), None)
        without = way.name in _NEEDS_PROGRAMME and not way.commits
        if without or not any(way.allows) or (twin is not None and way.name == "diversify"):
            missing.append(way)
        elif twin is not None:
            same.append((way, twin))
        else:
            ways.append(way)
    return Offered(tuple(ways), tuple(missing), tuple(same))


def commitments(case: Case, name: str) -> tuple[Commitment, ...]:
    """The commitments of a way with every line that it allows open, one for each programme that it
    may commit to."""
    way = next(way for way in every_way(case) if way.name == name)
    choices: list[tuple[Programme, ...]] = [(item,) for item in way.commits] or [()]
    return tuple(
        Commitment(way.lines, started, may_start=way.may_start, contracts=way.contracts)
        for started in choices
    )


def way_labels(case: Case) -> dict[str, str]:
    """What people call each way, by its key."""
    return {way.name: way.label for way in every_way(case)}


def _standard(case: Case, name: str) -> Way:
    lines = tuple(line for line in case.lines if name in line.ways)
    return Way(
        name=name, title=TITLES[name], label=name, lines=lines,
        contracts=_open((item for item in case.contracts if name in item.ways), lines),
        commits=tuple(item for item in case.programmes if name in item.ways))


def _own(case: Case, stated: OwnWay) -> Way:
    lines = tuple(line for line in case.lines if line.name in stated.lines)
    label = stated.title or stated.name.replace("-", " ").replace("_", " ")
    return Way(
        name=stated.name, title=stated.title or label, label=label, lines=lines,
        contracts=_open((item for item in case.contracts if item.name in stated.contracts), lines),
        commits=tuple(item for item in case.programmes if item.name in stated.commits),
        may_start=tuple(item for item in case.programmes if item.name in stated.may_start))


def _open(contracts: Iterable[Contract], lines: Sequence[Line]) -> tuple[Contract, ...]:
    """Contracts of a line that is among `lines`, and those that need none."""
    names = {line.name for line in lines}
    return tuple(item for item in contracts if item.line is None or item.line in names)
