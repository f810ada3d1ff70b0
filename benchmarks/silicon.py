"""Complete designs a second for area, power and unit cost on one core, and points a second through
the serving model.

    python benchmarks/silicon.py [DESIGNS]

Draws random designs, evaluates them in chunks as the exploration does, and prints designs a second
after the first chunk (which counts the dies of each size on a wafer once) and with it. Then scores
one chunk of the shipped space on Llama 3.1 405B and prints combinations of design, parallelism and
batch a second. Last the peak of memory. Seconds are those of the processor, so that another program
beside it does not count.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

import fabless as fb
from fabless.explore import Served, ServingScorer, Task, limits_of, read_space, run_chunk, technology_of
from fabless.perf import Formats, ServiceTerms
from fabless.quote import calibration_of, owning_of
from fabless.silicon.evaluate import Designs, die_area, evaluate, fits_field

CHUNK = 16_384


def random_designs(count: int, rng: np.random.Generator) -> Designs:
    def pick(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return rng.choice(np.array(values, dtype=float), count)

    return Designs(
        units=pick(4, 8, 16, 32), rows=pick(64, 128), columns=pick(64, 128),
        clock_hz=rng.uniform(1e9, 2.2e9, count), sram_bytes=rng.uniform(32e6, 256e6, count),
        stacks=pick(4, 6, 8), stack_bytes=pick(24e9, 36e9), dies=pick(1, 2),
        link_bandwidth=rng.uniform(2e11, 1e12, count), width=pick(16, 8, 4),
    )


def serving() -> None:
    catalogue, space = fb.load(), read_space()
    technologies = tuple(technology_of(catalogue, space.node, name, space.packaging) for name in space.memory)
    limits = tuple(limits_of(catalogue, one, space.power_limit_w) for one in technologies)
    load = Served(
        llm=catalogue.model("llama-3.1-405b"), request=fb.Request(2048, 512),
        terms=ServiceTerms(Formats("fp8", "bf16"), 0.04, 2.0, 0.5))
    scorer = ServingScorer(
        load=load, also=(), calibration=calibration_of(catalogue),
        owning=owning_of(catalogue)[0], domain=space.domain,
        scale_out_bandwidth=space.scale_out_bandwidth, margin=0.0)
    task = Task(space, technologies, limits, scorer)
    run_chunk(task, 0, 512)
    start = time.process_time()
    found = run_chunk(task, 0, CHUNK)
    seconds = time.process_time() - start
    rate = found.points / seconds
    print(f"{found.points:,} combinations for {found.made:,} designs in {seconds:.2f} s: {rate:,.0f} a second")


def main() -> None:
    """Measure."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    technology = technology_of(fb.load(), "n3", "hbm3e", "cowos-l")
    rng = np.random.default_rng(0)
    start, done, first = time.process_time(), 0, 0.0
    spent = 0.0
    while done < total:
        designs = random_designs(CHUNK, rng)
        begin = time.process_time()
        area = die_area(designs, technology)
        inside = np.flatnonzero(fits_field(area))
        evaluate(designs.take(inside), technology, area[inside])
        spent += time.process_time() - begin
        done += CHUNK
        first = first or spent
    print(f"{done:,} designs, {len(inside) / CHUNK:.0%} of them within the field")
    print(f"{(done - CHUNK) / (spent - first):,.0f} designs a second after the first chunk ({first:.2f} s)")
    print(f"{done / spent:,.0f} designs a second with it; {time.process_time() - start:.1f} s with the drawing")
    serving()
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
