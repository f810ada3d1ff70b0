"""A decision made readable: terminal, HTML and JSON, all from the same formatter of numbers."""

from fabless.report.document import as_document, as_json
from fabless.report.html import write_report
from fabless.report.terminal import Column, print_decision, print_table, say

__all__ = ["Column", "as_document", "as_json", "print_decision", "print_table", "say", "write_report"]
