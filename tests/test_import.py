"""Importing the package and starting the program load only what they need."""

from __future__ import annotations

import ast
import importlib.resources
import subprocess
import sys
from pathlib import Path

import pytest

import fabless
from fabless.cli import lazy
from fabless.cli.lazy import HOMES

HEAVY = ("scipy", "highspy", "vl_convert", "jinja2", "pydantic")


def loaded(program: str) -> list[str]:
    """Heavy libraries that a program has loaded when it ends, in a process of its own."""
    told = f"\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program + told], capture_output=True, text=True, check=True)
    return done.stderr.split()


def command(*arguments: str) -> str:
    """A program that runs a command and goes on."""
    return (f"import sys\nsys.argv = {['fabless', *arguments]}\nfrom fabless.cli import main\n"
            "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code")


@pytest.mark.parametrize(
    "program",
    [
        "import fabless", "import fabless as fb\nfb.LLM\nfb.BadValue", "from fabless import perf",
        "from fabless.perf import steady_state",
    ],
)
def test_heavy_libraries_are_not_loaded(program: str) -> None:
    assert loaded(program) == []


def test_importing_the_package_loads_no_part_of_it() -> None:
    program = "import sys, fabless\nassert [name for name in sys.modules if name.startswith('fabless.')] == []"
    assert loaded(program + "\nassert 'numpy' not in sys.modules") == []


def stub() -> dict[str, str]:
    """Public name -> part and name there, as `__init__.pyi` tells type checkers."""
    tree = ast.parse(Path(fabless.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: f"{str(node.module).removeprefix('fabless.')}.{alias.name}"
             for node in imports for alias in node.names}
    public = {alias.asname: homes[alias.name] for node in imports for alias in node.names
              if alias.asname}
    renamed = {ast.unparse(node.targets[0]): homes[ast.unparse(node.value)]
               for node in tree.body if isinstance(node, ast.Assign)}
    return public | renamed


def test_lazy_names_are_those_that_type_checkers_see() -> None:
    assert stub() == fabless._HOMES
    assert set(fabless.__all__) <= set(dir(fabless))
    assert all(getattr(fabless, name) is not None for name in fabless.__all__)


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert importlib.resources.files("fabless").joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", ["decide", "claims", "quote"])
def test_a_function_stays_where_a_part_has_its_name(name: str) -> None:
    loaded(f"import fabless, fabless.{name}\nassert callable(fabless.{name})\n"
           f"from fabless import {name}\nassert callable({name})")


@pytest.mark.parametrize("arguments", [
    ("--help",), ("--version",), ("why", "h100-sxm", "memory_bandwidth"), ("models",)])
def test_small_commands_start_without_the_solvers(arguments: tuple[str, ...]) -> None:
    assert set(loaded(command(*arguments))) <= {"pydantic"}


def test_lazy_commands_say_what_their_functions_say() -> None:
    for name in HOMES:
        command = lazy.loaded(name)
        assert (command.name, command.help) == (name, lazy.help_of(name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_here"):
        getattr(fabless, "nothing_here")  # noqa: B009
