"""Names of the members of each family, for people who read the programme."""

from __future__ import annotations

from fabless.plan.lp.assemble import Program
from fabless.plan.problem.problem import PlanProblem


def member_names(problem: PlanProblem, family: str) -> tuple[str, ...]:
    """Names along the first axis of a variable family; none for those by node-quarter alone."""
    if family == "unmet":
        return problem.loads
    if family in ("level", "untaken"):
        return tuple(agreement.name for agreement in problem.agreements)
    if family in ("go", "start", "end"):
        return tuple(project.name for project in problem.projects)
    return problem.offers if family not in ("path cost", "tail", "threshold") else ()


def column_names(problem: PlanProblem, program: Program) -> list[str]:
    """A name for each column: ``family(member,load,node-quarter)``."""
    names = [""] * program.cost.size
    for family, part in program.columns.items():
        axes = [member_names(problem, family)] if part.index.ndim > 1 else []
        axes += [problem.loads] if part.index.ndim > 2 else []
        for place in zip(*(part.index >= 0).nonzero(), strict=True):
            labels = [axis[i] for axis, i in zip(axes, place[:-1], strict=True)]
            names[part.index[place]] = spelled(family, *labels, str(place[-1]))
    return names


def row_names(program: Program) -> list[str]:
    """A name for each row: ``family(member,node-quarter)``, and a number where a member has several
    there."""
    names: list[str] = []
    for family, part in program.rows.items():
        seen: dict[str, int] = {}
        for member, node in zip(part.member, part.node, strict=True):
            name = spelled(family, part.members[member], str(node))
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name[:-1]},{seen[name]})")
    return names


def spelled(family: str, *parts: str) -> str:
    """A name that the LP format can hold.

    >>> spelled("path cost", "a b:c", "3")
    'path_cost(a_b_c,3)'
    """
    kept = ["".join(letter if letter.isalnum() else "_" for letter in part)
            for part in (family, *parts)]
    return f"{kept[0]}({','.join(kept[1:])})"
