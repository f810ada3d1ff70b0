"""Inputs of a claim that no fact states and this package's own models give: a rate, an energy, a
time, a yield, a capital charge.

Each is worked out at the corners of the facts that it takes and spread by the error that the model
showed against measurements, so that a recipe may treat it like a fact with a band.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from fabless.catalogue.facts.store import Catalogue
from fabless.catalogue.files.claims import FactReference, ModelledInput
from fabless.claims.results import InputUsed
from fabless.perf import (
    Calibration,
    Formats,
    ServiceTerms,
    SplitSearch,
    Traffic,
    error_band,
    machine_of,
    serve,
)
from fabless.perf.serving.disaggregate import disaggregate
from fabless.perf.training import Recipe, best, campaign, training_machine
from fabless.perf.training.calibration import DEFAULT
from fabless.quote import calibration_of, training_calibration
from fabless.records import Chip, Grade, Range, Request, Source
from fabless.silicon import chip_sheet
from fabless.tco import capital_charge_usd
from fabless.units import HOUR_S, YEAR_S, from_si, quantity
from fabless.wording import in_percent

MODEL = Source("model", "a model of this package, see docs/explanation", "", "")
"""Source of what the models give."""


@dataclass(frozen=True)
class ModelAnswer:
    """What a model gives at one point [SI], and where measurements lie."""

    spread: Range
    note: str


def _served(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> tuple[Chip, Calibration, Request, ServiceTerms]:
    """What the serving model is asked."""
    chip = catalogue.chip(asked.chip)
    request = Request(
        known.get("input_tokens", asked.input_tokens),
        known.get("output_tokens", asked.output_tokens),
    )
    terms = ServiceTerms(
        Formats(weights=asked.weights, kv=asked.cache), quantity(asked.tpot, "s", "tpot"),
        quantity(asked.ttft, "s", "ttft"), known.get("load_factor", 1.0),
        Traffic(cached=asked.cached),
    )
    return chip, calibration_of(catalogue, chip), request, terms


def _rate_answer(rate: float, calibration: Calibration) -> ModelAnswer:
    slow, fast = (1.0 / time for time in reversed(error_band(1.0 / rate, calibration.error_p90)))
    return ModelAnswer(Range(slow, rate, fast), _error_note(calibration))


def _error_note(calibration: Calibration) -> str:
    return (
        f"Efficiencies of {calibration.name}; the band holds nine in ten of the measurements "
        f"(within {in_percent(calibration.error_p90)}).")


def _output_rate(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> ModelAnswer:
    """Output tokens of a busy chip [token/s] that does prefill and decode."""
    chip, calibration, request, terms = _served(catalogue, asked, known)
    served = serve(catalogue.model(asked.model), chip, request, terms, calibration)
    return _rate_answer(served.output_tokens_per_s_per_chip, calibration)


def _pooled_output_rate(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> ModelAnswer:
    """Output tokens of a busy chip [token/s], prefill and decode each in a pool of chips."""
    chip, calibration, request, terms = _served(catalogue, asked, known)
    machine, _ = machine_of(chip, terms.formats, calibration)
    pools = disaggregate(
        catalogue.model(asked.model), prefill_machine=machine, decode_machine=machine,
        request=request, terms=terms, search=SplitSearch(max_chips=asked.chips))
    return _rate_answer(pools.best.output_tokens_per_s_per_chip, calibration)


def _chip_energy(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> ModelAnswer:
    """Energy of the chips for a query [J], idle hours included; its error is that of the time."""
    chip, calibration, request, terms = _served(catalogue, asked, known)
    energy = serve(
        catalogue.model(asked.model), chip, request, terms, calibration).energy_j_per_query
    low, high = error_band(energy, calibration.error_p90)
    return ModelAnswer(Range(low, energy, high), _error_note(calibration))


def _training_time(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> ModelAnswer:
    """Chip time of a training run [s] with the fastest parallelism, without stops."""
    llm, chip = catalogue.model(asked.model), catalogue.chip(asked.chip)
    catalogue.facts_of(DEFAULT)  # a leak before the day on which the efficiencies were fitted
    calibration = training_calibration(catalogue, chip, "")
    machine = training_machine(chip, asked.weights, calibration.efficiency)
    base = Recipe(global_batch=float(asked.batch), sequence=float(asked.sequence))
    plan = best(
        llm, machine, calibration.efficiency, chips=asked.chips, base=base, fixed={})[0]
    run = campaign(
        plan.step, machine, calibration.efficiency,
        power=calibration_of(catalogue, chip).efficiency, tokens=asked.tokens,
        batch=plan.recipe.tokens, chips=float(asked.chips))
    time = float(np.asarray(run.chip_hours)) * HOUR_S
    error = max(calibration.error_p90, calibration.error_mixture)
    low, high = error_band(time, error)
    return ModelAnswer(
        Range(low, time, high),
        f"{calibration.said}; the band is {in_percent(error)}, the larger of what nine in ten runs "
        "stayed within and the median of mixtures of experts.",
    )


def _package_yield(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> ModelAnswer:
    """Share of packages that work [1]."""
    value = chip_sheet(catalogue, catalogue.chip(asked.chip)).package_yield
    return ModelAnswer(Range.point(value), "Cost model of the chip; a point.")


def _capital_charge(
    catalogue: Catalogue, asked: ModelledInput, known: Mapping[str, float]
) -> ModelAnswer:
    """Level charge for a dollar of price [1/s]."""
    charge = capital_charge_usd(
        1.0, known["residual_share"], known["life"], known["real_rate"], YEAR_S)
    return ModelAnswer(
        Range.point(float(charge) / YEAR_S), "Annuity of the price less what a sale brings back.")


_QUANTITIES: Mapping[
    str, tuple[str, Callable[[Catalogue, ModelledInput, Mapping[str, float]], ModelAnswer]]
] = MappingProxyType(
    {
        "output rate": ("token/s", _output_rate),
        "output rate of pools": ("token/s", _pooled_output_rate),
        "energy of chips": ("J", _chip_energy),
        "training time": ("h", _training_time),
        "package yield": ("1", _package_yield),
        "capital charge": ("1/year", _capital_charge),
    }
)
"""Name of a quantity -> its unit, and the model that gives it."""


def _corners(
    catalogue: Catalogue, facts: Mapping[str, FactReference]
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Facts at their mode, and at every corner of their bands [SI]."""
    bands = {
        name: catalogue.range(where.entity, where.field, where.period)
        for name, where in facts.items()
    }
    ends = itertools.product(*((band.low, band.high) for band in bands.values()))
    return (
        {name: band.mode for name, band in bands.items()},
        [dict(zip(bands, corner, strict=True)) for corner in ends],
    )


def modelled_input(
    catalogue: Catalogue, name: str, asked: ModelledInput, place: str
) -> InputUsed:
    """What the model gives for an input, in the unit of its quantity.

    The mode is at the modes of its facts; the band spans the answers at all corners of their bands.
    Raises what the models raise: a chip or model that became known later is a `Leak`.
    """
    unit, model = _QUANTITIES[asked.quantity]
    modes, corners = _corners(catalogue, asked.facts)
    answer = model(catalogue, asked, modes)
    spreads = [answer.spread] + [
        model(catalogue, asked, corner).spread for corner in corners if corner != modes
    ]
    low = min(spread.low for spread in spreads)
    high = max(spread.high for spread in spreads)
    return InputUsed(
        name=name, fact=str(asked), value=from_si(answer.spread.mode, unit),
        low=from_si(low, unit), high=from_si(high, unit), unit=unit, grade=Grade.DERIVED,
        source=MODEL, note=answer.note, place=place.rpartition("/")[2], modelled=True,
    )
