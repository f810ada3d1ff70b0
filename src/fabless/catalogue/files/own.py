"""The files people bring: chips (YAML), language models (config.json), request traces (CSV)."""

from fabless.catalogue.facts.text import read_text
from fabless.catalogue.files.chip import chip_from_mapping, read_chip, write_chip
from fabless.catalogue.files.trace import Trace, embedded_trace, read_trace
from fabless.catalogue.model_file import read_model

__all__ = [
    "Trace", "chip_from_mapping", "embedded_trace", "read_chip", "read_model", "read_text",
    "read_trace", "write_chip",
]
