"""One golden LP for each family of variables and constraints, each a file that a person can check
by eye.

A golden file changes only with the mathematics. To write them again: ``python
tests/test_plan_golden.py``, then read the difference.
"""

from __future__ import annotations

from pathlib import Path

import highspy
import pytest

from fabless.plan import solve, write_lp
from fabless.plan.lp import rows
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from plan_checks import FAMILIES, golden_faults, golden_path, written
from plan_oracle import random_problem


@pytest.mark.parametrize("name", FAMILIES)
def test_golden_lp(name: str) -> None:
    assert golden_faults(name) == []


def test_every_family_has_a_golden_lp() -> None:
    """Families of gates have their own tests."""
    shown: set[str] = set()
    for problem in FAMILIES.values():
        program = assemble(problem, service(problem), constant_costs(problem))
        shown |= {name for name, part in program.rows.items() if part.lower.size}
        shown |= {name for name, part in program.columns.items() if part.node.size}
    program = assemble(random_problem(1), service(random_problem(1)), constant_costs(random_problem(1)))
    assert shown == set(program.rows) | set(program.columns)
    assert all(isinstance(part, rows.Rows) for part in program.rows.values())


@pytest.mark.parametrize("seed", [0, 1])
def test_another_reader_finds_the_same_optimum(seed: int, tmp_path: Path) -> None:
    """HiGHS reads the file as text."""
    problem = random_problem(seed)
    path = tmp_path / "plan.lp"
    write_lp(problem, path)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(path)) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getInfo().objective_function_value == pytest.approx(solve(problem).objective_usd, rel=1e-7)


if __name__ == "__main__":
    for family in FAMILIES:
        golden_path(family).write_text(written(family))
