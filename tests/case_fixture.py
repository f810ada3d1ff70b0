"""The smallest case, and files of a user's own to go with it."""

MINIMAL = """\
name: minimal
title: A small service
as_of: 2023-10-31
first_quarter: 2023Q4
quarters: 8
price_year: 2023
seed: 1
dominant_vendor: nvidia
hindsight:
  performance: the model of speed was calibrated later
  epoch-hw: a later table repeats what was announced with the chip
  stas-n: a later guide repeats what was announced with the chip
tree: {boundaries: [2], branching: [2]}
risk: {weight: 0.3, level: 0.9, tolerated_shortage: 0.02}
finance: {real_rate: {value: 0.1}}
demand:
  queries: {low: 1.0e+6, mode: 2.0e+6, high: 4.0e+6, scale: log}
  growth: {low: 1.1, mode: 1.5, high: 2}
  growth_long_run: {value: 1.2}
  growth_fade: {value: 2}
  ceiling: {value: 1.0e+9}
  value_decline: {value: 0.1}
  work_level: {value: 1}
  work_trend: {value: 1}
  load_factor: {value: 0.5}
loads:
  chat:
    kind: inference
    model: llama-2-70b
    input_tokens: 1000
    output_tokens: 200
    precision: int8
    kv_precision: bf16
    tpot: 50 ms
    ttft: 2 s
    unserved_price: {value: 0.01}
existing: {chip: a100-80gb, vendor: nvidia, count: {value: 100}, price: {value: 1.1}, years: {value: 3}}
owning:
  colocation: {value: 150}
  electricity: {value: 0.08}
  pue: {value: 1.3}
  server_power: {value: 1.5}
  server_cost: {value: 10000}
  installation: {value: 1}
  life: {value: 4}
  residual: {value: 0.1}
  upkeep: {value: 0.05}
supply:
  scarce_at_start: {value: 1}
  scarce_duration: {value: 12}
  normal_duration: {value: 24}
  scarce_allotment: {value: 0.5}
  scarce_price: {value: 1.2}
lines:
  h100:
    vendor: nvidia
    chip: h100-sxm
    how: buy
    ways: [buy, diversify, partner, build, acquire]
    first_quarter: 2023Q4
    price: {value: 30000}
    price_decline: {value: 0.1}
    allotment: {value: 1000}
    allotment_growth: {value: 1.5}
    lead_normal: {value: 13}
    lead_scarce: {value: 40}
"""
PROGRAMMES_LATER = ("hindsight:\n", """\
hindsight:
  fabless: assumptions of this catalogue
  pack-hbm-table: a later table repeats what was announced with the memory
  pack-catch: an assumption of a later model
""")
"""Edit that adds what a case with programmes of the reference case uses of a later day."""
OWN_CHIP = """\
chips:
  mine:
    vendor: me
    peak: {bf16: 1000 TFLOP/s}
    memory_capacity: 80 GB
    memory_bandwidth: 3 TB/s
    scale_up_bandwidth: 450 GB/s
    scale_up_domain: 8
    scale_out_bandwidth: 400 Gb/s
    tdp: 700 W
"""
LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
    "intermediate_size": 11008, "vocab_size": 32000, "max_position_embeddings": 4096,
}
TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-10-16 18:15:46,100,10\n2023-10-16 18:15:50,300,30\n"


def edited(text: str, *edits: tuple[str, str]) -> str:
    """The text with each first occurrence replaced; what is not there is an error of the test."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
