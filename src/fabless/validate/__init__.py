"""Predicted against measured: published rows read, predicted and compared."""

from fabless.validate.measures import MEASURES, Measure, Measured, measured
from fabless.validate.results import FileRead, Group, ReasonCount, Row, Summary, Validation
from fabless.validate.run import KEYS, STANDARD, validate
from fabless.validate.statistics import Errors

__all__ = ["KEYS", "MEASURES", "STANDARD", "Errors", "FileRead", "Group", "Measure", "Measured", "ReasonCount", "Row",
           "Summary", "Validation", "measured", "validate"]
