"""How calls and records read: names beside values wherever there are many of them."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import fabless

ROOT = Path(fabless.__file__).parent
MOST_POSITIONAL = 5
"""Positional arguments of one call to the package's own functions and records."""
MOST_UNNAMED_FIELDS = 3
"""Fields that a record of more than five takes by position."""
BY_POSITION = {
    "Bound": "one line of a list of bounds: name, value, low, high, remedy",
    "Die": "an area; all else is rarely stated",
}
"""Records of more than five fields that are clear without names -> why."""
PATHS = sorted(path for path in ROOT.rglob("*.py") if path.name != "__main__.py")
STANDING = {"here", "mine", "does", "told", "found", "one"}
"""Names that say where an object stands, not what it holds."""
FAULT_PARTS = {"allowed", "remedy"}
"""Parameters beside which `found` is the part of a `Fault` that says what stood there."""


def module_of(path: Path) -> str:
    """Dotted name of a file of the package."""
    parts = ("fabless", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def defined(tree: ast.Module) -> dict[str, bool]:
    """Functions and classes of a file -> whether each takes any number of arguments."""
    return {node.name: isinstance(node, ast.FunctionDef) and node.args.vararg is not None
            for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def foreign(tree: ast.Module) -> set[str]:
    """Modules of others that a file imports."""
    return {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
            for alias in node.names if not alias.name.startswith("fabless")}


def long_calls(tree: ast.Module, known: dict[str, bool]) -> Iterator[tuple[int, str, int]]:
    """Line, name and positional arguments of calls to functions and records of the package that
    have too many."""
    names, others = known | defined(tree), foreign(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) <= MOST_POSITIONAL:
            continue
        of_others = (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and (node.func.value.id in others)
        )
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if not of_others and called in names and not names[called]:
            yield node.lineno, called, len(node.args)


def test_no_call_has_many_positional_arguments() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PATHS}
    known = {name: free for tree in trees.values() for name, free in defined(tree).items()}
    assert [(str(path.relative_to(ROOT)), *call) for path in PATHS for call in long_calls(trees[path], known)] == []
    written = ast.parse("import os\ndef f(a, b, c, d, e, g): ...\nf(1, 2, 3, 4, 5, 6)\nos.f(1, 2, 3, 4, 5, 6)")
    assert list(long_calls(written, {})) == [(3, "f", 6)]


def records(path: Path) -> Iterator[type]:
    """Records that a file defines."""
    module = importlib.import_module(module_of(path))
    for value in vars(module).values():
        if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__:
            yield value


@pytest.mark.parametrize("path", PATHS, ids=module_of)
def test_a_record_of_many_fields_takes_them_by_name(path: Path) -> None:
    for record in records(path):
        if record.__name__ in BY_POSITION or record.__init__.__qualname__ != f"{record.__qualname__}.__init__":
            continue
        unnamed = [part.name for part in fields(record) if part.init and not part.kw_only]
        assert len(fields(record)) <= 5 or len(unnamed) <= MOST_UNNAMED_FIELDS, f"{record.__qualname__}: {unnamed}"


def standing_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of parameters and assigned locals that are called by one of `STANDING`; the
    fields of a class are not locals."""
    fields_of_classes = {
        id(line.target) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
        for line in node.body if isinstance(line, ast.AnnAssign)
    }
    passed_on = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.arguments)
        for part in node.args
        if part.arg == "found" and FAULT_PARTS & {other.arg for other in node.args}
    }
    for node in ast.walk(tree):
        if id(node) in fields_of_classes | passed_on:
            continue
        if isinstance(node, ast.arg) and node.arg in STANDING:
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in STANDING:
            yield node.lineno, node.id


@pytest.mark.parametrize("path", PATHS, ids=module_of)
def test_a_local_says_what_it_holds(path: Path) -> None:
    assert list(standing_names(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_standing_names_are_noticed_wherever_they_are_bound() -> None:
    written = """
class Fault:
    found: str
def fault(found, allowed): ...
def f(found):
    here = [one for one in found]
    for mine in here: ...
    return lambda told: (does := told)
"""
    assert sorted(standing_names(ast.parse(written))) == [
        (5, "found"), (6, "here"), (6, "one"), (7, "mine"), (8, "does"), (8, "told"),
    ]
