"""Published claims rebuilt from facts: what the facts give, how far off it is, which input would
have to change."""

from fabless.claims.rebuild import rebuild
from fabless.claims.results import (
    ClaimCounts,
    ClaimResult,
    ClaimsDocument,
    InputUsed,
    NeededInput,
    Published,
    claims_document,
)

__all__ = [
    "ClaimCounts",
    "ClaimResult",
    "ClaimsDocument",
    "InputUsed",
    "NeededInput",
    "Published",
    "claims_document",
    "rebuild",
]
