"""What serving engines cost beside the kernels: fitted on end-to-end rows, and judged on models the
fit never saw.

    python benchmarks/fit_engines.py FILE

FILE has the columns of `serving-end-to-end.csv.gz`. Kernels keep the parameters of their chip's
class; each engine gets three numbers: how much more its kernels' fixed times are than those of
isolated kernels, the host's time a step, and the host's time a sequence. Rows of one model, chip
and engine count alike however many they are. Aggregated rows of engines whose release tags carry
speculative decoding in some rows and not in others are left out of the fit (`MIXED`), and stay in
the judgement of `fabless validate`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from fabless import perf
from fabless.arrays import pick, stack
from fabless.catalogue import load
from fabless.catalogue.files.measured import read_table, readings
from fabless.records import LLM
from fabless.validate.inference import first
from fabless.validate.layouts import measurements
from fabless.validate.measurement import Measurement
from fabless.validate.predict_serving import Bench, setup
from fabless.workload import shape

FREE = ("launch_factor", "host_step_s", "host_sequence_s")
LOW, HIGH = np.log([0.3, 1e-5, 1e-6]), np.log([5.0, 2e-2, 5e-4])
MIXED = ("1.1.0rc2.post2", "1.2.0rc6.post3")
"""Releases of TensorRT-LLM of which equal DeepSeek configurations differ by up to 1.7 times."""

Array = np.ndarray


@dataclass(frozen=True)
class Table:
    """Rows as arrays, an element a row."""

    model: LLM
    machine: perf.Machine
    split: perf.Split
    entered: Array
    written: Array
    sequences: Array
    measured: Array
    engine: Array
    weight: Array
    name: Array


def usable(m: Measurement) -> bool:
    mixed = m.engine_version in MIXED and "DeepSeek" in m.model
    return m.quantity == "tpot" and m.mode == "aggregated" and not m.reason and not mixed and (m.chips or 0) <= 8


def read(path: Path) -> Table:
    bench = Bench(load())
    rows = [(m, made) for m in measurements(read_table(path), readings())[1] if usable(m)
            if not isinstance(made := setup(m, bench), str)]
    engines = [
        known.value
        if (known := first(bench.readings, "efficiencies", f"{m.engine} {m.engine_version}"))
        else ""
        for m, _ in rows
    ]
    groups = [(m.model, m.chip, engine) for (m, _), engine in zip(rows, engines, strict=True)]
    everything = [made for _, made in rows]
    return Table(
        model=stack([shape(made.llm) for made in everything]),
        machine=stack([made.machine for made in everything]),
        split=perf.Split(
            *(
                np.array([float(getattr(made.split, part)) for made in everything])
                for part in ("tensor", "pipeline", "expert", "data")
            )
        ),
        entered=np.array([made.entered for made in everything]),
        written=np.array([made.written for made in everything]),
        sequences=np.array([made.sequences for made in everything]),
        measured=np.array([m.value for m, _ in rows]),
        engine=np.array(engines),
        weight=np.array([1.0 / np.sqrt(groups.count(group)) for group in groups]),
        name=np.array([bench.model(m.model).name for m, _ in rows]),
    )


def predicted(table: Table, engines: Sequence[str], values: Array) -> Array:
    numbers = np.exp(values).reshape(len(engines), len(FREE))
    index = np.array([list(engines).index(name) for name in table.engine])
    engine = replace(table.machine.engine, **dict(zip(FREE, numbers[index].T, strict=True)))
    state = perf.steady_state(
        table.model, replace(table.machine, engine=engine), table.split, table.entered,
        table.written, table.sequences,
    )
    return np.asarray(state.tpot_s)


def fit(table: Table, engines: Sequence[str]) -> Array:
    def residual(values: Array) -> Array:
        return table.weight * np.log(predicted(table, engines, values) / table.measured)

    start = np.tile(np.log([1.5, 1e-3, 5e-5]), len(engines))
    return least_squares(
        residual, start, bounds=(np.tile(LOW, len(engines)), np.tile(HIGH, len(engines))),
        loss="soft_l1", f_scale=0.02, max_nfev=25,
    ).x


def say(name: str, error: Array) -> None:
    print(f"{name:28s} {error.size:5d} rows  median {100 * np.median(abs(error)):5.1f} %  "
          f"mean {100 * np.mean(abs(error)):5.1f} %  bias {100 * np.median(error):+5.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    table = read(parser.parse_args().file)
    engines = sorted(set(table.engine))
    values = fit(table, engines)
    for engine, numbers in zip(engines, np.exp(values).reshape(-1, len(FREE)), strict=True):
        print(f"{engine:20s} launches x {numbers[0]:.2f}, host {1e3 * numbers[1]:.2f} ms a step, "
              f"{1e6 * numbers[2]:.0f} us a sequence")
    error = predicted(table, engines, values) / table.measured - 1.0
    say("all, in the fit", error)
    for model in sorted(set(table.name)):
        say(f"  {model}", error[table.name == model])
    print("each model predicted by a fit without it")
    for model in sorted(set(table.name)):
        out = table.name == model
        known = np.isin(table.engine, table.engine[~out])
        if not np.any(out & known):
            continue
        rest = pick(table, np.flatnonzero(~out))
        left = sorted(set(rest.engine))
        judged = pick(table, np.flatnonzero(out & known))
        say(f"  {model}", predicted(judged, left, fit(rest, left)) / judged.measured - 1.0)


if __name__ == "__main__":
    main()
