"""`fabless train`: time, memory, cost, energy and the best parallelism of a training run."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from fabless.asked import attempt, stated_price
from fabless.catalogue import Catalogue, load
from fabless.cli.options import (
    ChipName,
    Json,
    ModelName,
    Pipeline,
    Price,
    Tensor,
    chip_of,
    model_of,
)
from fabless.cli.train_output import TrainAnswer, print_training, training_document
from fabless.errors import BadValue, FablessError, Fault
from fabless.perf.training import (
    Campaign,
    Recipe,
    TimedRecipe,
    TrainingCalibration,
    TrainingMachine,
    best,
    campaign,
    division_faults,
    least_replay,
    planned,
    recomputed,
    training_machine,
)
from fabless.quote import (
    calibration_of,
    hour_at_price,
    owning_of,
    price_of,
    training_calibration,
)
from fabless.records import LLM, Chip, Fact
from fabless.report import as_json
from fabless.wording import plain

_MOST_SEQUENCES = 100_000
"""A batch without a unit counts sequences below this number, and tokens from it on."""


def train(
    model: ModelName,
    chip: ChipName,
    chips: Annotated[int, typer.Option(help="Number of chips.")],
    tokens: Annotated[float, typer.Option(help="Number of tokens to train on, such as 15e12.")],
    batch: Annotated[str, typer.Option(
        help="Batch of one step: '16e6 tokens' or '2048 sequences'; a number without a unit counts "
             "sequences below 100,000 and tokens above.")] = "16e6 tokens",
    seq: Annotated[int, typer.Option(help="Tokens per sequence.")] = 8192,
    precision: Annotated[str, typer.Option(
        help="Number format of the products with weights: bf16, fp16, fp8, mxfp8 or nvfp4.",
    )] = "bf16",
    tensor: Tensor = None,
    pipeline: Pipeline = None,
    context: Annotated[int | None, typer.Option(
        help="Context-parallel degree: chips among which each sequence is split.",
        show_default="the best")] = None,
    expert: Annotated[int | None, typer.Option(
        help="Expert-parallel degree: chips among which the experts are spread.",
        show_default="the best")] = None,
    data: Annotated[int | None, typer.Option(
        help="Data-parallel degree: replicas that process different sequences.",
        show_default="the remaining chips")] = None,
    interleave: Annotated[int | None, typer.Option(
        help="Virtual pipeline stages per chip.", show_default="the best")] = None,
    micro_batch: Annotated[int | None, typer.Option(
        help="Sequences in one micro-batch.", show_default="the best")] = None,
    recompute: Annotated[str | None, typer.Option(
        help="Activations to recompute: none, selective or full.",
        show_default="as few as memory allows")] = None,
    optimizer_sharding: Annotated[int | None, typer.Option(
        help="State that data-parallel ranks shard: 0 none, 1 optimizer state, 2 also gradients, "
             "3 also weights.", show_default="the best")] = None,
    stack: Annotated[str, typer.Option(
        help="Training software whose efficiencies are used, such as megatron-bridge, maxtext, "
             "llm-foundry or torchtitan.", show_default="current compiled stacks")] = "",
    price: Price = None,
    json: Json = False,
) -> None:
    """Say how long a training run takes, what it costs and which parallelism is fastest."""
    degrees = {
        "tensor": tensor, "pipeline": pipeline, "context": context, "expert": expert, "data": data,
        "interleave": interleave, "micro_batch": micro_batch, "sharding": optimizer_sharding,
    }
    answer = _answer(
        load(), model, chip, chips=chips, tokens=tokens, batch=batch, seq=seq, precision=precision,
        degrees=degrees, recompute=recompute, stack=stack, price=price,
    )
    if json:
        typer.echo(as_json(training_document(answer)))
    else:
        print_training(answer, Console())


def _answer(
    catalogue: Catalogue, model: str, chip_name: str, chips: int, tokens: float, batch: str,
    seq: int, precision: str, degrees: dict[str, int | None], recompute: str | None, stack: str,
    price: str | None,
) -> TrainAnswer:
    faults: list[Fault] = []
    fixed: dict[str, float] = {}
    notes: list[str] = []

    for name, value in degrees.items():
        low, high = (0, 3) if name == "sharding" else (1, 10**6)
        if value is not None and not low <= value <= high:
            option = "optimizer-sharding" if name == "sharding" else name.replace("_", "-")
            faults.append(
                Fault(f"--{option}", str(value), f"{low} to {high:,}", "correct the number")
            )
        elif value is not None:
            fixed[name] = float(value)
    for option, amount, most in (
        ("--chips", float(chips), 1e7), ("--tokens", tokens, 1e18), ("--seq", float(seq), 1e8),
    ):
        if not 1.0 <= amount <= most:
            faults.append(Fault(option, f"{amount:g}", f"1 to {most:g}", "correct the number"))
    sequences = _sequences(batch, seq, chips, notes, faults)
    selective = 0.0
    if recompute is not None:
        levels = attempt(faults, recomputed, recompute, "--recompute")
        if levels is not None:
            fixed["replay"], selective = levels
    llm = attempt(faults, model_of, catalogue, model)
    chip = attempt(faults, chip_of, catalogue, chip_name)
    calibration = attempt(faults, training_calibration, catalogue, chip, stack)
    machine = (attempt(faults, training_machine, chip, precision, calibration.efficiency)
               if chip is not None and calibration is not None else None)
    fact = attempt(faults, stated_price, price) if price else None
    if faults or llm is None or chip is None or calibration is None or machine is None:
        raise BadValue(*dict.fromkeys(faults))
    base = Recipe(global_batch=float(sequences), sequence=float(seq), selective=selective)
    plans = _plans(llm, machine, calibration, chips=chips, base=base, fixed=fixed)
    if price is None:
        try:
            fact = price_of(catalogue, chip.name)
        except FablessError as error:
            notes.append(f"no cost: {error.faults[0].found}; give --price")
    power = calibration_of(catalogue, chip).efficiency
    run = campaign(
        plans[0].step, machine, calibration.efficiency, power=power, tokens=tokens,
        batch=plans[0].recipe.tokens,
        chips=float(chips),
    )
    cost, wall = _cost(catalogue, chip, run, fact)
    return TrainAnswer(
        llm=llm, chip=chip, chips=chips, precision=precision, tokens=tokens, plans=plans, run=run,
        price=fact, cost_usd=cost, wall_j=wall, calibration=calibration,
        notes=[*notes, *chip.assumed],
    )


def _sequences(batch: str, seq: int, chips: int, notes: list[str], faults: list[Fault]) -> int:
    """Sequences per step from '16e6 tokens', '2048 sequences' or a bare number.

    Returns 1 and adds a fault if the text is none of these.
    """
    match = re.fullmatch(r"\s*([0-9.,]+(?:[eE]\+?\d+)?)\s*(tokens?|sequences?|seqs?)?\s*", batch)
    try:
        amount = float(match[1].replace(",", "")) if match else math.nan
    except ValueError:
        amount = math.nan
    if not 1.0 <= amount <= 1e12 or seq < 1:
        faults.append(
            Fault(
                "--batch", repr(batch), "'16e6 tokens' or '2048 sequences', 1 to 1e12",
                "correct the batch",
            )
        )
        return 1
    kind = (match[2] or "") if match else ""
    if kind.startswith("s") or (not kind and amount < _MOST_SEQUENCES):
        if amount != int(amount):
            faults.append(
                Fault("--batch", repr(batch), "a whole number of sequences", "correct the batch")
            )
        return max(int(amount), 1)
    exact = amount / seq
    if exact == int(exact):
        return int(exact)
    step: int = 1 << max(round(math.log2(max(exact, 1.0))) - 2, 0)
    sequences = max(round(exact / step), 1) * step
    notes.append(
        f"a batch of {plain(amount)} tokens is rounded to {sequences:,} sequences of {seq:,}: "
        f"{plain(sequences * seq)} tokens"
    )
    return sequences


def _plans(
    llm: LLM, machine: TrainingMachine, calibration: TrainingCalibration, chips: int, base: Recipe,
    fixed: dict[str, float],
) -> list[TimedRecipe]:
    """The recipe that the options state if they state all of it, else the best recipes."""
    splits = {"tensor", "pipeline", "context", "expert"}
    if "data" in fixed and splits - {"expert"} <= set(fixed):
        recipe = replace(base, **{**dict.fromkeys(splits, 1.0), **fixed})
        faults = division_faults(llm, recipe, chips)
        if faults:
            raise BadValue(*(replace(fault, place=f"--{fault.place}") for fault in faults))
        if {"micro_batch", "interleave", "sharding"} <= set(fixed):
            if "replay" not in fixed:
                recipe = replace(
                    recipe, replay=float(least_replay(llm, machine, recipe, calibration.efficiency))
                )
            plan = planned(llm, machine, recipe, calibration.efficiency)
            if plan.memory.free >= 0.0:
                return [plan]
    elif fixed:
        first = {name: fixed.get(name, 1.0) for name in (*splits, "interleave", "micro_batch")}
        data = fixed.get(
            "data", max(chips // int(first["tensor"] * first["pipeline"] * first["context"]), 1)
        )
        guess = replace(base, **first, data=float(data))
        own_faults = [
            fault
            for fault in division_faults(llm, guess, chips)
            if fault.place in fixed and fault.place in ("tensor", "pipeline", "context", "expert")
        ]
        if own_faults:
            raise BadValue(*(replace(fault, place=f"--{fault.place}") for fault in own_faults))
    return best(llm, machine, calibration.efficiency, chips=chips, base=base, fixed=fixed)


def _cost(
    catalogue: Catalogue, chip: Chip, run: Campaign, fact: Fact | None
) -> tuple[float | None, float]:
    """Cost of the run [USD] and its energy at the wall [J]."""
    owning, _ = owning_of(catalogue)
    wall = (
        float(np.asarray(run.energy_j))
        * float(np.asarray(owning.server_power))
        * float(np.asarray(owning.pue))
    )
    if fact is None:
        return None, wall
    hour = hour_at_price(
        fact, owning, rated_power_w=chip.tdp_w, average_power_w=run.power_w_per_chip)
    return float(hour.total_usd) * float(np.asarray(run.chip_hours)), wall
