"""The space of designs for a load."""

from fabless.explore.technology import technology_of

__all__ = ["technology_of"]
