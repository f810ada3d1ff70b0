"""Pages of the documentation: equal to what the program writes of the same answer, and of the cases
as they are now."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from decision_fixture import decision
from fabless.catalogue import shipped_cases
from fabless.report.page.file import as_html

ROOT = Path(__file__).parent.parent
SITE = ROOT / "docs" / "pages"
SHIPPED = [path.stem for path in sorted(SITE.glob("*.html")) if path.stem != "index"]


def rebuilding() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild_pages", ROOT / "docs" / "rebuild.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


rebuild = rebuilding()


@pytest.fixture(scope="module")
def page() -> str:
    return as_html(decision())


def test_a_page_is_made_again_from_its_own_numbers(page: str) -> None:
    assert rebuild.unpacked(rebuild.made_again(page)) == rebuild.unpacked(page)


@pytest.mark.parametrize(("then", "now"), [
    ("It costs", "It cost"), ("<h2", '<h2 class="old"'), ("--ink: #14171C", "--ink: #14171D"),
])
def test_a_page_of_another_program_is_told(page: str, then: str, now: str) -> None:
    assert then in page
    old = page.replace(then, now, 1)
    assert rebuild.unpacked(rebuild.made_again(old)) != rebuild.unpacked(old)


def test_all_cases_have_a_page_or_none() -> None:
    assert not SHIPPED or set(SHIPPED) == set(shipped_cases())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_page_is_what_the_program_writes(name: str) -> None:
    html = (SITE / f"{name}.html").read_text(encoding="utf-8")
    assert rebuild.unpacked(rebuild.made_again(html)) == rebuild.unpacked(html)
    case = rebuild.data_of(html)["case"]
    assert (case["name"], case["digest"]) == (name, rebuild.case_digest(name)), (
        "the case has changed: python docs/rebuild.py --pages")


def test_the_list_of_pages_is_what_they_say(page: str) -> None:
    text = rebuild.index_page({"a": rebuild.data_of(page)})
    assert 'href="a.html"' in text
    assert rebuild.data_of(page)["verdict"]["action"] in text
    if SHIPPED:
        pages = {name: rebuild.data_of((SITE / f"{name}.html").read_text(encoding="utf-8"))
                 for name in shipped_cases()}
        assert (SITE / "index.html").read_text(encoding="utf-8") == rebuild.index_page(pages)
