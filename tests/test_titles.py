"""What people read instead of keys: titles of lines, programmes, contracts and loads."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from fabless.case_records import Case
from fabless.catalogue import load, read_case, reference_text
from fabless.catalogue.case.case import parse_case
from fabless.decide import Decision, Detail, decide
from fabless.decide.questions.sensitivity import label_of
from fabless.records import Chip
from fabless.report import as_json, print_decision
from fabless.report.page.file import as_html
from fabless.titles import chip_titles, offer_titles, order_titles, titles
from here import Here

KEYS = {
    "nvidia-owned": "zz-1", "nvidia-prepaid": "zz-2", "azure-rented": "zz-3", "amd-owned": "zz-4",
    "google-rented": "zz-5", "own-build": "zz-6", "co-design": "zz-7", "acquisition": "zz-8",
    "backer": "zz-9", "chat": "zz-10", "frontier": "zz-11", "training": "zz-12",
    "experiments": "zz-13",
}
"""Keys of the reference case -> keys that no sentence holds by chance."""
DETAIL = Detail(
    branches=1,
    name="small", branching=None, paths=20, small=(2, 1, 1), inputs=2, sobol=2, seeds=2, checked=2)


def with_strange_keys() -> Case:
    """The reference case under other keys, without the pools and correlations that name them."""
    text = reference_text()
    text = text[:text.index("# World supply of what")] + text[text.index("# What the company cannot exceed"):]
    for key, strange in KEYS.items():
        text = re.sub(rf"(?m)^  {key}:$", f"  {strange}:", text)
        text = text.replace(f"like: {key}\n", f"like: {strange}\n")
    return parse_case(text, "case.yaml", Path("."))


class Visible(HTMLParser):
    """Collects the words of a page that a reader sees or hears."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside.append(tag)
        self.words += [value or "" for name, value in attrs if name in ("aria-label", "title", "alt")]

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.inside:
            self.words.append(data)


@pytest.fixture(scope="module")
def reference() -> Case:
    return read_case()


@pytest.fixture(scope="module")
def chosen() -> Decision:
    case = replace(with_strange_keys(), branching=(2, 1, 1, 1, 1, 1))
    return decide(case, detail=DETAIL, executor=Here())


def leaked(text: str) -> list[str]:
    """Keys in a text that do not stand in the dotted name of an input."""
    return re.findall(r"(?<!lines\.)(?<!loads\.)(?<!programmes\.)(?<!contracts\.)\bzz-\d+[^\s]*", text)


@pytest.mark.slow
def test_no_key_is_on_the_screen_or_in_the_report(chosen: Decision) -> None:
    for width in (80, 100):
        stream = io.StringIO()
        print_decision(chosen, Console(file=stream, width=width), Path("report.html"))
        assert "backer's chip" in stream.getvalue().replace("\n", " ")
        assert leaked(stream.getvalue()) == []
        assert max(map(len, stream.getvalue().splitlines())) <= width
    page = " ".join(Visible(as_html(chosen)).words)
    assert "lines.zz-1.price" in page, "dotted names of inputs are shown on purpose"
    assert leaked(page) == []
    for title in ("H100, bought from Nvidia", "Backer's chip", "GPT-4-class queries on H100, bought from Nvidia"):
        assert title in page


@pytest.mark.slow
def test_json_keeps_the_keys_and_gives_their_titles(chosen: Decision) -> None:
    text = as_json(chosen)
    assert '"offer": "zz-1"' in text
    assert '"zz-1": "H100, bought from Nvidia"' in text


def test_titles_of_the_reference_case(reference: Case) -> None:
    assert {key: title for key, title in titles(reference).items() if not key.startswith("loads")} == {
        "lines.nvidia-owned": "H100, bought from Nvidia",
        "lines.nvidia-prepaid": "H100, prepaid to Nvidia",
        "lines.azure-rented": "H100, rented from Azure",
        "lines.amd-owned": "MI300X, bought from AMD",
        "lines.google-rented": "TPU v5e, rented from Google",
        "programmes.own-build": "the own chip", "programmes.co-design": "the co-designed chip",
        "programmes.acquisition": "the acquired company's chip",
        "programmes.backer": "the backer's chip",
    }
    offers = offer_titles(reference)
    assert offers["existing"] == "A100, the fleet in place"
    assert offers["nvidia-owned+2"] == "Nvidia's next generation (2)"
    assert offers["nvidia-prepaid+1"] == "Nvidia's next generation (1), prepaid"
    assert offers["backer from 2024Q1"] == "the backer's chip, started in 2024Q1"
    assert offers["own-build+1"] == "the second generation of the own chip"
    assert len(set(offers.values())) == len(offers)
    assert order_titles(reference)["azure-rented"] == "H100 from Azure"
    assert order_titles(reference)["nvidia-owned+1"] == "of Nvidia's next generation (1)"


def test_lines_that_differ_only_by_their_term_are_told_apart_by_it(reference: Case) -> None:
    year = next(line for line in reference.lines if line.name == "azure-rented")
    longer = replace(year, name="longer", term_s=3 * (year.term_s or 0.0))
    two = titles(replace(reference, lines=(year, longer)))
    assert two["lines.azure-rented"] == "H100, rented from Azure for 1 year"
    assert two["lines.longer"] == "H100, rented from Azure for 3 years"
    twin = titles(replace(reference, lines=(year, replace(year, name="twin"))))
    assert twin["lines.twin"] == "H100, rented from Azure (twin)" != twin["lines.azure-rented"]


def test_a_case_may_state_the_title_of_a_line_and_a_programme() -> None:
    text = reference_text().replace("  nvidia-owned:\n", "  nvidia-owned:\n    title: the usual chips\n")
    text = text.replace("  backer:\n", "  backer:\n    title: Athena\n")
    case = parse_case(text, "case.yaml", Path("."))
    found = titles(case)
    assert (found["lines.nvidia-owned"], found["programmes.backer"]) == ("the usual chips", "Athena")
    assert found["lines.nvidia-prepaid"] == "H100, prepaid to Nvidia", "a title is never taken from `like`"
    assert order_titles(case)["nvidia-owned"] == "of the usual chips"


def test_chips_are_named_without_form_and_memory_unless_two_would_be_the_same() -> None:
    catalogue = load()
    chips = {name: catalogue.chip(name) for name in ("h100-sxm", "h100-pcie", "a100-80gb", "tpu-v5e")}
    assert chip_titles([chips["h100-sxm"], chips["a100-80gb"], chips["tpu-v5e"]]) == {
        "h100-sxm": "H100", "a100-80gb": "A100", "tpu-v5e": "TPU v5e"}
    both: list[Chip] = [chips["h100-sxm"], chips["h100-pcie"]]
    assert chip_titles(both) == {"h100-sxm": "H100 SXM5 80GB", "h100-pcie": "H100 PCIe 80GB"}
    assert chip_titles([replace(chips["h100-sxm"], name="my-chip", title="")]) == {"my-chip": "my-chip"}


def test_a_correlation_is_labelled_by_both_numbers(reference: Case) -> None:
    name = "correlations.demand.growth with lines.amd-owned.successor_gain"
    assert label_of(name, titles(reference)) == (
        "correlation of growth (demand) with successor gain (MI300X, bought from AMD)")
