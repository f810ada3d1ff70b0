"""The command line: thin doors over the same public functions."""

from fabless.cli.app import main

__all__ = ["main"]
