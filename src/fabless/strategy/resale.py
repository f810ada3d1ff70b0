"""What a bought chip brings when it is sold before the end of its life."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabless.records import Array
from fabless.strategy.contracts import ContractOffer
from fabless.strategy.offers import Offer


def resale_annuities(
    share: Array | None, offers: Sequence[Offer], contracts: Sequence[ContractOffer]
) -> dict[str, Array]:
    """Income of a chip sold early, in each quarter of its life left, by offer (K,) [USD].

        resale(o,k) = share(k) x annuity of a new chip of the offer at k

    Parameters: `share` (K,) of that annuity, None where chips are kept to the end of their life;
    `offers`, those of lines and of contracts; `contracts`. A chip drawn under a contract brings
    what its line's chip brings: a buyer pays the market's price, not the contract's; a contract
    without a line knows no such price. Rented chips are not the company's to sell, and a chip made
    for the company alone finds no buyer. Offers without a resale have no entry.

    >>> resale_annuities(None, (), ())
    {}
    """
    if share is None:
        return {}
    line = {item.offer.name: item.contract.line for item in contracts}
    new = {offer.name: offer for offer in offers}
    sold = {offer.name: new.get(line.get(offer.name, offer.name) or "")
            for offer in offers if offer.owned}
    return {name: np.asarray(share * market.capital_usd)
            for name, market in sold.items() if market is not None}
