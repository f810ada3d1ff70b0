"""One name, one thing: what two modules define under one name, a reader takes for one thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import fabless

PACKAGE = Path(fabless.__file__).parent
GLOSSARY = Path(__file__).parents[1] / "docs" / "reference" / "glossary.md"
EXCEPTIONS: Mapping[str, str] = {
    "decide": "the command is named like the function that it calls",
    "explore": "the command is named like the function that it calls",
    "validate": "the command is named like the function that it calls",
}
"""Name that two modules may define -> reason."""
PROGRAMME = {
    "programme": ("Programme",),
    "programme model": ("ProgrammeModel",),
    "outcome": (
        "DrawnOutcomes", "OutcomeKind", "SimulatedOutcomes", "OutcomeChain", "OutcomeGroup",
        "OutcomeOnTree", "OutcomeView",
    ),
    "project": ("Project", "DatedProject", "ProjectPlan"),
}
"""Noun of a chip programme in each of its four states -> the classes that carry it."""


def defined(tree: ast.Module) -> Iterator[str]:
    """Classes and functions at the top of a module, also below `if` and `try`; private functions
    may repeat."""
    todo: list[ast.AST] = [tree]
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            if isinstance(node, ast.ClassDef):
                yield node.name
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if not node.name.startswith("_"):
                    yield node.name
            else:
                todo.append(node)


def homes(package: Path) -> dict[str, list[str]]:
    """Name -> the modules that define it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        for name in set(defined(ast.parse(path.read_text()))):
            found[name].append(str(path.relative_to(package)))
    return found


def repeated(package: Path) -> dict[str, list[str]]:
    return {name: modules for name, modules in homes(package).items() if len(modules) > 1}


def test_a_name_is_defined_in_one_module() -> None:
    twice = {name: modules for name, modules in repeated(PACKAGE).items() if name not in EXCEPTIONS}
    assert not twice, "\n".join(f"{name}: {', '.join(modules)}" for name, modules in sorted(twice.items()))


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_still_needed(name: str) -> None:
    assert name in repeated(PACKAGE)


def test_a_name_defined_twice_is_seen(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def serve(): ...\nclass _Job: ...\nclass Line: ...\n")
    (tmp_path / "two.py").write_text("if True:\n    def serve(): ...\nclass _Job: ...\ndef _own(): ...\n")
    (tmp_path / "six.py").write_text("def _own(): ...\ndef line():\n    class Line: ...\n")
    assert set(repeated(tmp_path)) == {"serve", "_Job"}


def rows(text: str) -> list[tuple[str, str, str]]:
    """Word, meaning and names in code of each row of the glossary; bold marks the word that a row
    explains."""
    return [(word, meaning, code) for word, meaning, code in
            re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \|$", text, flags=re.M)]


def test_each_word_of_the_glossary_has_one_row_in_the_order_of_the_alphabet() -> None:
    words = [word.casefold() for word, _, _ in rows(GLOSSARY.read_text())]
    assert len(words) > 40
    assert words == sorted(set(words))


def test_every_bold_word_of_a_meaning_has_a_row() -> None:
    table = rows(GLOSSARY.read_text())
    words = {word.casefold() for word, _, _ in table}
    used = {(word, bold) for word, meaning, _ in table for bold in re.findall(r"\*\*(.+?)\*\*", meaning)}
    lost = {(word, bold) for word, bold in used if not {bold.casefold(), bold.casefold().removesuffix("s")} & words}
    assert not lost


@pytest.mark.parametrize("state", PROGRAMME)
def test_a_programmes_state_has_one_noun(state: str) -> None:
    table = rows(GLOSSARY.read_text())
    classes = homes(PACKAGE)
    for name in PROGRAMME[state]:
        assert len(classes[name]) == 1, name
        assert [word for word, _, code in table if f"`{name}`" in code] == [state], name


def test_names_in_the_glossary_exist() -> None:
    """Classes, functions and fields that the glossary names are in the code."""
    text = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    known = set(re.findall(r"\w+", text))
    named = {
        part
        for _, _, code in rows(GLOSSARY.read_text())
        for name in re.findall(r"`([\w.]+)`", code)
        for part in name.split(".")
    }
    assert named <= known, sorted(named - known)
