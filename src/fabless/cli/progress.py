"""Progress on the error stream, so that output can be piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def shown() -> Iterator[Callable[[str], None]]:
    """Give a function that shows what is under way: a spinner on a terminal, a line each
    elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: console.print(f"... {text}", highlight=False, markup=False, soft_wrap=True)
        return
    with console.status("") as status:
        yield lambda text: status.update(text)
