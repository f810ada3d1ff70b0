"""Docstrings can be read alone: each names its subject."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fabless

SOURCE = Path(fabless.__file__).parent
LEANING = re.compile(
    r"\A(the same\b|of\b|as (in|on|if) |as `|and )|\blikewise\b|\bin the same\.?\Z|\braises as\b",
    re.IGNORECASE)
"""Beginnings and endings that lean on another docstring."""


def docstrings(module: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring of a module, those of fields and constants included."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        body = getattr(node, "body", [])
        for statement in body if isinstance(body, list) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, " ".join(value.value.split())


@pytest.mark.parametrize("text", [
    "The same in 8 bits [1].", "Of the KV cache.", "Chips that can be had, likewise [1].",
    "Compute that was demanded, in the same.", "As `ProgrammeOnTree.mode`."])
def test_a_leaning_docstring_is_noticed(text: str) -> None:
    assert LEANING.search(text)


def test_every_docstring_can_be_read_alone() -> None:
    leaning = [
        f"{module.relative_to(SOURCE)}:{line}: {text}"
        for module in sorted(SOURCE.rglob("*.py"))
        for line, text in docstrings(module)
        if LEANING.search(text)
    ]
    assert leaning == []
