"""The documentation is run: every block of code, every command, and the printed answer."""

from __future__ import annotations

import doctest
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

import fabless as fb
from fabless.cli.lazy import HOMES, loaded

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = ["README.md", "CONTRIBUTING.md"]
PAGES = GUIDES + [str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/explanation/*.md"))]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", flags=re.MULTILINE | re.DOTALL)
LONG = {"backtest", "decide", "init", "explore", "report", "validate", "web"}
"""Commands that the quick tests only parse: they take long, or need a file of the reader."""


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of a page in one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for _, name, body in FENCE.findall(text) if name == language]


def commands(page: str) -> list[list[str]]:
    """Commands of a page, word by word, without comments and the folder of the programs."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    parts = [part for line in lines for part in re.split(r" && ", line.partition(" #")[0])]
    return [shlex.split(part.removeprefix(".venv/bin/")) for part in parts]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)


OF_PROGRAM = [(page, command) for page in PAGES for command in commands(page) if command[0] == "fabless"]
QUICK = {shlex.join(command) for _, command in OF_PROGRAM if command[1] not in LONG}
OF_README = {shlex.join(command) for page, command in OF_PROGRAM
             if page == "README.md" and command[1] == "explore"}
"""`fabless validate` is run in test_validate.py, once for all that is asked of it."""


def test_the_documentation_has_commands() -> None:
    assert sum(page == "README.md" for page, _ in OF_PROGRAM) >= 4
    assert sum(page != "README.md" for page, _ in OF_PROGRAM) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_code_is_fenced_and_names_its_language(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {name for _, name, _ in FENCE.findall(text)}
    assert named <= {"console", "python", "pycon", "text"} | ({""} if page == "README.md" else set())
    paragraphs = re.split(r"\n{2,}", FENCE.sub("", text))
    assert [part for part in paragraphs if part.startswith("    ") and ">>>" not in part] == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python") and page != "README.md"]
)
def test_python_blocks_run(page: str) -> None:
    names: dict[str, object] = {"__name__": page}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if ">>>" in (ROOT / page).read_text(encoding="utf-8")]
)
def test_sessions_of_python_print_what_is_shown(page: str) -> None:
    text = re.sub(r"^ *```.*$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert test.examples
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


@pytest.mark.parametrize("command", [command for _, command in OF_PROGRAM], ids=" ".join)
def test_options_of_shown_commands_exist(command: list[str]) -> None:
    assert command[1] in HOMES
    loaded(command[1]).make_context(command[1], command[2:])


@pytest.mark.parametrize("page", PAGES)
def test_other_shown_commands_are_known(page: str) -> None:
    for program, *words in commands(page):
        if program == "python":
            assert (ROOT / words[0]).is_file()
        else:
            assert program in {"fabless", "python3", "pip", "pytest", "ruff", "mypy"}
    named = re.findall(r"`python (\S+?)[ `]", (ROOT / page).read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    "command",
    [
        *sorted(QUICK),
        *(pytest.param(command, marks=pytest.mark.slow) for command in sorted(OF_README)),
    ],
)
def test_shown_commands_run(command: str, tmp_path: Path) -> None:
    done = run(shlex.split(command), tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 0


def test_links_lead_to_files() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    lost = [f"{page.relative_to(ROOT)}: {target}" for page in pages
            for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
            if not (page.parent / target).exists()]
    assert lost == []


def test_the_code_to_read_first_exists() -> None:
    part = README.partition("## Where to start reading the code")[2].partition("## ")[0]
    listed = [name for line in re.findall(r"^\d\. (.*?): ", part, flags=re.MULTILINE)
              for name in re.findall(r"`([^`]+)`", line)]
    source = ROOT / "src" / "fabless"
    assert len(listed) > 10
    assert [name for name in listed if not (source / name).is_dir()
            and not (source / f"{name}.py").is_file()] == []


def test_the_citation_is_that_of_the_project() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    for key in ("version", "license"):
        assert cited[key] == project[key]
    assert cited["title"] == project["name"]
    assert cited["authors"] == project["authors"]


def test_public_names_are_what_they_are_said_to_be() -> None:
    assert len(fb.__all__) <= 40
    assert sorted(fb.__all__) == sorted(set(fb.__all__))
    assert all(hasattr(fb, name) for name in fb.__all__)


def rows_of_ways(text: str) -> dict[str, list[float]]:
    """Cents per query of each way (P10, P50, P90) out of a printed answer."""
    found = re.findall(r"^([a-z]+)\*? +(\d+\.\d+) +(\d+\.\d+) +(\d+\.\d+) +[<>]?\d+%", text, flags=re.MULTILINE)
    return {name: [float(cell) for cell in cells] for name, *cells in found}


def test_the_picture_of_the_readme_shows_the_numbers_of_its_text() -> None:
    """Each way's middle cost and chance of a shortage, and its place; twenty dots a way."""
    printed = re.findall(r"^([a-z]+)\*? +\d+\.\d+ +(\d+\.\d+) +\d+\.\d+ +([<>]?\d+)%", README,
                         flags=re.MULTILINE)
    picture = ET.parse(ROOT / "docs" / "pictures" / "comparison.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    drawn = []
    for row in picture.iter(f"{svg}g"):
        if "data-way" not in row.attrib:
            continue
        cost, short = ("".join(text.itertext()) for text in row.iter(f"{svg}text")
                       if text.get("class") == "figure")
        drawn.append((row.attrib["data-way"], cost, short))
        assert len(list(row.iter(f"{svg}circle"))) == 20
    assert drawn
    assert drawn == printed, "run: python docs/rebuild.py"


@pytest.mark.slow
def test_readme_shows_what_the_program_prints() -> None:
    """The answer and the costs of every way; another processor may round a plan's orders to another
    optimum."""
    spec = importlib.util.spec_from_file_location("rebuild", ROOT / "docs" / "rebuild.py")
    assert spec is not None
    assert spec.loader is not None
    rebuild = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rebuild)
    names: dict[str, object] = {}
    block = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert block is not None
    exec(block[1], names)
    decision = names["decision"]
    assert isinstance(decision, fb.Decision)
    told, printed = rows_of_ways(README), rows_of_ways(rebuild.printed(decision))
    assert set(told) == {way.name for way in decision.strategies}
    for name, costs in told.items():
        assert printed[name] == pytest.approx(costs, rel=0.05), "run: python docs/rebuild.py"
    assert decision.answer.partition(":")[0] in README, "run: python docs/rebuild.py"


def rooms_named() -> list[str]:
    """Places that the page of rooms names in code: of the package, the tests or the docs."""
    page = (ROOT / "docs" / "developer" / "rooms.md").read_text(encoding="utf-8")
    return sorted({name for row in page.splitlines() if row.startswith("| ") for name in re.findall(r"`([^`]+)`", row)
                   if re.fullmatch(r"[a-z_*/]+(/|\.py|\.md|/\*\.csv)", name)})


@pytest.mark.parametrize("name", rooms_named())
def test_the_page_of_rooms_names_places_that_exist(name: str) -> None:
    assert any(list(folder.glob(name.rstrip("/"))) for folder in (ROOT / "src" / "fabless", ROOT))


def test_every_room_is_on_the_page_of_rooms() -> None:
    package = ROOT / "src" / "fabless"
    page = (ROOT / "docs" / "developer" / "rooms.md").read_text(encoding="utf-8")
    rooms = [path.parent.relative_to(package).as_posix() for path in package.rglob("__init__.py") if path.parent != package]
    alone = [path.stem for path in package.glob("*.py") if not path.stem.startswith("_")]
    missing = [room for room in rooms if f"`{room}/`" not in page] + [name for name in alone if f"`{name}`" not in page]
    assert sorted(missing) == ["catalogue", "plan"], "their rooms stand for them"
