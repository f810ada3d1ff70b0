"""A case with inputs moved, answered at once: cases are kept prepared, and only what moves is worked
out anew.

Rough: every way planned again on the tree of the table of answers, levels by the rule of that table.
Twelve: every way planned on twelve scenarios and followed on a few fresh paths, so that dots,
chances and courses are new too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from fabless.case_moves import moved_ranges
from fabless.case_records import Case, with_ranges
from fabless.catalogue import load
from fabless.decide import DETAILS, Decision, WayResult
from fabless.decide.fresh.futures import futures_of
from fabless.decide.fresh.judge import judge, margin_of
from fabless.decide.questions.answers import LEAVES, TablePlanner, planner_of
from fabless.decide.questions.levels import Level
from fabless.decide.summarise import paired_differences, way_result
from fabless.decide.ways.choice import choose
from fabless.decide.ways.prepare import Prepared, prepare
from fabless.decide.ways.problem import draw_world
from fabless.links import case_digest, changed_case
from fabless.report.document import Plain
from fabless.report.page.data import page_data

TWELVE = replace(DETAILS["quick"], name="twelve", paths=24, checked=0)
"""How a moved case is tried: on as many scenarios as a quick answer, on fewer fresh paths."""
KEPT = 4
"""Cases kept prepared."""
SHOWN = ("ways", "futures", "pairs", "recommended", "against", "verdict", "when")
"""Parts of the page that a moved case has anew."""
_WORKED_OUT = ("programmes.", "owning.installation", "demand.load_factor")
"""Beginnings of names of numbers that `prepare` rests on."""


@dataclass
class Kept:
    """A case prepared, with what was worked out of it so far."""

    case: Case
    prepared: Prepared
    planners: dict[str, TablePlanner]
    """By digest of the decision from which levels start."""


class Moving:
    """Answers questions on moved cases."""

    def __init__(self, pool: Executor | None = None) -> None:
        self._pool = pool
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def kept(self, case: Case) -> Kept:
        """A case, prepared now or before."""
        digest = case_digest(case)
        if digest not in self._kept:
            self._kept[digest] = Kept(case, prepare(case, load(case.as_of), self._pool), {})
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(digest)
        return self._kept[digest]

    def rough(self, case: Case, changes: Mapping[str, float], base: Decision) -> dict[str, Plain]:
        """What every way comes to, as the table of answers would say it."""
        kept = self.kept(case)
        planner = kept.planners.get(base.digest)
        if planner is None:
            planner = kept.planners[base.digest] = planner_from(kept.prepared, base)
        point = {name: spread.mode for name, spread in moved_ranges(case, changes).items()}
        levels, = planner.levels([point], None)
        return {
            "level": "rough", "leaves": int(planner.usual.scenarios.tree.leaves.size),
            "recommended": min(levels, key=lambda way: levels[way].total_usd),
            "answers": {way: _answer(level) for way, level in levels.items()},
        }

    def twelve(self, case: Case, changes: Mapping[str, float], base: Decision) -> dict[str, Plain]:
        """The parts of the page that come from fresh paths."""
        assert self._pool is not None
        prepared = self._moved(case, changes)
        world = draw_world(prepared, branching=(LEAVES,))
        choice = choose(world, self._pool, gates=False)
        judged = judge(prepared, choice, TWELVE, pool=self._pool,
                       margin=margin_of(prepared, case.seed))
        pairs = paired_differences(prepared, judged)
        moved = replace(
            base, recommended=judged.best, pairs=pairs,
            strategies=tuple(way_result(prepared, judged, way) for way in choice.ways),
            futures=futures_of(prepared.case, judged.ways, judged.best))
        page = page_data(moved)
        return {"level": "twelve", "leaves": int(world.scenarios.tree.leaves.size),
                "paths": TWELVE.paths, **{name: page[name] for name in SHOWN}}

    def _moved(self, case: Case, changes: Mapping[str, float]) -> Prepared:
        ranges = moved_ranges(case, changes)
        if any(name.startswith(_WORKED_OUT) for name in ranges):
            moved = changed_case(case, changes)
            return prepare(moved, load(moved.as_of), self._pool)
        prepared = self.kept(case).prepared
        return replace(prepared, case=with_ranges(prepared.case, ranges))


def planner_from(prepared: Prepared, base: Decision) -> TablePlanner:
    """The small tree as the case stands, with levels that start from a decision."""
    return planner_of(prepared, {way.name: level_of_result(way) for way in base.strategies},
                      base.recommended)


def level_of_result(way: WayResult) -> Level:
    """What a way came to on the fresh paths of a decision."""
    return Level(
        total_usd=way.total_usd, unserved_usd=way.unserved_usd, risk_usd=way.risk_usd,
        cost_per_query_usd=way.cost_per_query_usd.p50, missing_share=way.shortage_share.mean)


def _answer(level: Level) -> dict[str, Plain]:
    return {
        "cash": level.total_usd - level.unserved_usd - level.risk_usd,
        "unserved": level.unserved_usd, "risk": level.risk_usd, "total": level.total_usd,
        "cents": level.cost_per_query_usd, "missing": level.missing_share}
