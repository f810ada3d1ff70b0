"""Facts with their sources, and the files people bring: chips, models, traces.

`load` reads and checks the shipped facts; `Catalogue` shows them from an as-of date and builds
records of them.
"""

from fabless.catalogue.case.case import REFERENCE, read_case, reference_text, shipped_cases
from fabless.catalogue.case.leaks import DatedInput, leaks
from fabless.catalogue.facts.store import Catalogue, load
from fabless.catalogue.facts.text import DATA
from fabless.catalogue.files.own import Trace, embedded_trace, read_chip, read_model, read_trace, write_chip

__all__ = [
    "DATA", "REFERENCE", "Catalogue", "DatedInput", "Trace", "embedded_trace", "leaks", "load",
    "read_case", "read_chip", "read_model", "read_trace", "reference_text", "shipped_cases",
    "write_chip",
]
