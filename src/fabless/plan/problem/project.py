"""A programme as a choice: where it may start, where it may be given up, what it costs, which
offers it opens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.plan.problem.trees import segments
from fabless.records import Array, Tree


def _free() -> Array:
    return np.zeros(())


@dataclass(frozen=True, kw_only=True, eq=False)
class Project:
    """A programme that goes on, or not, on each unbranched stretch of the tree.

    Arrays have one value per node-quarter (K,), or one for all. A programme whose outcome depends
    on its start is one project per start, all with one key in `excludes`. Faults are reported with
    those of the whole plan.
    """

    name: str
    offers: tuple[int, ...]
    """Indices of the offers that can be ordered only while it goes on."""
    start: NDArray[np.bool_]
    """Where it may start: first node-quarters of stretches (`gate_nodes`)."""
    gate: NDArray[np.bool_]
    """Where it may be given up: first node-quarters of stretches (`gate_nodes`)."""
    spend_usd: Array
    """Spend of the quarter while it goes on [USD], not discounted, 0 or more."""
    end_usd: Array = field(default_factory=_free)
    """Fee due where it is given up [USD], 0 or more."""
    excludes: str = ""
    """Key of projects of which at most one starts along a path, once; empty: the project's name."""
    known: NDArray[np.int64] | None = None
    """State of knowledge: node-quarters with one number decide alike; None: each stretch decides
    for itself."""

    @property
    def key(self) -> str:
        """What it shares with the projects that it excludes."""
        return self.excludes or self.name


def gate_nodes(tree: Tree) -> NDArray[np.bool_]:
    """Mark the first node-quarter of each unbranched stretch (K,): there news arrives, so there is
    something to decide.

    >>> from fabless.scenario import balanced_tree
    >>> gate_nodes(balanced_tree((2,), (1, 2))).tolist()
    [True, True, True, False, False]
    """
    _, first = np.unique(segments(tree), return_index=True)
    return np.isin(np.arange(tree.size), first)


def checked(
    projects: Sequence[Project], tree: Tree, offers: int, floor: Array
) -> tuple[tuple[Project, ...], list[Fault]]:
    """Give every array of the projects its full shape, and list all their faults."""
    faults: list[Fault] = []
    laid = []
    for project in projects:
        place = f"plan.projects[{project.name}]"
        full, wrong = _laid_out(project, tree.size, place)
        faults += wrong + _offers(project, offers, floor, place)
        if not wrong:
            laid.append(full)
            faults += _gates(full, tree, place)
    faults += [Fault(f"plan.projects[{name}]", f"{count} projects of this name", "each name once",
                     "rename them")
               for name, count in Counter(project.name for project in projects).items()
               if count > 1]
    keys: dict[int, set[str]] = {}
    for project in projects:
        for offer in project.offers:
            keys.setdefault(offer, set()).add(project.key)
    faults += [Fault("plan.projects",
                     f"offer {offer} in projects of the keys {', '.join(sorted(opening))}",
                     "an offer only in projects that exclude one another",
                     "give those projects the same `excludes`")
               for offer, opening in keys.items() if len(opening) > 1]
    return tuple(laid), faults


def refuse_projects(projects: Sequence[Project], what: str) -> None:
    """Raise `BadValue` if a plan that must have its gates decided has any project."""
    if projects:
        names = ", ".join(project.name for project in projects)
        raise BadValue(Fault(f"plan.projects, {what}", f"undecided projects: {names}",
                             "a plan without projects",
                             "decide the gates first: gates.search, or gates.hold with a policy"))


def _laid_out(project: Project, size: int, place: str) -> tuple[Project, list[Fault]]:
    faults: list[Fault] = []
    full: dict[str, NDArray[np.generic]] = {}
    kinds = {"start": np.bool_, "gate": np.bool_, "spend_usd": np.float64, "end_usd": np.float64,
             "known": np.int64}
    for name, kind in kinds.items():
        value = getattr(project, name)
        if value is None:
            continue
        given = np.asarray(value)
        if given.ndim and given.shape != (size,):
            faults.append(Fault(f"{place}.{name}", f"shape {given.shape}",
                                f"shape ({size},) or one value",
                                "give one value for each node-quarter of the tree, and none "
                                "outside"))
            continue
        values: NDArray[np.generic] = np.broadcast_to(given.astype(kind), (size,))
        full[name] = values
        money = np.asarray(values, dtype=float)
        fine = (np.isfinite(money) & (money >= 0)) | (kind is not np.float64)
        if not fine.all():
            bad = int(np.argmin(fine))
            faults.append(Fault(f"{place}.{name}", f"{money[bad]:g} at node-quarter {bad}",
                                "finite numbers, 0 or more",
                                "count income as a lower running cost of its offers: going on and "
                                "giving up only cost"))
    return replace(project, **full), faults  # type: ignore[arg-type]


def _offers(project: Project, offers: int, floor: Array, place: str) -> list[Fault]:
    members = project.offers
    if len(set(members)) != len(members) or not all(0 <= member < offers for member in members):
        return [Fault(f"{place}.offers", f"{members}", f"distinct indices 0 to {offers - 1}",
                      "name each offer once by its index in offers")]
    floors = np.atleast_2d(floor)
    bound = [member for member in members if np.any(floors[member % len(floors)] > 0)]
    return [Fault(f"{place}.offers", f"offer {member} has a floor", "offers without a floor",
                  "an offer that only a project opens cannot be committed to: put it into the "
                  "spend")
            for member in bound]


def _gates(project: Project, tree: Tree, place: str) -> list[Fault]:
    faults = []
    nodes = gate_nodes(tree)
    for name in ("start", "gate"):
        stray = np.flatnonzero(getattr(project, name) & ~nodes)
        if stray.size:
            faults.append(Fault(f"{place}.{name}",
                                f"node-quarter {stray[0]}, {stray.size} such in all",
                                "the root and the node-quarters right after a branching",
                                "decide where news arrives: gate_nodes(tree) marks the places"))
    if project.known is None:
        return faults
    at = np.flatnonzero(nodes)
    stretch = segments(tree)
    before = np.where(tree.parent[at] >= 0, project.known[at[stretch[tree.parent[at]]]], -1)
    shown = np.column_stack([tree.quarter[at], before, project.start[at], project.gate[at]])
    _, first, state = np.unique(project.known[at], return_index=True, return_inverse=True)
    mixed = np.flatnonzero((shown != shown[first[state]]).any(axis=1))
    if mixed.size:
        node = int(at[mixed[0]])
        faults.append(
            Fault(
                f"{place}.known",
                f"state {project.known[node]} at node-quarter {node} and elsewhere",
                "one state only where quarter, state before, start and gate are the same",
                "give two node-quarters the same number only if nothing seen so far "
                "tells them apart",
            )
        )
    return faults
