"""The open decision engine for AI compute: buy, diversify, partner, build or acquire.

    import fabless as fb

    case = fb.case("openai-2023")
    decision = fb.decide(case)
    decision.table()
"""

from fabless.catalogue import Catalogue, load, read_chip, read_model, read_trace
from fabless.catalogue import read_case as case
from fabless.claims import rebuild as claims
from fabless.decide import Decision, decide
from fabless.errors import BadFile, BadValue, DoesNotFit, FablessError, Leak, UnknownName
from fabless.perf import serve
from fabless.plan import PlanProblem
from fabless.plan import solve as solve_plan
from fabless.quote import Quote, quote
from fabless.records import LLM, Case, Chip, Range, Request
from fabless.report import as_document, write_report
from fabless.silicon import chip_sheet, unit_cost
from fabless.tco import chip_hour_cost

__all__ = [
    "LLM", "BadFile", "BadValue", "Case", "Catalogue", "Chip", "Decision", "DoesNotFit", "FablessError", "Leak",
    "PlanProblem", "Quote", "Range", "Request", "UnknownName", "as_document", "case", "chip_hour_cost", "chip_sheet",
    "claims", "decide", "load", "quote", "read_chip", "read_model", "read_trace", "serve", "solve_plan", "unit_cost",
    "write_report",
]
