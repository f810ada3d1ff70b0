"""The same question gives the same answer: in another process, folder, hash seed, scale or name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import fabless
from case_fixture import LLAMA, MINIMAL, OWN_CHIP
from fabless.catalogue import load
from fabless.digest import canonical, digest_of

SPACE = {
    "node": "n3", "packaging": "cowos-l", "power_limit": "1200 W", "scale_out": "400 Gb/s", "dies": [1, 2],
    "units": [16, 32], "rows": [128], "columns": [128], "clock": ["1.6 GHz"], "precision": ["bf16", "fp8"],
    "on_chip_memory": ["64 MB"], "memory": ["hbm3e"], "stacks": [4, 6],
    "stack_capacity": ["24 GB"], "link_bandwidth": ["600 GB/s"], "domain": 16,
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
    """Run every command in a process of its own, with the package in `source` and its files in `folder`."""
    own = folder / "own"
    own.mkdir(parents=True)
    (own / "case.yaml").write_text(
        MINIMAL.replace("model: llama-2-70b", "model: llama.json") + OWN_CHIP, encoding="utf-8")
    (own / "llama.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    chip = yaml.safe_load(OWN_CHIP)["chips"]["mine"]
    (own / "chip.yaml").write_text(yaml.safe_dump({"name": "mine", **chip}), encoding="utf-8")
    (folder / "space.yaml").write_text(yaml.safe_dump(SPACE), encoding="utf-8")
    settings = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": hash_seed}
    return subprocess.Popen([sys.executable, "-c", RUN, json.dumps(COMMANDS)], cwd=folder, env=settings,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What every command prints, of two processes with other folders, other hash seeds and another place of the package."""
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


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_print_the_same_anywhere(printed: list[dict[str, str]], command: str) -> None:
    one, other = (run[command] for run in printed)
    assert json.loads(one), "no result"
    assert one == other


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_path_of_this_machine(printed: list[dict[str, str]], command: str) -> None:
    def texts(item: Any) -> list[str]:
        if isinstance(item, dict):
            return [*item, *(text for part in item.values() for text in texts(part))]
        return [text for part in item for text in texts(part)] if isinstance(item, list) else [str(item)]

    assert [text for text in texts(json.loads(printed[0][command])) if text.startswith("/") or os.getcwd() in text] == []


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
