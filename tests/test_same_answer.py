"""The same question gives the same answer: in another process, folder, hash seed, scale or name."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console

import fabless
from case_fixture import LLAMA, MINIMAL, OWN_CHIP
from fabless.case_numbers import CaseNumbers, Section, mapped
from fabless.case_records import Case, CaseNumber, Line, Load, Programme, Shock, WorldPool, named
from fabless.catalogue import load, read_case
from fabless.decide import Detail, decide
from fabless.decide.ways.problem import Plan, World, plan_of
from fabless.digest import canonical, digest_of
from fabless.plan import PlanProblem
from fabless.plan.lp.columns import Units, units
from fabless.report import as_json, print_decision
from fabless.strategy import Commitment
from here import Here

SPACE = {
    "node": "n3", "packaging": "cowos-l", "power_limit": "1200 W", "scale_out": "400 Gb/s",
    "dies": [1, 2], "units": [16, 32], "rows": [128], "columns": [128], "clock": ["1.6 GHz"],
    "precision": ["bf16", "fp8"], "on_chip_memory": ["64 MB"], "memory": ["hbm3e"],
    "stacks": [4, 6], "stack_capacity": ["24 GB"], "link_bandwidth": ["600 GB/s"], "domain": 16,
}
COMMANDS = (
    "decide --detail quick --leaves 2 --paths 4 --report report.html --json",
    "decide own/case.yaml --detail quick --paths 4 --report own.html --json",
    "cost --model llama-2-7b --chip h100-sxm --input 500 --output 200 --json",
    "cost --model own/llama.json --chip own/chip.yaml --price 20000USD --input 500 --output 200 --json",
    "chip h100-sxm --json",
    "explore --model llama-2-7b --input 512 --output 64 --also none --market h100-sxm --space space.yaml --json",
    "serve --model llama-2-7b --chip h100-sxm --input 500 --output 200 --json",
    "train --model llama-2-7b --chip h100-sxm --chips 64 --tokens 1e11 --json",
    "programme acquire --json",
    "contract value beside --json",
    "claims --json",
    "why h100-sxm memory_bandwidth --json",
)
RUN = """
import contextlib, io, json, sys
from fabless.cli import main
printed = {}
for line in json.loads(sys.argv[1]):
    sys.argv = ["fabless", *line.split()]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main()
    printed[line] = out.getvalue()
print(json.dumps(printed))
"""


def started(source: Path, folder: Path, hash_seed: str) -> subprocess.Popen[str]:
    """Run every command in a process of its own, with the package in `source` and its files in
    `folder`."""
    own = folder / "own"
    own.mkdir(parents=True)
    (own / "case.yaml").write_text(
        MINIMAL.replace("model: llama-2-70b", "model: llama.json") + OWN_CHIP, encoding="utf-8")
    (own / "llama.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    chip = yaml.safe_load(OWN_CHIP)["chips"]["mine"]
    (own / "chip.yaml").write_text(yaml.safe_dump({"name": "mine", **chip}), encoding="utf-8")
    (folder / "space.yaml").write_text(yaml.safe_dump(SPACE), encoding="utf-8")
    settings = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": hash_seed}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(COMMANDS)], cwd=folder, env=settings,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What every command prints, of two processes with other folders, other hash seeds and another
    place of the package."""
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    source = Path(fabless.__file__).parent
    shutil.copytree(source, there / "moved" / "fabless")
    runs = [started(source.parent, here / "work", "0"), started(there / "moved", there / "other" / "work", "1")]
    found = []
    for run in runs:
        out, err = run.communicate()
        assert run.returncode == 0, err
        found.append(json.loads(out))
    return found


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_print_the_same_anywhere(printed: list[dict[str, str]], command: str) -> None:
    one, other = (run[command] for run in printed)
    assert json.loads(one), "no result"
    assert one == other


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_path_of_this_machine(
    printed: list[dict[str, str]], command: str
) -> None:
    def texts(item: Any) -> list[str]:
        if isinstance(item, dict):
            return [*item, *(text for part in item.values() for text in texts(part))]
        return [text for part in item for text in texts(part)] if isinstance(item, list) else [str(item)]

    assert [text for text in texts(json.loads(printed[0][command])) if text.startswith("/") or os.getcwd() in text] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_results_say_what_computed_them(printed: list[dict[str, str]], command: str) -> None:
    assert json.loads(printed[0][command])["versions"] == {
        name: version(name) for name in ("fabless", "numpy", "scipy", "highspy")}


def test_shipped_facts_are_placed_from_the_folder_of_the_data() -> None:
    assert load().fact("h100-sxm", "memory_bandwidth").place.startswith("facts/chips.csv:")


def test_the_canonical_text_depends_on_content_alone() -> None:
    assert canonical({"b": {"y", "x"}, "a": 1}) == canonical({"a": np.int64(1), "b": {"x", "y"}})
    assert canonical(np.float64(0.1)) == "0.1"
    assert canonical(np.arange(3.0)[::-1]) == canonical(np.array([2.0, 1.0, 0.0]).astype(">f8"))
    assert digest_of(1.0) != digest_of(1)
    with pytest.raises(TypeError, match="Path"):
        canonical(Path("case.yaml"))


# --- ties -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_case() -> Case:
    """Five years of the reference case."""
    case = read_case()
    return replace(case, quarters=20, boundaries=case.boundaries[:2], branching=(3, 1))


def small_detail(paths: int) -> Detail:
    """The quick answer on some fresh paths, without a question asked of it."""
    return Detail(name="quick", branching=None, paths=paths, branches=1, small=(), inputs=0, sobol=0, seeds=0,
                  checked=0, gates=False)


def said(case: Case) -> tuple[str, list[str]]:
    """What the terminal shows of a small quick answer, and its table as people read it."""
    found = decide(case, detail=small_detail(12), executor=Here())
    out = io.StringIO()
    print_decision(found, Console(file=out, width=120), Path("report.html"))
    return out.getvalue(), [
        f"{value:.3g}" if isinstance(value, float) else value
        for row in found.table()
        for value in row.values()
    ]


@pytest.fixture(scope="module")
def plain(small_case: Case) -> tuple[str, list[str]]:
    return said(small_case)


def replace_everywhere(patch: pytest.MonkeyPatch, old: Any, new: Any) -> None:
    """Put `new` in the place of the function `old` in every module that has it."""
    own = [module for name, module in sys.modules.items() if name.startswith("fabless.")]
    places = [(module, name) for module in own for name, value in vars(module).items() if value is old]
    assert places
    for module, name in places:
        patch.setattr(module, name, new)


def shaken(value: Any, rng: np.random.Generator) -> Any:
    """Every number moved by 1e-12 of itself."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value * (1.0 + 1e-12 * rng.uniform(-1.0, 1.0, value.shape))
    return tuple(shaken(item, rng) for item in value) if isinstance(value, tuple) else value


def test_shaking_every_number_of_the_case_moves_no_printed_digit(small_case: Case, plain: tuple[str, list[str]]) -> None:
    rng = np.random.default_rng(5)

    def moved(number: CaseNumber) -> CaseNumber:
        factor, spread = 1.0 + 1e-12 * float(rng.uniform(-1.0, 1.0)), number.spread
        return replace(number, spread=replace(
            spread, low=spread.low * factor, mode=spread.mode * factor, high=spread.high * factor))

    numbers = mapped(small_case.numbers, moved)
    assert numbers.demand.growth != small_case.numbers.demand.growth
    assert said(replace(small_case, numbers=numbers)) == plain


def test_shaking_every_array_of_the_plans_moves_no_printed_digit(
    small_case: Case, plain: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shaken_plan(world: World, commitment: Commitment) -> Plan:
        plan, rng = plan_of(world, commitment), np.random.default_rng(6)
        moved = {field.name: shaken(getattr(plan.problem, field.name), rng) for field in fields(plan.problem)}
        return replace(plan, problem=replace(plan.problem, **moved))

    replace_everywhere(monkeypatch, plan_of, shaken_plan)
    assert said(small_case) == plain


@pytest.mark.parametrize("factor", [3.0, 8.0])
def test_the_size_in_which_the_solver_counts_moves_no_printed_digit(
    small_case: Case, plain: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    def larger(problem: PlanProblem) -> Units:
        usual = units(problem)
        return Units(factor * usual.chips, factor * usual.load)

    replace_everywhere(monkeypatch, units, larger)
    assert said(small_case) == plain


# --- names ----------------------------------------------------------------------------------------

OTHER_NAMES = {
    "nvidia-owned": "zz-first", "amd-owned": "aa-second", "google-rented": "zz-third",
    "own-build": "aa-ours", "backer": "zz-backed", "packaging": "zz-wafers",
    "disruption": "zz-upset", "frontier": "aa-large",
}


def renamed(item: Any) -> Any:
    """A record with other names for lines, programmes, loads, pools and shocks."""
    if type(item) is str:
        return re.sub(r"[^. ]+", lambda word: OTHER_NAMES.get(word[0], word[0]), item)
    if isinstance(item, Mapping):
        return {renamed(key): renamed(value) for key, value in item.items()}
    if isinstance(item, tuple):
        return tuple(renamed(part) for part in item)
    if isinstance(item, Case | Line | Programme | Load | WorldPool | Shock | CaseNumber | Section):
        return replace(item, **{field.name: renamed(getattr(item, field.name)) for field in fields(item)})
    return item


def document(case: Case) -> Any:
    """Everything that a small quick answer holds, with the usual names."""
    text = as_json(decide(case, detail=small_detail(8), executor=Here()))
    for old, new in OTHER_NAMES.items():
        text = text.replace(new, old)
    return {name: value for name, value in json.loads(text).items() if name not in ("digest", "case_digest")}


@pytest.fixture(scope="module")
def usual(small_case: Case) -> Any:
    return document(small_case)


def test_other_names_give_the_same_answer(small_case: Case, usual: Any) -> None:
    case = renamed(small_case)
    assert "lines.aa-second.price" in named(case.numbers)
    assert not any(old in name.split(".") for old in OTHER_NAMES for name in named(case.numbers))
    found = document(case)
    for name in usual:
        assert found[name] == usual[name], name


def without_line(numbers: CaseNumbers[CaseNumber], gone: str) -> CaseNumbers[CaseNumber]:
    """The numbers of a case less those of a line and its correlations."""
    return replace(
        numbers, lines={name: line for name, line in numbers.lines.items() if name != gone},
        correlations=tuple(
            number for number in numbers.correlations if f".{gone}." not in number.name
        ),
    )


def test_a_line_less_leaves_ways_without_it_as_they_were(small_case: Case, usual: Any) -> None:
    gone = "amd-owned"
    case = replace(
        small_case, lines=tuple(line for line in small_case.lines if line.name != gone),
        pools=tuple(
            replace(pool, members=tuple(sorted({*pool.members} - {gone})))
            for pool in small_case.pools
        ),
        correlations=tuple(
            pair
            for pair in small_case.correlations
            if not any(f".{gone}." in name for name in pair)
        ),
        numbers=without_line(small_case.numbers, gone),
    )
    assert len(case.correlations) < len(small_case.correlations)
    found = document(case)
    for section, key in (("strategies", "name"), ("fresh", "way")):
        one, other = (next(item for item in answer[section] if item[key] == "buy") for answer in (found, usual))
        for name, value in numbers_of(one):
            # regret is of other ways too, delay and perfect information asked of the recommended one alone
            if not name.startswith((".regret", ".against", ".gap")) and "delay" not in name:
                assert value == pytest.approx(dict(numbers_of(other))[name], rel=1e-12), name


def numbers_of(item: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a document with its place."""
    if isinstance(item, dict | list):
        for key, part in item.items() if isinstance(item, dict) else enumerate(item):
            yield from numbers_of(part, f"{place}.{key}")
    elif isinstance(item, int | float) and not isinstance(item, bool):
        yield place, item


# --- what the solver prints -----------------------------------------------------------------------

LOUD = """
import ctypes, os, sys
import highspy
import numpy as np
quiet = highspy.Highs

class Loud(quiet):
    def __init__(self):
        os.write(1, b"written at once\\n")
        ctypes.CDLL(None).puts(b"kept in the buffer of C")
        super().__init__()

highspy.Highs = Loud
from fabless.plan import PlanProblem, solve
from fabless.scenario import chain_tree
print("before")
found = solve(PlanProblem(
    tree=chain_tree(2), offers=("chip",), loads=("chat",), lead_quarters=np.array(0), term_quarters=np.array(2),
    available=np.array(True), cap=np.array(np.inf), capital_usd=np.array(1.0), running_usd=np.array(0.0),
    rate=np.array([[[2.0, 2.0]]]), demand=np.array([[12.0, 9.0]]), unmet_usd=np.array([[10.0, 10.0]]),
    discount=np.array([1.0, 1.0])))
print(found.status)
"""


@pytest.mark.skipif(
    sys.platform == "win32", reason="prints through the C library by its POSIX name"
)
def test_what_a_solver_prints_never_reaches_standard_output() -> None:
    run = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, check=True)
    assert run.stdout == "before\noptimal\n"
    assert "written at once" in run.stderr
    assert "kept in the buffer of C" in run.stderr


def test_solvers_are_made_in_one_place() -> None:
    sources = Path(fabless.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if "highspy.Highs()" in path.read_text(encoding="utf-8")] == ["highs.py"]
