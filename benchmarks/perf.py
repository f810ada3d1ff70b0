"""Points a second of the static performance model on one core, beside llm-analysis and InferSim
where they are at hand.

    python benchmarks/perf.py [--points 2000000] [--llm-analysis FOLDER] [--infersim FOLDER] [--python PYTHON]

Llama-3.1-70B on H100 SXM: tensor parallel 1, 2, 4, 8, batch 1 to 256, two pairs of lengths,
repeated with prompts that grow by a token a repetition. Every point has its own split, batch and
lengths: nothing is shared between points of a block. A static point is a prefill of the batch and a
decode step at its mean context. FOLDER is a checkout of the peer, PYTHON an interpreter with what
it imports (llm-analysis: fire); the peers answer a part of the sweep (`perf_peers.py`).
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from perf_peers import BATCHES, LENGTHS, TENSOR

from fabless import perf
from fabless.catalogue import load
from fabless.quote import calibration_of
from fabless.records import LLM, Array

BLOCK = 16384
PEER_POINTS = 512

Model = Callable[[LLM, perf.Machine, perf.Split, Array, Array, Array], object]


def static_point(llm: LLM, machine: perf.Machine, split: perf.Split, batch: Array, entered: Array, written: Array) -> None:
    perf.prefill(llm, machine, split, batch, entered)
    perf.decode_step(llm, machine, split, batch, entered + written / 2.0)


MODELS: dict[str, Model] = {
    "decode_step": lambda llm, machine, split, batch, entered, written:
        perf.decode_step(llm, machine, split, batch, entered + written / 2.0),
    "prefill + decode_step": static_point,
    "steady_state": lambda llm, machine, split, batch, entered, written:
        perf.steady_state(llm, machine, split, entered, written, batch),
}


def sweep(points: int, model: Model, llm: LLM, machine: perf.Machine) -> tuple[int, float]:
    """Evaluate a model on at least so many points in blocks: points, seconds of CPU."""
    shape = (len(LENGTHS), len(BATCHES), len(TENSOR))
    lengths, degrees = np.array(LENGTHS, dtype=float), np.array(TENSOR, dtype=float)
    done, start = 0, time.process_time()
    while done < points:
        repetition, within = np.divmod(np.arange(done, done + BLOCK), np.prod(shape))
        length, batch, tensor = np.unravel_index(within, shape)
        model(llm, machine, perf.Split(degrees[tensor]), batch + 1.0, lengths[length, 0] + repetition, lengths[length, 1])
        done += BLOCK
    return done, time.process_time() - start


def peer(name: str, folder: Path | None, python: str) -> str:
    """Run a peer on a part of the sweep in its own interpreter."""
    if folder is None:
        return "not at hand: skipped"
    script = str(Path(__file__).with_name("perf_peers.py"))
    run = subprocess.run([python, script, name, str(folder), str(PEER_POINTS)], capture_output=True, text=True, check=False)
    if run.returncode:
        return f"failed: {(run.stderr.strip().splitlines() or ['no message'])[-1]}"
    answer = json.loads(run.stdout.splitlines()[-1])
    return f"{answer['points']:>10,} {answer['seconds']:>7.2f} {answer['points'] / answer['seconds']:>12,.0f}"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2_000_000)
    parser.add_argument("--llm-analysis", type=Path)
    parser.add_argument("--infersim", type=Path)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    catalogue = load()
    llm, chip = catalogue.model("llama-3.1-70b"), catalogue.chip("h100-sxm")
    calibration = calibration_of(catalogue, chip)
    machine, _ = perf.machine_of(chip, perf.Formats("bf16", "bf16"), calibration)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'':<30} {'points':>10} {'CPU s':>7} {'points/s':>12}")
    for name, model in MODELS.items():
        count, seconds = sweep(given.points, model, llm, machine)
        print(f"{'fabless ' + name:<30} {count:>10,} {seconds:>7.2f} {count / seconds:>12,.0f}")
    for name in ("llm-analysis", "infersim"):
        print(f"{name + ' prefill + decode':<30} {peer(name, getattr(given, name.replace('-', '_')), given.python)}")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"fabless peak memory {after:,.0f} MB, of which {before:,.0f} MB after loading")


if __name__ == "__main__":
    main()
