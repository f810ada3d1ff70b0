"""Training recipes a second, and the errors on the points of Korthikanti et al. 2022, beside
Calculon where it is at hand.

    python benchmarks/training.py [--points 1000000] [--calculon FOLDER --python PYTHON]

FOLDER is a checkout of calculon-ai/calculon (Apache-2.0), PYTHON an interpreter with its numpy,
pandas and psutil; it is run by its own commands, one process, and is no part of this repository.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from fabless.catalogue import load
from fabless.perf.training import Recipe, calibrate, step, training_machine, training_memory
from fabless.perf.training.search import possible_recipes

BLOCK = 8192


def ours(points: int) -> tuple[int, float, float]:
    """Time step and memory of `points` recipes of GPT-3 175B on 64 H100: number, seconds of CPU, MB
    at most."""
    catalogue = load()
    values = {
        entity: {
            fact.field: fact.value
            for fact in catalogue.facts_of(entity)
            if isinstance(fact.value, float)
        }
        for entity in catalogue.entities("training")
        if entity.startswith("training-")
    }
    chip, llm = catalogue.chip("h100-sxm"), catalogue.model("gpt-3-175b")
    efficiency = calibrate(values, str(chip.efficiency)).efficiency
    machine = training_machine(chip, "bf16", efficiency)
    every = possible_recipes(llm, 64, Recipe(global_batch=3072, sequence=2048), {}, 8.0)
    names = [field.name for field in fields(Recipe) if isinstance(getattr(every, field.name), np.ndarray)]
    count = np.size(every.tensor)
    done, start = 0, time.process_time()
    while done < points:
        index = np.arange(done, done + BLOCK) % count
        some = replace(every, replay=(np.arange(BLOCK) % 3) / 2, **{name: getattr(every, name)[index] for name in names})
        step(llm, machine, some, efficiency)
        training_memory(llm, machine, some, efficiency)
        done += BLOCK
    return done, time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def calculon(folder: Path, python: str) -> None:
    """Run Calculon's validation and a search of it by its own commands."""
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    for name, arguments in (
        ("validation", ["llm-validation"]),
        (
            "search of Megatron 126M on 2 A100",
            [
                "llm-optimal-execution", "models/megatron-126M.json", "2", "2", "float16",
                "systems/a100_80g.json", str(Path(tempfile.gettempdir()) / "calculon.json"), "-c",
                "1", "-n",
            ],
        ),
    ):
        start = time.perf_counter()
        run = subprocess.run(
            [python, "bin/calculon", *arguments], cwd=folder, env=environment, capture_output=True,
            text=True, check=False,
        )
        taken = time.perf_counter() - start
        text = run.stdout + run.stderr
        total, each = re.search(r"Total executions: (\d+)", text), re.search(r"rate: ([\d.]+) calcs", text)
        rate = f", {int(total[1]):,} recipes, {float(each[1]):,.0f} a second" if total and each else ""
        print(f"Calculon {name}: {taken:.1f} s{rate}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--calculon", type=Path)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    count, seconds, megabytes = ours(given.points)
    print(
        f"fabless: {count:,} recipes (step and memory), {seconds:.1f} s of CPU, {count / seconds:,.0f} a second, "
        f"{megabytes:.0f} MB"
    )
    if given.calculon:
        calculon(given.calculon, given.python)


if __name__ == "__main__":
    main()
