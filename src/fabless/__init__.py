"""The open decision engine for AI compute: buy, diversify, partner, build or acquire.

    import fabless as fb

    case = fb.case("openai-2023")
    decision = fb.decide(case)
    decision.table()

A name is loaded when it is first asked for, so that importing the package costs nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabless.case_records import Case
    from fabless.catalogue import Catalogue, load, read_chip, read_model, read_trace
    from fabless.catalogue import read_case as case
    from fabless.claims import rebuild as claims
    from fabless.decide import Decision, decide
    from fabless.errors import BadFile, BadValue, DoesNotFit, FablessError, Leak, UnknownName
    from fabless.perf import serve
    from fabless.plan import PlanProblem
    from fabless.plan import solve as solve_plan
    from fabless.quote import Quote, quote
    from fabless.records import LLM, Chip, Range, Request
    from fabless.report import as_document, write_report
    from fabless.silicon import chip_sheet, unit_cost
    from fabless.tco import chip_hour_cost

__all__ = [
    "LLM", "BadFile", "BadValue", "Case", "Catalogue", "Chip", "Decision", "DoesNotFit", "FablessError", "Leak",
    "PlanProblem", "Quote", "Range", "Request", "UnknownName", "as_document", "case", "chip_hour_cost", "chip_sheet",
    "claims", "decide", "load", "quote", "read_chip", "read_model", "read_trace", "serve", "solve_plan", "unit_cost",
    "write_report",
]

_HOME = {
    name: part for part, names in {
        "catalogue": ("Catalogue", "case", "load", "read_chip", "read_model", "read_trace"),
        "claims": ("claims",),
        "decide": ("Decision", "decide"),
        "errors": ("BadFile", "BadValue", "DoesNotFit", "FablessError", "Leak", "UnknownName"),
        "perf": ("serve",),
        "plan": ("PlanProblem", "solve_plan"),
        "quote": ("Quote", "quote"),
        "case_records": ("Case",),
        "records": ("LLM", "Chip", "Range", "Request"),
        "report": ("as_document", "write_report"),
        "silicon": ("chip_sheet", "unit_cost"),
        "tco": ("chip_hour_cost",),
    }.items() for name in names
}
"""Public name -> the part of the package that it is loaded from; a test holds it equal to the imports above."""
_NAME_THERE = {"case": "read_case", "claims": "rebuild", "solve_plan": "solve"}
"""Public name -> the name it has in that part, where it is another one."""


class _Package(ModuleType):
    """This package: public names are loaded on demand, and stay where a part of the package has the same name."""

    def __getattr__(self, name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        value = getattr(import_module(f"{self.__name__}.{_HOME[name]}"), _NAME_THERE.get(name, name))
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless the import system puts the module `decide` in place of the function `decide`."""
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
