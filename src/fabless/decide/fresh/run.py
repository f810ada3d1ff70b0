"""The out-of-sample test: what a plan costs on paths that were not in the tree on which it was
optimised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from difflib import get_close_matches

import numpy as np

from fabless.case_records import named
from fabless.decide.fresh.block import BLOCK, FreshBlock, PathNumbers, condensed, joined_numbers, work
from fabless.decide.fresh.judge import gap_of, margin_of, perfect_information
from fabless.decide.fresh.on_paths import WayOnPaths, joined, standard_error
from fabless.decide.fresh.planned import blocks_of, carried_out, tried
from fabless.decide.fresh.results import Compared, FreshTest, Gap
from fabless.decide.ways.paths import band, calendar
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.errors import BadValue, Fault
from fabless.plan.problem.costs import risk_adjusted, tail_by_path
from fabless.records import Array


def fresh_test(
    prepared: Prepared,
    solved: SolvedWay,
    *,
    paths: int = 100,
    branches: int = 2,
    seed: int | None = None,
    checked: int = 100,
    executor: Executor | None = None,
) -> FreshTest:
    """Try a solved plan on fresh paths, planned again every quarter.

    The orders of the first quarter are the plan's, later ones those of the planner
    (`fabless.decide.fresh.planned`), who knows of a path what it has shown so far. `paths` are
    drawn by the law of the case with streams of `seed` (default: the case's) that no tree uses;
    `branches` of an outlook are one, or two by the supply regime of the next quarter; `checked` of
    the paths are also planned with perfect information. The same paths, seed and plan give the same
    numbers, whatever the `executor`. Raises `BadValue` for too few paths.
    """
    seed = prepared.case.seed if seed is None else seed
    _check(paths, checked)
    blocks = blocks_of(prepared, [tried(solved)], paths=paths, seed=seed, branches=branches,
                       margin=margin_of(prepared, seed))
    parts = map(carried_out, blocks) if executor is None else executor.map(carried_out, blocks)
    way = joined([of_block[0] for of_block, _ in parts])
    perfect = perfect_information(prepared, solved, paths=paths, checked=checked, seed=seed)
    return as_fresh_test(prepared, solved, way, seed=seed, gap=gap_of(way, perfect))


def rule_costs(
    prepared: Prepared,
    solved: SolvedWay,
    *,
    paths: int,
    seed: int | None = None,
    values: Mapping[str, Array] | None = None,
    checked: int = 0,
    executor: Executor | None = None,
    progress: Callable[[str], None] | None = None,
) -> PathNumbers:
    """Cost, cost per query and missing shares of every fresh path, with the numbers that were drawn
    for it.

    `values` (paths,) [SI] take the place of the draws of some numbers from the first quarter in which
    they are known to the end; all else is drawn as without them. Of a programme they move prices, allotments and
    gains of its chip, not its dates, which are drawn from its own simulation. `checked` is that of
    `fresh_test`. Raises `BadValue` for unknown names and wrong shapes, all at once.
    """
    seed = prepared.case.seed if seed is None else seed
    _check(paths, checked)
    _check_values(prepared, paths, values or {})
    return _worked(
        prepared, solved, paths, seed=seed, executor=executor, progress=progress, checked=checked,
        values=values,
    )


def _worked(
    prepared: Prepared, solved: SolvedWay, paths: int, seed: int, executor: Executor | None,
    progress: Callable[[str], None] | None, checked: int, values: Mapping[str, Array] | None = None,
) -> PathNumbers:
    blocks = list(_blocks(prepared, solved, paths, seed=seed, checked=checked, values=values))
    done: list[PathNumbers] = []
    for part in map(work, blocks) if executor is None else executor.map(work, blocks):
        done.append(part)
        if progress is not None:
            progress(
                f"fresh paths of {solved.name}: {sum(len(item.cost_usd) for item in done):,} of {paths:,}"
            )
    return joined_numbers(done)


def _blocks(
    prepared: Prepared, solved: SolvedWay, paths: int, seed: int, checked: int,
    values: Mapping[str, Array] | None,
) -> Iterator[FreshBlock]:
    """Blocks of `BLOCK` paths; the paths to check are spread over them as evenly as can be."""
    count = -(-paths // BLOCK)
    for number in range(count):
        rows = slice(number * BLOCK, min((number + 1) * BLOCK, paths))
        size = rows.stop - rows.start
        given = (
            None
            if values is None
            else {name: np.asarray(value, dtype=float)[rows] for name, value in values.items()}
        )
        to_check = min(checked * (number + 1) // count - checked * number // count, size)
        yield FreshBlock(
            prepared=prepared, commitment=solved.plan.commitment, policy=solved.policy,
            planned=solved.plan.problem, result=solved.result, number=number, count=size, seed=seed,
            checked=to_check, given=given)


def as_fresh_test(
    prepared: Prepared, solved: SolvedWay, way: WayOnPaths, *, seed: int, gap: Gap | None = None
) -> FreshTest:
    """Condense what a way comes to on fresh paths and set the same of the plan's own tree beside
    it."""
    case, problem = prepared.case, solved.plan.problem
    count = way.cost_usd.size
    tree = condensed(case, solved.plan, solved.result)
    weight = problem.tree.probability[problem.tree.leaves]
    equal = np.full(count, 1.0 / count)
    objective, mean, worst = risk_adjusted(problem, way.cost_usd, equal)
    sample_objective, sample_mean, sample_worst = risk_adjusted(
        problem, solved.result.path_cost_usd, weight
    )
    above = tail_by_path(way.cost_usd, problem.cvar_level)
    risk = problem.cvar_weight

    def share(fresh: Array, sample: Array) -> Compared:
        return Compared(float(fresh.mean()), float(sample @ weight), standard_error(fresh))

    def short(fresh: Array, sample: Array) -> Compared:
        return share(
            _above(fresh, case.tolerated_shortage), _above(sample, case.tolerated_shortage)
        )

    by_year, sampled_by_year = way.missing_by_year(case).T, tree["missing_by_year"].T
    years = [year for year, _ in calendar(case)]
    return FreshTest(
        way=solved.name, paths=count, seed=seed,
        expected_cost_usd=Compared(mean, sample_mean, standard_error(way.cost_usd)),
        cvar_usd=Compared(worst, sample_worst, standard_error(above)),
        objective_usd=Compared(
            objective, sample_objective,
            standard_error((1.0 - risk) * way.cost_usd + risk * above)
        ),
        cost_per_query_usd=band(way.query_cost_usd, equal),
        in_sample_cost_per_query_usd=band(tree["query_cost_usd"], weight),
        shortage_probability=short(way.missing_share, tree["missing"]),
        missing_share=share(way.missing_share, tree["missing"]),
        shortage_probability_by_year=tuple(
            (year, short(fresh, sample))
            for year, fresh, sample in zip(years, by_year, sampled_by_year, strict=True)
        ),
        missing_share_by_year=tuple(
            (year, share(fresh, sample))
            for year, fresh, sample in zip(years, by_year, sampled_by_year, strict=True)
        ),
        gap=gap,
    )


def _above(values: Array, limit: float) -> Array:
    return np.asarray(values > limit, dtype=np.float64)


def _check(paths: int, checked: int) -> None:
    faults = []
    if paths < 2:
        faults.append(Fault("paths", str(paths), "2 or more", "ask for some thousand fresh paths"))
    if not 0 <= checked <= paths:
        faults.append(
            Fault(
                "checked", str(checked), f"0 to {paths}, the number of paths", "check fewer paths"
            )
        )
    if faults:
        raise BadValue(*faults)


def _check_values(prepared: Prepared, paths: int, values: Mapping[str, Array]) -> None:
    faults, known = [], named(prepared.case.numbers)
    for name, series in values.items():
        if name not in known:
            near = ", ".join(get_close_matches(name, known, 3)) or "see the numbers of the case"
            faults.append(
                Fault(
                    f"values[{name}]", "no number of the case", "a number of the case",
                    f"perhaps {near}",
                )
            )
        elif np.shape(series) != (paths,) or not np.all(np.isfinite(series)):
            faults.append(
                Fault(
                    f"values[{name}]", f"shape {np.shape(series)}",
                    f"{paths} finite values, one a path [SI]", "give one value for each path",
                )
            )
    if faults:
        raise BadValue(*faults)
