"""One call over arrays of models, machines, splits, batches and lengths gives what single calls
give."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from itertools import product

import numpy as np
import pytest

from fabless import perf
from fabless.arrays import chunked, pick, shape_of, stack
from fabless.catalogue import Catalogue, load
from fabless.errors import BadValue
from fabless.perf import Formats, ForwardWork, Machine, Split, Traffic
from fabless.quote import calibration_of
from fabless.records import LLM
from fabless.workload import parameters, shape

MODELS = (
    "llama-3.1-70b", "gpt-3-175b", "mixtral-8x7b", "deepseek-v3", "qwen3-next-80b-a3b",
    "gpt-oss-120b", "nemotron-h-56b", "gemma-3-27b", "deepseek-v3.2",
)
"""Dense, without gates, mixture of experts, latent, hybrid, sliding window, layers of one kind
only, window, sparse."""
CHIPS = ("h100-sxm", "mi300x", "tpu-v5e")
FORMATS = (Formats("bf16", "bf16"), Formats("fp8", "fp8"), Formats("int4", "bf16", "bf16"))


@cache
def catalogue() -> Catalogue:
    return load()


@cache
def models() -> tuple[LLM, ...]:
    return tuple(shape(catalogue().model(name)) for name in MODELS)


@cache
def machines() -> tuple[Machine, ...]:
    found = []
    for name, formats in product(CHIPS, FORMATS):
        chip = catalogue().chip(name)
        calibration = calibration_of(catalogue(), chip)
        found.append(perf.machine_of(chip, formats, calibration)[0])
    return tuple(found)


def numbers(record: object, index: tuple[int, ...], whole: tuple[int, ...]) -> list[float]:
    """Every number of a result at one point."""
    if is_dataclass(record):
        return [number for field in fields(record) for number in numbers(getattr(record, field.name), index, whole)]
    return [float(np.broadcast_to(np.asarray(record, dtype=float), whole)[index])]


def test_every_kind_of_model_is_among_them() -> None:
    llms = models()
    for name in ("experts", "kv_lora_rank", "linear_layers", "sliding_window", "shared_experts"):
        assert {bool(getattr(llm, name)) for llm in llms} == {True, False}


def test_one_call_equals_single_calls() -> None:
    """Models x machines x splits with batches and lengths of their own, prefix cache and drafts
    included."""
    llms, chips = models(), machines()
    split = Split(
        np.array([1.0, 8.0, 16.0, 4.0]), np.array([1.0, 2.0, 1.0, 1.0]),
        np.array([1.0, 1.0, 16.0, 1.0]), np.array([1.0, 1.0, 2.0, 2.0]),
    )
    entered, written = np.array([512.0, 8192.0, 100.0, 3000.0]), np.array([256.0, 64.0, 2000.0, 1.0])
    batch = np.array([1.0, 64.0, 500.0, 33.0])
    cached, drafts = np.array([0.0, 0.5, 0.0, 0.0]), np.array([0.0, 0.0, 2.0, 0.0])
    whole = (len(llms), len(chips), 4)
    together = perf.steady_state(
        stack(llms, following=2), stack(chips, following=1), split, entered, written, batch,
        Traffic(cached, drafts, drafts / 2.0),
    )
    assert np.shape(together.tpot_s) == whole
    for index in np.ndindex(whole):
        k = index[-1]
        one = perf.steady_state(
            llms[index[0]], chips[index[1]], pick(split, np.array(k)), entered[k], written[k],
            batch[k], Traffic(cached[k], drafts[k], drafts[k] / 2.0),
        )
        np.testing.assert_allclose(numbers(together, index, whole), numbers(one, (), ()), rtol=1e-12, atol=1e-300)


def test_blocks_give_what_one_call_gives() -> None:
    llm, machine = models()[0], stack(machines(), following=2)
    split = Split(np.array([1.0, 2.0, 8.0])[:, None])
    batch = np.arange(1.0, 8.0)
    whole = perf.decode_step(llm, machine, split, batch, 2048.0)
    for block in (1, 5, 7, 20, 10_000):
        parts = chunked(perf.decode_step, llm, machine, split, batch, context=2048.0, block=block)
        for field in fields(whole):
            np.testing.assert_allclose(getattr(parts, field.name), getattr(whole, field.name), rtol=1e-12)


def test_inputs_that_do_not_matter_still_give_their_shape() -> None:
    """An axis is not lost where the kernels that it would matter to do not occur."""
    llm, machine = models()[0], machines()[0]
    three = np.arange(1.0, 4.0)
    assert np.shape(perf.forward(llm, machine, Split(1.0), ForwardWork(sequences=0.0, context=three)).time_s) == (3,)
    assert np.shape(perf.decode_step(llm, machine, Split(1.0, expert=three), 8.0, 100.0).time_s) == (3,)
    assert shape_of(llm, machine, Split(three)) == (3,)


def test_models_stack_by_their_shapes() -> None:
    raw = [catalogue().model(name) for name in catalogue().models()]
    together = parameters(stack([shape(llm) for llm in raw]))
    np.testing.assert_allclose(together.total, [float(parameters(llm).total) for llm in raw], rtol=1e-12)
    with_and_without = [next(llm for llm in raw if (llm.ffn_layers is None) == missing) for missing in (True, False)]
    with pytest.raises(BadValue, match=r"workload\.shape"):
        stack(with_and_without)
