"""Commands that are imported when they are called, so that the program starts quickly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "cost": ("cost:cost",
             "Say what a model costs on each chip: throughput, latency, what binds, USD per token and query, energy."),
    "chip": ("chip:chip",
             "Show a chip's silicon: dies, yield, cost build-up, power, NRE, carbon, each line with its source."),
    "explore": (
        "explore:explore",
        "Find the chip design that serves a load best: the winner, the fronts, and how far the market's chips are."),
    "serve": ("serve:serve_command",
              "Find the split and batch that give most tokens a chip within the limits, and what other speeds would give."),
    "train": ("train:train",
              "Say how long a training run takes, what it costs, and which parallelism is best within memory."),
    "programme": (
        "programme:programme",
        "Say when an own chip comes, how likely, and what it costs: counted from the chip programmes known on a day."),
    "contract": ("contract:contract",
                 "Value contracts for chips beside each other: price, what is firm, what is optional, the worst case."),
    "claims": ("rebuilt:claims", "Rebuild published claims from named inputs, and say what breaks those that break."),
    "validate": ("validate:validate",
                 "Compare predictions of the performance model with published measurements, row by row."),
    "chips": ("facts:chips", "List the accelerators: what is known of each."),
    "models": ("facts:models", "List the language models."),
    "show": ("facts:show", "Show every fact of one entity."),
    "why": ("facts:why", "Say where a number comes from: value, band, grade, the day it became public, source."),
    "decide": ("decide:decide", "Compare all ways for a case, say what to start now, and write the report."),
    "init": ("decide:init", "Write a commented case to start from: the reference case."),
})
"""Name -> module and function, and the first paragraph of the help; a test holds it equal to the functions' own."""


class Door(TyperCommand):
    """Stands for a command until it is called or asked for its parameters."""

    def __init__(self, name: str, where: str, said: str) -> None:
        super().__init__(name, help=said)
        self.where = where

    @cached_property
    def real(self) -> TyperCommand:
        """The command itself."""
        module, _, function = self.where.partition(":")
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(getattr(import_module(f"fabless.cli.{module}"), function))
        command = typer.main.get_command(alone)
        assert isinstance(command, TyperCommand)
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Leave everything after the name to the command itself."""
        return self.real.make_context(info_name, args, parent, **extra)

    @property
    def params(self) -> list[Any]:
        """Parameters of the command itself."""
        return self.real.params

    @params.setter
    def params(self, given: list[Any]) -> None:
        """Take none: the command itself has them."""


class Doors(TyperGroup):
    """All commands of the program."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for name, (where, said) in COMMANDS.items():
            self.add_command(Door(name, where, said))
