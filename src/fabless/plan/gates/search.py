"""Coordinate search over contingent policies: every policy is a linear programme, warm-started from
the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fabless.plan.gates.policy import (
    Gates,
    Move,
    Policy,
    Regions,
    crossed,
    off_moves,
    on_moves,
    trimmed,
)
from fabless.plan.gates.solver import SolvedPolicy, Warm

_GAIN = 1e-9
"""Least gain, of the objective, that counts: what the solver's tolerances leave is no gain."""

@dataclass(kw_only=True, eq=False)
class Search:
    """A search under way."""

    warm: Warm
    progress: Callable[[str], None] | None
    best: SolvedPolicy
    seen: set[bytes] = field(default_factory=set)
    failed: set[tuple[int, ...]] = field(default_factory=set)
    ruled_out: int = 0

    @property
    def gates(self) -> Gates:
        """The gates of the problem."""
        return self.warm.gates

    @property
    def goal(self) -> float:
        """What a policy must beat [USD]."""
        return self.best.objective_usd - _GAIN * abs(self.best.objective_usd)

    def descend(self, first: list[Policy]) -> None:
        """Try the policies given, then move from the best one until no move helps: whole levels
        first, then each state."""
        for policy in first:
            self.tried(policy, crossing=True)
        for regions, crossing in ((self.gates.levels, True), (self.gates.regions, False)):
            self.failed.clear()
            while self._moved(regions, crossing):
                pass

    def _moved(self, regions: Regions, crossing: bool) -> bool:
        for least, (name, policy) in self._candidates(regions):
            if least >= self.goal:
                self.ruled_out += 1
            elif self.tried(policy, crossing=crossing):
                return True
            else:
                self.failed.add(name)
        return False

    def _candidates(self, regions: Regions) -> list[tuple[float, Move]]:
        """The moves from the best policy with the least that each can cost by its prices.

        Least first, those that did not help from an earlier policy last.
        """
        gates, prices, policy = self.gates, self.best.prices, self.best.policy > 0.5
        by_policy: dict[bytes, Move] = {}
        moves = (((3,), trimmed(gates, prices, policy)), *off_moves(gates, policy, regions),
                 *on_moves(gates, policy, prices, regions))
        for name, move in moves:
            by_policy.setdefault(move.tobytes(), (name, move))
        new = [move for key, move in by_policy.items()
               if key not in self.seen and gates.allows(move[1])]
        least = self._least([policy for _, policy in new])
        order = sorted(range(len(new)), key=lambda i: (new[i][0] in self.failed, least[i]))
        return [(float(least[i]), new[i]) for i in order]

    def _least(self, policies: list[Policy]) -> np.ndarray:
        """Lower bounds on the objective of policies: the duals of the best one stay feasible when
        only bounds move."""
        held = self.best.policy > 0.5
        rises, falls = self.gates.changes(held)
        prices, bounds = self.best.prices, []
        for policy in policies:
            up, down = self.gates.changes(policy)
            change = (prices.go * (policy.astype(float) - held)
                      + prices.start * (up.astype(float) - rises)
                      + prices.end * (down.astype(float) - falls))
            bounds.append(self.best.objective_usd + float(change.sum()))
        return np.array(bounds)

    def tried(self, policy: Policy, *, crossing: bool) -> bool:
        """Solve a policy, and what its prices suggest or, if crossing, its costs too. Whether the
        best one changed.

        A policy that starts or keeps something on is solved to its end, since giving it up in part
        may pay.
        """
        adds = bool((policy & (self.best.policy < 0.5)).any())
        step = self._solved(policy, np.inf if adds or crossing else self.goal)
        if step is None:
            return False
        before = self.best
        better = self._kept(step)
        if np.isfinite(step.objective_usd):
            for other in self._suggested(step, before, adds, crossing):
                trial = self._solved(other, self.goal)
                better |= trial is not None and self._kept(trial)
        return better

    def _suggested(self, step: SolvedPolicy, before: SolvedPolicy, adds: bool, crossing: bool) -> Iterator[Policy]:
        policy, held = step.policy > 0.5, before.policy > 0.5
        if adds:
            yield trimmed(self.gates, step.prices, policy)
        if crossing:
            saving = before.cost - step.cost
            ways = [*crossed(self.gates, held, policy, saving),
                    *((gain + saving.sum(), other)
                      for gain, other in crossed(self.gates, policy, held, -saving))]
            ordered = sorted(ways, key=lambda way: -way[0])
            yield from (other for gain, other in ordered if gain > 0.0)

    def _solved(self, policy: Policy, most_usd: float) -> SolvedPolicy | None:
        name = policy.tobytes()
        if name in self.seen or not self.gates.allows(policy):
            return None
        self.seen.add(name)
        return self.warm.solve(policy, most_usd)

    def _kept(self, step: SolvedPolicy) -> bool:
        if step.objective_usd >= self.goal:
            return False
        self.best = step
        if self.progress is not None:
            self.progress(f"gates: {step.objective_usd:.6g} USD after {self.warm.solves} linear "
                          "programmes")
        return True


def rounded(gates: Gates, relaxed: SolvedPolicy) -> list[Policy]:
    """Policies near a relaxation: each key's project that goes on most in each stretch, above a
    threshold."""
    policies = []
    for threshold in (0.05, 0.5):
        policy = relaxed.policy > threshold
        for key in np.unique(gates.key):
            rivals = np.flatnonzero(gates.key == key)
            first = rivals[np.argmax(relaxed.policy[rivals].sum(axis=1))]
            policy[rivals[rivals != first]] = False
        policies.append(policy)
    return policies
