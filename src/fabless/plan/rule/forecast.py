"""What paths expect of the quarters to come, as the compiled rule reads it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fabless.records import Array


class Forecast(NamedTuple):
    """What N paths expect over T quarters of L loads, O offers and G shared limits.

    The forecast of one path lacks the axis N.
    Compute is counted in chips of the one that is best for each load.
    """

    need: Array
    """(L, N, T) demand [compute]."""
    shortage: Array
    """(L, N, T) price of compute that is missing [USD]."""
    does: Array
    """(O, N, T) compute of a chip."""
    cap: Array
    """(O, N, T) most chips of an order, 0 where none may be placed."""
    price: Array
    """(O, N, T) discounted annuities of an ordered chip within the horizon [USD]."""
    running: Array
    """(O, N, T) cost of a chip in service [USD]."""
    lead: Array
    """(O, N, T) quarters to delivery as expected."""
    pools: Array
    """(G, N, T) most chips of the members of a shared limit together."""
    in_place: Array
    """(N, T) compute of the chips in place before the first order."""
    member: NDArray[np.bool_]
    """(G, O) which offers share a limit."""
    term: NDArray[np.int64]
    """(O,) quarters of service."""
    discount: Array
    """(T,)"""
