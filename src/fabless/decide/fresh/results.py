"""What the out-of-sample test says: frozen records with the statistics that fill them."""

from __future__ import annotations

from dataclasses import dataclass

from fabless.records import Band

CONFIDENT = 1.645
"""Standard errors of a one-sided 95 % limit of a normal law."""


@dataclass(frozen=True)
class Compared:
    """A number on fresh paths beside the same number on the tree."""

    fresh: float
    in_sample: float
    error: float
    """Standard error of `fresh`, and so of the difference: the tree is given."""

    @property
    def difference(self) -> float:
        """Fresh less in-sample: positive where the plan looked better than it is."""
        return self.fresh - self.in_sample


@dataclass(frozen=True)
class Gap:
    """How far the planner can be from the best policy, in the mean of the same paths."""

    paths: int
    planner_usd: float
    """Mean cost of the planner on these paths."""
    perfect_usd: float
    """Mean of the least cost of each, had it been known from the start: no policy has a lower
    expected cost."""
    error_usd: float
    """Standard error of the mean difference, path by path."""

    @property
    def mean_usd(self) -> float:
        """Mean difference: loss of the plan and the planner, and the value of perfect
        information, together."""
        return self.planner_usd - self.perfect_usd

    @property
    def upper_usd(self) -> float:
        """One-sided 95 % limit: the expected cost of plan and planner exceeds that of the best policy
        by no more."""
        return self.mean_usd + CONFIDENT * self.error_usd


@dataclass(frozen=True, kw_only=True)
class FreshTest:
    """A plan on fresh paths and on its own tree."""

    way: str
    paths: int
    seed: int
    expected_cost_usd: Compared
    cvar_usd: Compared
    objective_usd: Compared
    cost_per_query_usd: Band
    in_sample_cost_per_query_usd: Band
    shortage_probability: Compared
    """That more than the tolerated share of the compute demanded over the horizon is missing."""
    missing_share: Compared
    shortage_probability_by_year: tuple[tuple[int, Compared], ...]
    missing_share_by_year: tuple[tuple[int, Compared], ...]
    gap: Gap | None
