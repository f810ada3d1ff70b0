"""The report as one file: nothing outside it, one script by hash, readable without that script."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest

import fabless
from decision_fixture import decision
from fabless import wording
from fabless.decide import Decision
from fabless.report.page import bundle
from fabless.report.page.data import page_data
from fabless.report.page.file import as_html
from fabless.report.page.sentences import dated
from page_reader import Reader

MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def chosen() -> Decision:
    return decision()


@pytest.fixture(scope="module")
def page(chosen: Decision) -> str:
    return as_html(chosen)


def script_of(page: str) -> str:
    found = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert found
    return found[1]


def test_the_file_is_under_a_megabyte(page: str) -> None:
    assert len(page.encode()) < MOST_BYTES


def test_the_policy_lets_this_script_run_and_nothing_else(page: str) -> None:
    policy = unescape(str(next(
        tag["content"] for tag in Reader(page).of("meta")
        if tag.get("http-equiv") == "Content-Security-Policy")))
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{bundle.script_hash(script_of(page))}'"
    assert rules["font-src"] == rules["img-src"] == "data:"


def test_a_served_page_asks_its_own_server_alone() -> None:
    assert "connect-src 'self';" in bundle.content_policy("", connects=True)


def test_no_address_outside_is_loaded(page: str) -> None:
    reader = Reader(page)
    for tag, attributes in reader.tags:
        for name in ("src", "srcset", "data", "action", "xlink:href"):
            assert not attributes.get(name), f"<{tag} {name}>"
    assert not reader.of("link")
    script = script_of(page)
    assert "connect-src 'none'" in page.split("<style>")[0], "what the script of a served page asks, a file cannot"
    for word in ("XMLHttpRequest", "WebSocket", "import(", "eval("):
        assert word not in script
    assert set(re.findall(r"https?://[\w.]+", script)) <= {"http://www.w3.org"}


def test_modules_share_no_name() -> None:
    counts = Counter(name for source in bundle.page_modules().values()
                     for name in bundle.top_level_names(source))
    assert [name for name, count in counts.items() if count > 1] == []


def test_modules_are_joined_in_order_of_need() -> None:
    modules = {"c": 'import { a } from "./a.js";\nimport { b } from "./b.js";\nexport const c = a + b;\n',
               "b": 'import { a } from "./a.js";\nexport const b = a;\n', "a": "export const a = 1;\n"}
    assert bundle.one_script(modules) == "const a = 1;\nconst b = a;\nconst c = a + b;\n"


def test_no_import_or_export_is_left(page: str) -> None:
    assert not re.search(r"^\s*(import|export)\b", script_of(page), re.MULTILINE)


def test_comments_go_and_code_stays() -> None:
    source = "// why\n/** What. */\nconst a = 1; // kept\n/**\n * Long.\n */\nconst b = '/** text */';\n"
    assert bundle.one_script({"a": source}) == "const a = 1; // kept\nconst b = '/** text */';\n"


def test_the_data_inside_is_the_data_of_the_page(page: str, chosen: Decision) -> None:
    found = re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)
    assert found
    assert bundle.read_data(found[1]) == page_data(chosen)


def test_the_answer_reads_without_scripts(page: str, chosen: Decision) -> None:
    words = " ".join("".join(Reader(page.split('<section id="evidence"')[0]).words).split())
    data = page_data(chosen)
    assert data["verdict"]["action"] in words
    assert data["verdict"]["numbers"] in words
    for claim in data["claims"].values():
        assert claim in words
    decimals = wording.cent_decimals(way["p50"] for way in data["ways"])
    for way in data["ways"]:
        assert way["name"] in words
        assert wording.cents(way["p50"], decimals) in words
    for action in data["actions"]:
        assert wording.heading(action["what"]) in words
        assert dated(data["texts"], wording.heading(action["stop"])) in words


def test_fonts_come_with_their_licences() -> None:
    folder = Path(fabless.__file__).parent / "report" / "page" / "fonts"
    assert len(list(folder.glob("*.woff2"))) == 2
    for licence in ("inter-OFL.txt", "source-serif-4-OFL.txt"):
        assert "SIL OPEN FONT LICENSE" in (folder / licence).read_text(encoding="utf-8").upper()
