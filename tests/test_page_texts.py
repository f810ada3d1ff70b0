"""Sentences by language: templates, what they take, and that every one asked for is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fabless.errors import UnknownName
from fabless.report import page
from fabless.report.page.texts import fill, languages, load_texts, places_of, said

ROOT = Path(page.__file__).parent
TEXTS = load_texts()
FAMILIES = {
    "amount_": 3, "month_": 12, "action_buy_": 4, "action_rent_": 4, "verdict_": 6, "chance_": 5,
    "sure_first_": 5, "service_": 6, "own_": 8, "start_": 7, "way_buy_": 3, "future_high_": 2,
    "flip_": 3, "bridge_": 7, "fixed_": 4, "spend_": 2, "try_": 6, "in_": 10, "input_": 30,
}
"""Beginning of keys that are put together, and the fewest templates that it must have."""


def asked_keys(tree: ast.Module) -> set[str]:
    """Keys of texts that a module names in full: `texts["key"]` and `said(texts, "key", ...)`."""
    keys: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and (
                node.value.id == "texts" and isinstance(node.slice, ast.Constant)):
            keys.add(str(node.slice.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (
                node.func.id == "said" and isinstance(node.args[1], ast.Constant)):
            keys.add(str(node.args[1].value))
    return keys


def test_every_key_named_in_the_code_has_a_text() -> None:
    asked = {key for path in ROOT.glob("*.py")
             for key in asked_keys(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(asked) > 20
    assert asked - set(TEXTS) == set()


@pytest.mark.parametrize("start", FAMILIES)
def test_a_family_of_keys_is_whole(start: str) -> None:
    assert sum(key.startswith(start) for key in TEXTS) >= FAMILIES[start]


def test_every_language_has_the_same_keys_and_places() -> None:
    for lang in languages():
        texts = load_texts(lang)
        assert set(texts) == set(TEXTS), lang
        assert texts["lang"] == lang
        assert {key: places_of(text) for key, text in texts.items()} == {
            key: places_of(text) for key, text in TEXTS.items()}, lang


def test_templates_hold_no_brace_that_is_not_a_place() -> None:
    for key, text in TEXTS.items():
        values = dict.fromkeys(places_of(text), "7")
        assert not re.search(r"[{}|]", fill(text, values)), key


def test_filling_puts_values_in_and_chooses_by_number() -> None:
    template = "{n} {n|chip|chips} by {day}"
    assert fill(template, {"n": 1, "day": "May"}) == "1 chip by May"
    assert fill(template, {"n": "1,200", "day": "May"}) == "1,200 chips by May"
    assert fill("{n|one|many}", {"n": "{day}"}) == "many"
    assert fill("{day}", {"day": "{n}"}) == "{n}"


def test_a_missing_value_key_or_language_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"no value for \{day\}"):
        fill("{n} by {day}", {"n": 1})
    with pytest.raises(KeyError):
        said(TEXTS, "no_such_key")
    with pytest.raises(UnknownName):
        load_texts("xx")


def test_the_words_of_the_page_are_those_of_its_readers() -> None:
    forbidden = re.compile(r"\b(scenario|leaf|leaves|path|seed|P50|strategy|regret|shadow)s?\b")
    told = {key: text for key, text in TEXTS.items()
            if forbidden.search(re.sub(r"{[^}]*}", "", text))}
    assert set(told) <= {"run", "brief_run", "frame_source_text"}
