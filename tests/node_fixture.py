"""Functions of the page's modules called from tests: one run of node for a list of calls."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import fabless

MODULES = Path(fabless.__file__).parent / "report" / "page" / "modules"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None and not os.environ.get("CI"), reason="needs node (apt-get install nodejs)"
)
_RUN = """
const modules = new Map();
let text = "";
for await (const chunk of process.stdin) text += chunk;
const revive = (key, value) => value && value.$float !== undefined ? Number(value.$float) : value;
const {folder, calls} = JSON.parse(text, revive);
const answers = [];
for (const [file, name, args] of calls) {
  if (!modules.has(file)) modules.set(file, await import(`${folder}/${file}.js`));
  answers.push(modules.get(file)[name](...args));
}
process.stdout.write(JSON.stringify(answers, (key, value) =>
  typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
    ? {$float: Object.is(value, -0) ? "-0" : String(value)} : value === undefined ? null : value));
"""


def _sent(value: Any) -> Any:
    """Data for JSON, which knows no infinity, NaN or minus zero."""
    if isinstance(value, float) and (
        not math.isfinite(value) or (value == 0.0 and math.copysign(1.0, value) < 0)
    ):
        return {
            "$float": "NaN"
            if math.isnan(value)
            else "-0"
            if value == 0.0
            else "Infinity"
            if value > 0
            else "-Infinity"
        }
    if isinstance(value, dict):
        return {key: _sent(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_sent(part) for part in value]
    return value


def _received(pairs: dict[str, Any]) -> Any:
    return float(pairs["$float"]) if "$float" in pairs else pairs


def in_node(script: str, data: Any) -> Any:
    """What a script prints as JSON that reads `data` as JSON from its input."""
    assert NODE, "node is missing"
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script],
        input=json.dumps(_sent(data)),
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=_received)


def called(calls: Sequence[tuple[str, str, Sequence[Any]]]) -> list[Any]:
    """Answers of calls, each a module, a function of it and the arguments."""
    answers: list[Any] = in_node(_RUN, {"folder": MODULES.as_uri(), "calls": list(calls)})
    return answers
