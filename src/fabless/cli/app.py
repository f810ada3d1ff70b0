"""The program, and how an error leaves it."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from fabless.cli.lazy import LazyGroup
from fabless.errors import FablessError

app = typer.Typer(
    name="fabless", cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Buy, diversify, partner, build or acquire: what each way to AI compute costs per query, "
         "when it delivers, what can go wrong, and what to start now.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fabless {version('fabless')}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[bool, typer.Option(
        "--version", help="Print the version and exit.", callback=_print_version, is_eager=True,
    )] = False,
) -> None:
    """Hold the options of the program itself; `lazy` lists its commands."""


def main() -> None:
    """Run the command line; an error that the user can mend is printed without a traceback, exit
    code 2."""
    try:
        app(prog_name="fabless")
    except FablessError as error:
        kind = "error" if len(error.faults) == 1 else f"{len(error.faults)} errors"
        print(f"{kind}:", file=sys.stderr)
        for fault in error.faults:
            print(f"  {str(fault).replace(chr(10), chr(10) + '  ')}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
