"""Commands that are imported when they are called, so that the program starts quickly."""

from __future__ import annotations

import ast
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

PANELS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "Decide": {
        "decide": "decide:decide", "compare": "compare:compare_command", "init": "decide:init",
        "report": "report:report", "web": "web:web",
    },
    "Chips and models": {
        "cost": "cost:cost", "serve": "serve:serve_command", "train": "train:train",
        "explore": "explore:explore", "chip": "chip:chip", "chips": "facts:chips",
        "models": "facts:models",
    },
    "Programmes and contracts": {
        "programme": "programme:programme", "contract": "contract:contract",
    },
    "Check": {
        "check": "check:check_command", "backtest": "backtest:backtest_command",
        "validate": "validate:validate", "claims": "rebuilt:claims", "show": "facts:show",
        "why": "facts:why",
    },
})
"""Panel of `fabless --help` -> its commands: name -> module and function."""

HOMES = {name: home for panel in PANELS.values() for name, home in panel.items()}
"""Command -> module and function, in the order in which `fabless --help` lists them."""


def loaded(name: str) -> TyperCommand:
    """Import the module of a command and make the command."""
    module, _, function = HOMES[name].partition(":")
    maker = typer.Typer(add_completion=False)
    maker.command(name)(getattr(import_module(f"fabless.cli.{module}"), function))
    command = typer.main.get_command(maker)
    assert isinstance(command, TyperCommand)
    return command


def help_of(name: str) -> str:
    """Docstring of a command, read from its source because an import would load its libraries."""
    module, _, function = HOMES[name].partition(":")
    source = pkgutil.get_data("fabless.cli", f"{module}.py")
    assert source is not None
    return next(ast.get_docstring(node) or "" for node in ast.parse(source).body
                if isinstance(node, ast.FunctionDef) and node.name == function)


class LazyGroup(TyperGroup):
    """All commands: a name and a help text each, until one is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for panel, commands in PANELS.items():
            for name in commands:
                self.add_command(TyperCommand(name, rich_help_panel=panel))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command with its help text, as lists and completions need it."""
        command = self.commands.get(cmd_name)
        if command is not None and command.help is None:
            command.help = help_of(cmd_name)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """A command that is called, with its options."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, None if name is None or command is None else loaded(name), rest
