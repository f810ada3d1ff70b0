"""Performance: a language model on a system of chips, from the data sheet and a few efficiencies.

The layers, each using only the ones before: `machine` reads a chip at number formats, `kernels`
times one kernel or collective, `split` lays a model over chips, `forward` times one pass, `steady`
continuous batching over arrays, `layout` lists splits, `terms` says what is asked, `serve` finds
the best point for a request.
"""

from fabless.arrays import chunked
from fabless.perf.efficiency import Calibration, Efficiency, Engine, error_band
from fabless.perf.machine import Formats, Machine, machine_of, usable_precision
from fabless.perf.serving.forward import Phase, decode_step, forward, prefill
from fabless.perf.serving.layers import ForwardWork
from fabless.perf.serving.layout import candidate_splits
from fabless.perf.serving.serve import Point, Serving, front, serve
from fabless.perf.serving.split import Memory, Split, memory, room
from fabless.perf.serving.steady import Steady, steady_state
from fabless.perf.serving.terms import ServiceTerms, SplitSearch, Traffic
from fabless.perf.train import train_throughput, training_flop_per_token, training_flop_rate

__all__ = [
    "Calibration",
    "Efficiency",
    "Engine",
    "Formats",
    "ForwardWork",
    "Machine",
    "Memory",
    "Phase",
    "Point",
    "ServiceTerms",
    "Serving",
    "Split",
    "SplitSearch",
    "Steady",
    "Traffic",
    "candidate_splits",
    "chunked",
    "decode_step",
    "error_band",
    "forward",
    "front",
    "machine_of",
    "memory",
    "prefill",
    "room",
    "serve",
    "steady_state",
    "train_throughput",
    "training_flop_per_token",
    "training_flop_rate",
    "usable_precision",
]
