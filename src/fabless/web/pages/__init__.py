"""Pages beside the first: compare, query, chip, facts. Each is a form that works without scripts
and a call of the API that gives the same answer as data."""

from fabless.web.pages.chip import chip_router
from fabless.web.pages.compare import compare_router
from fabless.web.pages.facts import facts_router
from fabless.web.pages.query import query_router

__all__ = ["chip_router", "compare_router", "facts_router", "query_router"]
