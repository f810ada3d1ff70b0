"""The documentation is run: every command of the README, the Python block, and the printed answer."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import fabless as fb

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (fabless (?!init|decide)[^#\n]*?)\s*(?:#.*)?$", README, flags=re.MULTILINE)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = shlex.split(command)
    assert arguments[0] == "fabless"
    return subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_readme_has_commands() -> None:
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_commands_run(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 2


def test_links_lead_to_files() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    lost = [f"{page.relative_to(ROOT)}: {target}" for page in pages
            for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
            if not (page.parent / target).exists()]
    assert lost == []


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


@pytest.mark.slow
def test_readme_shows_what_the_program_prints() -> None:
    """The answer and the costs of every way; another processor may round a plan's orders to another optimum."""
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
