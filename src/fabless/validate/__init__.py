"""Predicted against measured: published rows read, predicted and compared."""

from fabless.validate.measures import MEASURES, Measure, Measured, measured
from fabless.validate.results import ComparedRow, ErrorGroup, FileRead, ReasonCount, Summary, Validation
from fabless.validate.run import KEYS, STANDARD, validate
from fabless.validate.statistics import Errors

__all__ = [
           "KEYS",
           "MEASURES",
           "STANDARD",
           "ComparedRow",
           "ErrorGroup",
           "Errors",
           "FileRead",
           "Measure",
           "Measured",
           "ReasonCount",
           "Summary",
           "Validation",
           "measured",
           "validate",
]
