"""A plan cut at a quarter: the root block before it, and blocks of the subtrees that start there.

A block is a linear programme of its own but for the columns of the root block that its rows name,
its links: orders placed above, cost of the path so far, the threshold of CVaR. It is assembled from
a problem on a small tree (the paths to its subtrees, these, and one path beside them at each split,
which keeps the splits where they are), so that the whole plan never lies in memory at once. Nothing
here knows a family of columns or rows by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.plan.lp.assemble import Program, assemble
from fabless.plan.lp.columns import Columns
from fabless.plan.lp.rows import Rows
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.information import on_tree
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, service
from fabless.plan.problem.trees import trunk
from fabless.plan.solve.compact import Compact, Links, compact
from fabless.records import Array, Tree

SMALL = 400
"""Node-quarters that a block should have: smaller subtrees share one."""
FEW = 16
"""Blocks below which subtrees share none, however small: work for several workers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """The columns and rows of some node-quarters."""

    program: Program
    node: Index
    """Node-quarter of the whole problem that each node-quarter of `program` stands for."""
    probability: Array
    """Probability of each of these node-quarters."""
    link_row: Index
    """Row of each entry of the links."""
    link_column: Index
    """Column of the root block's programme."""
    link_value: Array

    @cached_property
    def linked(self) -> Index:
        """Columns of the root block that the rows name, each once."""
        return np.unique(self.link_column)

    @cached_property
    def small(self) -> Compact:
        """The programme without what follows from the rest; its links are `linked`."""
        return compact(self.program, Links(
            row=self.link_row, column=np.searchsorted(self.linked, self.link_column),
            value=self.link_value, size=self.linked.size))


@dataclass(frozen=True, eq=False)
class Cut:
    """A tree cut before a quarter."""

    problem: PlanProblem
    table: NDArray[np.int64]
    """Ancestors of each node-quarter."""
    quarter: int
    first_child: NDArray[np.int64]
    """First child of each node-quarter; -1 at the leaves."""

    @property
    def starts(self) -> list[Index]:
        """First node-quarters of the subtrees of each block."""
        nodes, tree = np.flatnonzero(self.problem.tree.quarter == self.quarter), self.problem.tree
        wanted = int(np.count_nonzero(tree.quarter >= self.quarter) / SMALL)
        return np.array_split(nodes, min(nodes.size, max(FEW, wanted)))


def cut(problem: PlanProblem, quarter: int | None = None) -> Cut:
    """Cut the tree of a plan before `quarter` (None: at its first split).

    Raises `BadValue` for a quarter at which not every branch splits: the cost of an unbranched
    stretch is one row.
    """
    tree = problem.tree
    place = trunk(tree).size if quarter is None else quarter
    if quarter is not None:
        children = np.bincount(tree.parent[1:], minlength=tree.size)
        splits = [q for q in range(1, tree.quarters) if np.all(children[tree.quarter == q - 1] > 1)]
        if quarter not in splits:
            raise BadValue(Fault("boundary quarter", f"{quarter}",
                                 f"a quarter at which every branch splits: {splits}",
                                 "cut at one of these"))
    children = np.full(tree.size, -1, dtype=np.int64)
    below = np.arange(tree.size - 1, 0, -1)
    children[tree.parent[below]] = below
    return Cut(problem, tree.ancestors(), place, children)


def root_block(whole: Cut) -> tuple[Block, PlanProblem]:
    """The root block, and the thinned problem that it is taken from: each subtree has one path
    left.

    Every path of the thinned problem is one of the whole: where it has no plan, the whole has none.
    """
    tree = whole.problem.tree
    above = np.flatnonzero(tree.quarter < whole.quarter)
    starts = np.flatnonzero(tree.quarter == whole.quarter)
    kept = [above, *(_path_below(whole, int(node)) for node in starts)]
    probability = [tree.probability[above]]
    probability += [np.full(path.size, tree.probability[path[0]]) for path in kept[1:]]
    small, node = _restricted(whole, np.concatenate(kept), np.concatenate(probability))
    program, (columns, rows) = _assembled(small, tree.quarter[node] < whole.quarter)
    entry_rows, entry_columns = rows[program.row], columns[program.column]
    if np.any(entry_rows & ~entry_columns):
        raise ValueError("a row of the root block names a column of a later one: it would "
                         "anticipate")
    nothing = np.zeros(0, dtype=np.int64)
    return Block(program=part(program, columns, rows), node=node,
                 probability=small.tree.probability, link_row=nothing,
                 link_column=nothing, link_value=np.zeros(0)), small


def subtree_block(whole: Cut, root: Block, starts: Index) -> Block:
    """The block of the subtrees that start at the node-quarters `starts`."""
    tree = whole.problem.tree
    paths = np.unique(whole.table[starts, : whole.quarter])
    below = np.flatnonzero(np.isin(whole.table[:, whole.quarter], starts))
    kept, probability = [paths, below], [tree.probability[paths], tree.probability[below]]
    others = np.isin(tree.parent, paths)
    others[paths] = others[below] = False
    for parent in np.unique(tree.parent[others]):
        siblings = np.flatnonzero(others & (tree.parent == parent))
        beside = _path_below(whole, int(siblings[0]))
        kept.append(beside)
        probability.append(np.full(beside.size, tree.probability[siblings].sum()))
    small, node_of = _restricted(whole, np.concatenate(kept), np.concatenate(probability))
    program, (columns, rows) = _assembled(small, np.isin(node_of, below))
    linked = rows[program.row] & ~columns[program.column]
    used, place = np.unique(program.column[linked], return_inverse=True)
    names = _positions(program, used)
    local = {int(node): k for k, node in enumerate(root.node)}
    columns_above = np.array(
        [_column_above(root, family, (*position[:-1], local.get(int(node_of[position[-1]]), -1)))
         for family, position in names], dtype=np.int64)
    number = np.cumsum(rows) - 1
    return Block(program=part(program, columns, rows), node=node_of,
                 probability=small.tree.probability,
                 link_row=number[program.row[linked]],
                 link_column=columns_above[place] if used.size else used,
                 link_value=program.value[linked])


def part(program: Program, columns: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Program:
    """The programme of some columns and rows of another; entries outside of them are left out."""
    column_number = np.where(columns, np.cumsum(columns) - 1, -1)
    row_number = np.where(rows, np.cumsum(rows) - 1, -1)
    inside = columns[program.column] & rows[program.row]
    families: dict[str, Columns] = {}
    start = 0
    for name, family in program.columns.items():
        chosen = columns[start : start + family.node.size]
        start += family.node.size
        index = np.where(family.index >= 0, column_number[family.index], -1)
        families[name] = replace(family, index=index, node=family.node[chosen],
                                 lower=family.lower[chosen],
                                 upper=family.upper[chosen], cost=family.cost[chosen],
                                 unit=family.unit[chosen])
    constraints: dict[str, Rows] = {}
    start = 0
    for name, group in program.rows.items():
        chosen = rows[start : start + group.lower.size]
        start += group.lower.size
        kept = chosen[group.row] & columns[group.column]
        within = np.cumsum(chosen) - 1
        constraints[name] = replace(
            group, row=within[group.row[kept]], column=column_number[group.column[kept]],
            value=group.value[kept],
            lower=group.lower[chosen], upper=group.upper[chosen], member=group.member[chosen],
            node=group.node[chosen])
    return replace(
        program, columns=families, rows=constraints, row=row_number[program.row[inside]],
        column=column_number[program.column[inside]], value=program.value[inside],
        cost=program.cost[columns],
        lower=program.lower[columns], upper=program.upper[columns],
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows], unit=program.unit[columns])


def _restricted(whole: Cut, kept: Index, probability: Array) -> tuple[PlanProblem, Index]:
    """The problem on some node-quarters, parents among them, with the probabilities given."""
    tree = whole.problem.tree
    order = np.argsort(kept)
    node = kept[order]
    number = np.full(tree.size + 1, -1, dtype=np.int64)
    number[node] = np.arange(node.size)
    small = Tree(number[tree.parent[node]], tree.quarter[node], probability[order])
    return on_tree(whole.problem, small, node), node


def _assembled(
    small: PlanProblem, owned: NDArray[np.bool_]
) -> tuple[Program, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The programme of a small problem with its own costs alone in the offset, and which columns
    and rows are own."""
    program = assemble(small, service(small), np.where(owned, constant_costs(small), 0.0))
    columns = np.concatenate([owned[family.node] for family in program.columns.values()])
    rows = np.concatenate([owned[group.node] for group in program.rows.values()])
    return program, (columns, rows)


def _path_below(whole: Cut, node: int) -> Index:
    """Node-quarters from `node` on to the first leaf below it."""
    path = [node]
    while whole.first_child[path[-1]] >= 0:
        path.append(int(whole.first_child[path[-1]]))
    return np.array(path, dtype=np.int64)


def _positions(program: Program, used: Index) -> list[tuple[str, tuple[int, ...]]]:
    """Family and place in it of each column of `used`."""
    positions = []
    start = 0
    for name, family in program.columns.items():
        numbers = used[(used >= start) & (used < start + family.node.size)] - start
        places = np.argwhere(family.index >= 0)
        positions += [(name, tuple(int(i) for i in places[k])) for k in numbers]
        start += family.node.size
    return positions


def _column_above(root: Block, family: str, position: tuple[int, ...]) -> int:
    index = root.program.columns[family].index if family in root.program.columns else np.full(0, -1)
    number = int(index[position]) if position[-1] >= 0 and family in root.program.columns else -1
    if number < 0:
        raise ValueError(f"column {family} {position} of a subtree's rows is none of the root "
                         "block")
    return number
