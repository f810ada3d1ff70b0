"""Performance: a transformer on a system of chips, from the data sheet and a few efficiencies.

The layers, each using only the ones before: `workload` counts, `operators` times one operator, `phase` one forward
pass, `steady` continuous batching over arrays, `layout` splits the model, `serve` finds the best point for a request.
"""

from fabless.perf.efficiency import Efficiency
from fabless.perf.layout import Parallel
from fabless.perf.phase import Memory, Phase, Widths, decode_step, forward, memory, prefill
from fabless.perf.serve import Serving, serve
from fabless.perf.steady import Steady, steady_state
from fabless.perf.system import System, system_of, usable_precision
from fabless.perf.train import train_throughput, training_flop_per_token, training_flop_rate

__all__ = [
    "Efficiency", "Memory", "Parallel", "Phase", "Serving", "Steady", "System", "Widths", "decode_step", "forward",
    "memory", "prefill", "serve", "steady_state", "system_of", "train_throughput", "training_flop_per_token",
    "training_flop_rate", "usable_precision",
]
