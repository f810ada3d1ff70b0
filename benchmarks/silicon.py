"""Complete designs a second for area, power and unit cost on one core.

    python benchmarks/silicon.py [DESIGNS]

Draws random designs, evaluates them in chunks as the exploration does, and prints designs a second after the first chunk
(which counts the dies of each size on a wafer once) and with it, and the peak of memory.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

import fabless as fb
from fabless.explore import technology_of
from fabless.silicon.evaluate import Designs, die_area, evaluate, fits_field

CHUNK = 16_384


def random_designs(count: int, rng: np.random.Generator) -> Designs:
    def pick(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return rng.choice(np.array(values, dtype=float), count)

    return Designs(
        units=pick(4, 8, 16, 32), rows=pick(64, 128), columns=pick(64, 128), clock_hz=rng.uniform(1e9, 2.2e9, count),
        sram_bytes=rng.uniform(32e6, 256e6, count), stacks=pick(4, 6, 8), stack_bytes=pick(24e9, 36e9),
        dies=pick(1, 2), link_bandwidth=rng.uniform(2e11, 1e12, count), width=pick(16, 8, 4))


def main() -> None:
    """Measure."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    technology = technology_of(fb.load(), "n3", "hbm3e", "cowos-l")
    rng = np.random.default_rng(0)
    start, done, first = time.perf_counter(), 0, 0.0
    spent = 0.0
    while done < total:
        designs = random_designs(CHUNK, rng)
        begin = time.perf_counter()
        area = die_area(designs, technology)
        inside = np.flatnonzero(fits_field(area))
        evaluate(designs.take(inside), technology, area[inside])
        spent += time.perf_counter() - begin
        done += CHUNK
        first = first or spent
    print(f"{done:,} designs, {len(inside) / CHUNK:.0%} of them within the field")
    print(f"{(done - CHUNK) / (spent - first):,.0f} designs a second after the first chunk ({first:.2f} s)")
    print(f"{done / spent:,.0f} designs a second with it; {time.perf_counter() - start:.1f} s with the drawing")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
