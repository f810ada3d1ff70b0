"""A contract as the plan sees it: signed at some level once, drawn on for a while."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fabless.errors import Fault
from fabless.plan.problem.numbers import faults_of
from fabless.records import Array


def _nothing() -> Array:
    return np.zeros(())


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """The right, and in part the duty, to order chips of some offers for a tenor after it is
    signed.

    Orders of `offers` are draws: such an offer cannot be ordered otherwise, and where several
    agreements name it, each must have room (wafers, packages and memory of one chip). Two ways to
    get the same chip are two offers. Arrays by node-quarter are (K,) or one number; a level is in
    units of the agreement.
    """

    name: str
    offers: tuple[int, ...]
    """Indices of the offers whose orders draw on it."""
    most: Array
    """(tenor,) most units drawn in each quarter since its start, per unit of level."""
    least: Array = field(default_factory=_nothing)
    """(tenor,) or one number: least units drawn, per unit of level; what is not drawn costs
    `untaken_usd`."""
    sign: NDArray[np.bool_] = field(default_factory=lambda: np.array(True))
    """(K,) whether it may be signed there."""
    level_cap: Array = field(default_factory=lambda: np.array(np.inf))
    """(K,) most units signed there, inf allowed."""
    level_floor: Array = field(default_factory=_nothing)
    """(K,) least units signed there: a contract already signed."""
    start_quarters: NDArray[np.int64] = field(default_factory=lambda: np.array(0))
    """(K,) quarters from the signing there to the first draw."""
    fee_usd: Array = field(default_factory=_nothing)
    """(K,) due at the signing, per unit of level [USD]; counts in the cash budget."""
    untaken_usd: Array = field(default_factory=_nothing)
    """(K,) due per unit below the least draw [USD]."""


_BY_NODE = ("sign", "level_cap", "level_floor", "start_quarters", "fee_usd", "untaken_usd")


def completed(agreement: Agreement, offers: int, size: int) -> tuple[Agreement, list[Fault]]:
    """Lay the arrays of an agreement out in full, and report what is wrong with it."""
    place = f"plan.agreements[{agreement.name}]"
    tenor = np.asarray(agreement.most).size
    shapes = dict.fromkeys(_BY_NODE, (size,)) | {"most": (tenor,), "least": (tenor,)}
    faults: list[Fault] = []
    full: dict[str, NDArray[np.generic]] = {}
    for name, shape in shapes.items():
        kind = {"sign": np.bool_, "start_quarters": np.int64}.get(name, np.float64)
        given = np.asarray(getattr(agreement, name))
        if given.ndim and given.shape != shape:
            faults.append(Fault(f"{place}.{name}", f"shape {given.shape}",
                                f"shape {shape} or one number",
                                "give one number for each of them"))
            continue
        faults += faults_of(f"{place}.{name}", given, may_be_infinite=name == "level_cap")
        full[name] = np.broadcast_to(given.astype(kind), shape)
    members = agreement.offers
    inside = all(0 <= member < offers for member in members)
    if not members or len(set(members)) != len(members) or not inside:
        faults.append(Fault(f"{place}.offers", f"{members}",
                            f"distinct indices 0 to {offers - 1}, one at least",
                            "name each offer once by its index in offers"))
    laid = replace(agreement, **full)  # type: ignore[arg-type]
    if faults:
        return laid, faults
    if tenor == 0:
        faults.append(Fault(f"{place}.most", "no quarter", "one quarter or more",
                            "give the draws of each quarter"))
    if np.any(laid.least > laid.most):
        faults.append(Fault(f"{place}.least", "more than the most that may be drawn",
                            "least <= most in each quarter",
                            "lower the least draw"))
    if np.any(laid.level_floor > np.where(laid.sign, laid.level_cap, 0.0)):
        faults.append(Fault(f"{place}.level_floor", "more than can be signed there",
                            "level_floor <= level_cap where sign "
                            "is true, else 0", "raise level_cap, or lower the floor"))
    return laid, faults


def by_node(agreements: tuple[Agreement, ...], name: str, size: int) -> Array:
    """Stack a field of the agreements that is given by node-quarter, (agreements, K)."""
    stacked = np.array([getattr(agreement, name) for agreement in agreements], dtype=float)
    return stacked.reshape(len(agreements), size)
