"""The open decision engine for AI compute: buy, diversify, partner, build or acquire.

    import fabless as fb

    case = fb.case("openai-2023")
    decision = fb.decide(case)
    decision.table()

A name is loaded when it is first asked for, so that importing the package costs nothing.
`__init__.pyi` tells type checkers what the names are.
"""

import sys
from importlib import import_module
from types import ModuleType

_HOMES = {
    "LLM": "records.LLM",
    "BadFile": "errors.BadFile",
    "BadValue": "errors.BadValue",
    "Case": "case_records.Case",
    "Catalogue": "catalogue.Catalogue",
    "Chip": "records.Chip",
    "Decision": "decide.Decision",
    "DoesNotFit": "errors.DoesNotFit",
    "FablessError": "errors.FablessError",
    "Leak": "errors.Leak",
    "PlanProblem": "plan.PlanProblem",
    "Quote": "quote.Quote",
    "Range": "records.Range",
    "Request": "records.Request",
    "UnknownName": "errors.UnknownName",
    "as_document": "report.as_document",
    "case": "catalogue.read_case",
    "chip_hour_cost": "tco.chip_hour_cost",
    "chip_sheet": "silicon.chip_sheet",
    "claims": "claims.rebuild",
    "decide": "decide.decide",
    "linked": "links.linked",
    "load": "catalogue.load",
    "quote": "quote.quote",
    "read_chip": "catalogue.read_chip",
    "read_model": "catalogue.read_model",
    "read_trace": "catalogue.read_trace",
    "serve": "perf.serve",
    "solve_plan": "plan.solve",
    "unit_cost": "silicon.unit_cost",
    "write_report": "report.write_report",
}
"""Public name -> the part of the package that holds it, and the name it has there."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part, _, name_there = _HOMES[name].partition(".")
    value = globals()[name] = getattr(import_module(f"{__name__}.{part}"), name_there)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package: it stays deaf to the import system where a part has the name of a function.

    `import fabless.decide` would otherwise put the module in the place of the function `decide`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
