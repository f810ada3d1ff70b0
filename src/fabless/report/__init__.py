"""A decision made readable: terminal, HTML and JSON, all from the same formatter of numbers.

What draws decisions is loaded when it is first asked for, so that a command that prints a table
starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from fabless.report.document import as_document, as_json
from fabless.report.table import Column, print_table, say

if TYPE_CHECKING:
    from fabless.report.page.file import write_report
    from fabless.report.terminal import print_decision, print_first_look
    from fabless.report.two_ways import print_two_ways
else:
    def __getattr__(name: str) -> object:
        parts = {"print_two_ways": "two_ways", "print_decision": "terminal",
                 "print_first_look": "terminal", "write_report": "page.file"}
        if name not in parts:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{parts[name]}"), name)

__all__ = [
    "Column",
    "as_document",
    "as_json",
    "print_decision",
    "print_first_look",
    "print_table",
    "print_two_ways",
    "say",
    "write_report",
]
