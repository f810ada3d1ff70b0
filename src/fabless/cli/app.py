"""The program, and how an error leaves it."""

from __future__ import annotations

import sys

import typer

from fabless.cli.lazy import Doors
from fabless.errors import FablessError

app = typer.Typer(
    name="fabless", cls=Doors, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Buy, diversify, partner, build or acquire: what each way to AI compute costs per query, when it delivers, "
         "what can go wrong, and what to start now.",
)


@app.callback()
def program() -> None:
    """Leave all to the commands, which `lazy` lists."""


def main() -> None:
    """Run the command line; an error that the user can mend is printed without a traceback, exit code 2."""
    try:
        app()
    except FablessError as error:
        kind = "error" if len(error.faults) == 1 else f"{len(error.faults)} errors"
        print(f"{kind}:", file=sys.stderr)
        for fault in error.faults:
            print(f"  {str(fault).replace(chr(10), chr(10) + '  ')}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
