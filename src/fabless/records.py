"""The frozen records that flow through the program, all in SI and USD.

Records hold facts and no behaviour beyond their own checks; how they are read is `catalogue`'s
business, how they are written is `report`'s.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault

Array = NDArray[np.float64]


class Grade(StrEnum):
    """How far a number can be trusted, best first."""

    FILING = "filing"
    OFFICIAL = "official"
    VENDOR_CLAIM = "vendor claim"
    PRESS = "press"
    ANALYST = "analyst"
    DERIVED = "derived"
    ASSUMPTION = "assumption"


@dataclass(frozen=True)
class Source:
    """Where a fact was read."""

    id: str
    title: str
    url: str
    date: str
    """Day, month or year in which it was published: 2023-10-31, 2023-10 or 2023; empty where that
    is not known."""

    @property
    def published(self) -> dt.date | None:
        """The day by which it was public: the last one of a month or year; None where it has no
        date.

        >>> Source("a", "b", "", "2023-02").published
        datetime.date(2023, 2, 28)
        """
        if not self.date:
            return None
        year, *rest = (int(part) for part in self.date.split("-"))
        month = rest[0] if rest else 12
        return dt.date(year, month, rest[1] if rest[1:] else calendar.monthrange(year, month)[1])


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One datum: a field of an entity with its value, band, unit, date and source."""

    entity: str
    field: str
    value: float | str | dt.date
    """Numbers in SI (money in USD of `price_year`); text and dates as they are."""
    low: float | None
    high: float | None
    unit: str
    """The unit the row is written in; values above are already SI."""
    period: str
    """What time the value speaks of (2024, 2024Q3, 2024-06-30), empty where it does not matter."""
    price_year: int | None
    known: dt.date
    """The day it became public: a case with an earlier as-of date cannot see it."""
    grade: Grade
    source: Source
    note: str
    place: str
    """File and line of the row."""


@dataclass(frozen=True)
class Range:
    """A low / mode / high range and the scale on which it is triangular."""

    low: float
    mode: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (self.low, self.mode, self.high)):
            raise BadValue(Fault("range", f"{self}", "finite numbers", "give low, mode and high as finite numbers"))
        if not self.low <= self.mode <= self.high:
            raise BadValue(
                Fault(
                    "range", f"low {self.low:g}, mode {self.mode:g}, high {self.high:g}",
                    "low <= mode <= high", "put the three numbers in rising order",
                )
            )
        if self.scale == "log" and self.low <= 0:
            raise BadValue(Fault("range", f"low {self.low:g} on a log scale", "low > 0", "use scale: linear"))

    @classmethod
    def point(cls, value: float) -> Range:
        """Make a range of zero width."""
        return cls(value, value, value)


@dataclass(frozen=True)
class Band:
    """A quantity over scenarios or draws: P10, P50, P90 and mean."""

    p10: float
    p50: float
    p90: float
    mean: float


@dataclass(frozen=True)
class LogicDie:
    """One kind of logic die in a package."""

    area_m2: float | None
    """Area as built [m2]; None if no source states it."""
    count: int = 1
    """Dies of this kind in the package."""
    node: str | None = None
    """Process of the die if it differs from the chip's."""
    units: int = 1
    """Equal repairable units on the die (cores, clusters); some may fail."""
    units_needed: int = 1
    """Units that must work for the die to be sold."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What stands on the silicon of a chip, as far as its area and power go."""

    dies: tuple[LogicDie, ...] = ()
    clock_hz: float | None = None
    """Clock at which the peak rates are reached."""
    on_chip_bytes: float | None = None
    """SRAM of caches, scratchpads and register files as built, of the whole package."""
    vector_flops: float | None = None
    """fp32 rate of the vector units [FLOP/s]."""
    wide_flops: float | None = None
    """fp64 rate of the vector units [FLOP/s]."""
    memory_sites: int | None = None
    """Memory interfaces on the dies: stacks (dummies included), or channels."""
    interposer_area_m2: float | None = None


@dataclass(frozen=True, kw_only=True)
class Chip:
    """An accelerator, real or hypothetical: its specification and nothing measured.

    Rates are dense (no structured sparsity), per chip or package; bandwidths are bytes/s, network
    ones unidirectional.
    """

    name: str
    vendor: str
    peak_flops: Mapping[str, float]
    """Dense peak by precision [FLOP/s]: fp32, tf32, bf16, fp16, fp8, int8, fp4."""
    memory_bytes: float
    memory_bandwidth: float
    scale_up_bandwidth: float
    """One way out of the chip inside its domain [B/s]."""
    scale_up_domain: int
    """Chips in the fast domain."""
    scale_out_bandwidth: float
    """One way out of the chip between domains [B/s]."""
    tdp_w: float
    node: str | None = None
    die_area_m2: tuple[float, ...] = ()
    """Area of each logic die in the package [m2]."""
    hbm_stacks: int | None = None
    memory_type: str | None = None
    packaging: str | None = None
    kind: str = "merchant"
    """merchant | custom | hypothetical"""
    announced: dt.date | None = None
    available: dt.date | None = None
    efficiency: str | None = None
    """Class of efficiencies, or a chip whose class it takes; None: its vendor's, else the
    default."""
    assumed: tuple[str, ...] = ()
    """Fields that no source gives and that were inherited, with from where, for the reader."""
    architecture: Architecture = Architecture()
    title: str = ""
    """Its name for people, as its maker writes it; empty where only the key is known."""


@dataclass(frozen=True, kw_only=True)
class ProcessNode:
    """A logic process, as a buyer of wafers sees it."""

    name: str
    wafer_price_usd: Range
    defect_density: Range
    """Mature defect density [1/m2]."""
    launch_defect_density: float | None
    """Defect density at the start of volume production [1/m2]."""
    clustering: Range
    """Clustering parameter alpha of the negative binomial law [1]."""
    mask_set_usd: Range | None
    design_cost_usd: Range | None
    """Design of a first chip of this class, software excluded where the source says so."""
    fab_s: float | None
    """Cycle time in the fab [s]."""
    volume_start: dt.date | None = None
    """Start of volume production."""
    learning_s: float | None = None
    """Time constant with which the defect density falls from launch to mature [s]."""
    logic_density: float | None = None
    """Transistors per area that large accelerators reach in logic [1/m2]."""
    sram_density: float | None = None
    """Bits per area of an SRAM macro [1/m2]."""
    energy_scale: float | None = None
    """Switching energy over that of the reference node [1]."""
    clock_hz: float | None = None
    """Clock of accelerators on this node at which `energy_scale` holds [Hz]."""
    fab_energy_per_m2: float | None = None
    """Electricity of the fab per area of wafer [J/m2]."""
    fab_gas_per_m2: float | None = None
    """Direct emissions of the fab per area of wafer [kg/m2]."""


@dataclass(frozen=True, kw_only=True)
class MemoryType:
    """A generation of stacked memory."""

    name: str
    price_usd_per_byte: Range
    stack_bytes: float
    stack_bandwidth: float
    stack_area_m2: float
    """Footprint of a stack on the interposer."""
    stack_width_m: float | None = None
    """Side of a stack that lies along the edge of the logic die [m]."""
    interface_area_m2: float | None = None
    """Interface and controller of one stack (or channel) on the logic die [m2]."""
    energy_per_byte: float | None = None
    """Energy of moving a byte between the stack and the logic die [J/B]."""


@dataclass(frozen=True, kw_only=True)
class Packaging:
    """An advanced-packaging service: bought at its service price, not made from silicon cost."""

    name: str
    interposer_wafer_usd: Range | None
    """Price of the service for one wafer of interposers; None where there is no interposer."""
    interposer_area_per_die_area: Range
    """Interposer area over the summed area of logic dies and memory stacks [1]."""
    attach_yield: Range
    """Share of packages that survive the attachment of one die or stack."""
    probe_coverage: Range
    """Share of bad dies that the test on the wafer finds."""
    substrate_usd: Range
    test_usd: Range
    """Final test and module."""
    interposer_limit_m2: float | None = None
    """Largest interposer on offer [m2]."""


@dataclass(frozen=True, kw_only=True)
class LLM:
    """A language model, in the terms of a Hugging Face `config.json`.

    Every layer has a mixer (attention, or a linear mixer with a fixed state) and a feed-forward,
    dense or a mixture of experts; hybrids that give a layer only one of the two say so by
    `attention_layers`, `linear_layers` and `ffn_layers`. For a mixture of experts `experts` is the
    number of routed experts, `experts_per_token` how many a token uses and `expert_ffn` the width
    of one; `dense_layers` of the feed-forward layers stay dense, of width `ffn`. The numbers may be
    arrays of one shape, an element a model.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    """With latent attention the part of a query head without position (qk_nope_head_dim)."""
    ffn: int
    vocab: int
    gated_ffn: bool = True
    """True: three matrices in the feed-forward (SwiGLU); false: two."""
    tied_embeddings: bool = False
    experts: int = 0
    experts_per_token: int = 0
    expert_ffn: int = 0
    shared_experts: int = 0
    shared_expert_ffn: int = 0
    dense_layers: int = 0
    """Layers with a dense feed-forward in a mixture of experts, wherever they stand."""
    kv_lora_rank: int = 0
    """Latent width of multi-head latent attention; 0: ordinary keys and values."""
    q_lora_rank: int = 0
    rope_head_dim: int = 0
    v_head_dim: int = 0
    sliding_window: int = 0
    """Window of local attention layers [token]; 0: all layers attend to everything."""
    global_layer_share: float = 1.0
    """Share of attention layers with full attention when there is a window."""
    attention_gate: bool = False
    """True: the queries carry a gate of their own width (Qwen 3.5)."""
    linear_layers: int = 0
    """Layers whose mixer keeps a state of fixed size instead of a cache: Mamba 2, gated delta
    net."""
    linear_key_heads: int = 0
    """Groups that share keys (Mamba: n_groups)."""
    linear_value_heads: int = 0
    linear_key_dim: int = 0
    """Width of a key (Mamba: state size); a head's state is key by value width."""
    linear_value_dim: int = 0
    attention_layers: int | None = None
    """Layers with attention; None: all that are not linear."""
    ffn_layers: int | None = None
    """Layers with a feed-forward, dense or mixed; None: all."""
    index_topk: int = 0
    """Tokens that sparse attention keeps of a context (DeepSeek 3.2, GLM 5); 0: it reads all."""
    index_heads: int = 0
    index_head_dim: int = 0
    """Width of the key by which they are chosen, one a token and layer."""
    max_context: int = 0
    params_published: float | None = None
    release: dt.date | None = None
    note: str = ""


@dataclass(frozen=True)
class Request:
    """The shape of a request: tokens in, tokens out."""

    input_tokens: float
    output_tokens: float
    source: str = ""


@dataclass(frozen=True)
class Tree:
    """A scenario tree laid out by node-quarter, parents before children.

    Node-quarter k lies in quarter `quarter[k]` (0 = first) and follows `parent[k]` (-1 for the
    root). Probability is unconditional; the node-quarters of one quarter sum to 1.
    """

    parent: NDArray[np.int64]
    quarter: NDArray[np.int64]
    probability: Array

    def __post_init__(self) -> None:
        last = np.where(self.parent >= 0, self.quarter[self.parent], -1)
        if np.any(self.parent >= np.arange(self.parent.size)) or np.any(self.quarter != last + 1):
            raise ValueError("a tree lists parents before children, one quarter apart")
        for q in range(self.quarters):
            if abs(self.probability[self.quarter == q].sum() - 1.0) > 1e-9:
                raise ValueError(f"probabilities of quarter {q} do not sum to 1")

    @property
    def size(self) -> int:
        """Number of node-quarters."""
        return int(self.parent.size)

    @property
    def quarters(self) -> int:
        """Number of quarters of the horizon."""
        return int(self.quarter.max()) + 1

    @property
    def leaves(self) -> NDArray[np.int64]:
        """Node-quarters of the last quarter."""
        return np.flatnonzero(self.quarter == self.quarters - 1)

    def ancestors(self) -> NDArray[np.int64]:
        """Table (size, quarters): node-quarter on the path to k in quarter q, or -1 past k's own
        quarter."""
        table = np.full((self.size, self.quarters), -1, dtype=np.int64)
        for q in range(self.quarters):
            nodes = np.flatnonzero(self.quarter == q)
            table[nodes, :q] = table[self.parent[nodes], :q]
            table[nodes, q] = nodes
        return table
