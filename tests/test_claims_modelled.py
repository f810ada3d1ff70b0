"""Inputs of claims that this package's models give: each against the model asked directly, and the
claim against a sum by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from fabless.catalogue import Catalogue, load
from fabless.catalogue.files.claims import FactReference, ModelledInput, read_claims
from fabless.claims import ClaimResult, InputUsed, rebuild
from fabless.claims.modelled import modelled_input
from fabless.errors import Leak
from fabless.perf import Formats, ServiceTerms, Traffic, error_band, serve
from fabless.quote import calibration_of
from fabless.records import Request
from fabless.silicon import chip_sheet


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="module")
def found(catalogue: Catalogue) -> dict[tuple[str, str], ClaimResult]:
    """Claims with a way that asks a model."""
    asking = [claim for claim in read_claims() if any(way.modelled for way in claim.rebuilds)]
    return {(result.id, result.variant): result for result in rebuild(catalogue, asking)}


def taken(result: ClaimResult) -> dict[str, InputUsed]:
    return {used.name: used for used in result.inputs}


def asked(**given: object) -> ModelledInput:
    usual = {
        "quantity": "output rate", "model": "llama-2-7b", "chip": "h100-sxm",
        "input_tokens": 300.0, "output_tokens": 500.0, "tpot": "50 ms", "ttft": "4 s",
        "weights": "fp8", "cache": "bf16", "cached": 0.0, "chips": 8, "tokens": 1e11,
        "batch": 512, "sequence": 4096, "facts": {},
    }
    return ModelledInput(**{**usual, **given})  # type: ignore[arg-type]


def test_rate_and_energy_are_what_serving_gives_with_its_error(catalogue: Catalogue) -> None:
    llm, chip = catalogue.model("llama-2-7b"), catalogue.chip("h100-sxm")
    calibration = calibration_of(catalogue, chip)
    served = serve(
        llm, chip, Request(300.0, 500.0),
        ServiceTerms(Formats(weights="fp8", kv="bf16"), 0.05, 4.0, 1.0, Traffic()), calibration)
    rate = modelled_input(catalogue, "rate", asked(), "here")
    assert rate.unit == "token/s"
    assert rate.value == pytest.approx(served.output_tokens_per_s_per_chip)
    error = calibration.error_p90
    assert rate.low == pytest.approx(rate.value * (1 - error))
    assert rate.high == pytest.approx(rate.value * (1 + error))
    energy = modelled_input(catalogue, "energy", asked(quantity="energy of chips"), "here")
    assert energy.value == pytest.approx(served.energy_j_per_query)
    assert (energy.low, energy.high) == pytest.approx(error_band(energy.value, error))


def test_the_band_spans_the_facts_that_the_model_takes(catalogue: Catalogue) -> None:
    """A query of 211 to 2,000 tokens out takes less and more than one of 500."""
    lengths = {"output_tokens": FactReference("chatgpt-query", "output_tokens", None)}
    energy = "energy of chips"
    spread = modelled_input(catalogue, "x", asked(quantity=energy, facts=lengths), "here")
    ends = [
        modelled_input(catalogue, "x", asked(quantity=energy, output_tokens=tokens), "here")
        for tokens in (211.0, 500.0, 2000.0)
    ]
    assert spread.value == pytest.approx(ends[1].value)
    assert spread.low == pytest.approx(ends[0].low)
    assert spread.high == pytest.approx(ends[2].high)


def test_charge_of_a_dollar_is_the_annuity(catalogue: Catalogue) -> None:
    """12 % over four years: 0.12 / (1 - 1.12^-4) = 0.3292 of the price a year, less what the
    residual of a tenth saves, (1.12^-4) / 10."""
    facts = {
        "real_rate": FactReference("datacentre", "discount_rate", None),
        "life": FactReference("vr200-rack", "life", None),
        "residual_share": FactReference("datacentre", "residual_share", None),
    }
    question = asked(quantity="capital charge", chip="", facts=facts)
    charge = modelled_input(catalogue, "charge", question, "here")
    assert charge.value == pytest.approx((1 - 0.1 * 1.12**-4) * 0.12 / (1 - 1.12**-4))
    assert charge.high == pytest.approx(0.20 / (1 - 1.20**-4))  # nothing brought back
    assert charge.low == pytest.approx((1 - 0.3 * 1.10**-4) * 0.10 / (1 - 1.10**-4))


def test_a_model_that_came_later_is_a_leak() -> None:
    then = load(dt.date(2023, 10, 31))
    later = asked(model="deepseek-v3"), asked(chip="vr200"), asked(quantity="training time")
    for question in later:
        with pytest.raises(Leak, match="became known"):
            modelled_input(then, "x", question, "here")


def test_energy_of_a_query_by_hand(found: dict[tuple[str, str], ClaimResult]) -> None:
    for name in (
        ("C17_energy", "an open model of its class"),
        ("C18_altman_energy", "an open model of its class"),
    ):
        chips = taken(found[name])["chip_energy"].value
        assert found[name].rebuilt.mode == pytest.approx(chips * 1.82 * 1.24 / 3600)
    tpu = found["C19_google_energy", "an open model on a TPU"]
    assert tpu.rebuilt.mode == pytest.approx(taken(tpu)["chip_energy"].value * 1.82 * 1.1 / 3600)


def test_chips_for_the_words_by_hand(found: dict[tuple[str, str], ClaimResult]) -> None:
    """A hundred billion words are 1.54 million tokens a second."""
    way = found["C21_words", "chips needed, all GPT-3.5"]
    rate = taken(way)["rate"].value
    assert way.rebuilt.mode == pytest.approx(100e9 / 0.75 / 86400 / rate / 0.5)
    assert way.verdict == "holds"


def test_training_of_deepseek_v3(found: dict[tuple[str, str], ClaimResult]) -> None:
    """2.664 million hours were published; the model states 21 % for mixtures of experts."""
    hours = found["C22_deepseek_training", "hours of pre-training"]
    time = taken(hours)["quantity"]
    assert hours.rebuilt.mode == pytest.approx(2.664e6, rel=0.21)
    assert (time.low, time.high) == pytest.approx((time.value / 1.21, time.value / 0.79))
    cost = found["C22_deepseek_training", "cost of the run"]
    assert cost.rebuilt.mode == pytest.approx((time.value + 124_000) * 2)
    research = found["C22_deepseek_training", "with the research before it"]
    assert research.rebuilt.mode == pytest.approx(10 * cost.rebuilt.mode)
    assert (hours.verdict, cost.verdict, research.verdict) == ("holds", "holds", "breaks")


def test_profit_of_deepseek_at_the_modelled_rate(
    found: dict[tuple[str, str], ClaimResult]
) -> None:
    """168 billion tokens a day at the rate of a chip, 2 USD an hour each; a chip really gave
    168e9 / 86400 / 1814 = 1,072 tokens a second."""
    way = found["C23_deepseek_margin", "fleet by the serving model"]
    rate = taken(way)["rate"].value
    revenue = (342 * 0.14 + 266 * 0.55 + 168 * 2.19) * 1000
    assert way.rebuilt.mode == pytest.approx(100 * (revenue / (168e9 / rate / 3600 * 2) - 1))
    assert rate == pytest.approx(1072, rel=0.36)  # nine in ten measurements on Hopper


def test_rubin_over_blackwell_by_hand(found: dict[tuple[str, str], ClaimResult]) -> None:
    for limit in ("20 ms", "15 ms"):
        way = found["C24_rubin", f"cost of a token at {limit}"]
        rates = taken(way)
        gain = rates["new_rate"].value / rates["old_rate"].value
        assert way.rebuilt.mode == pytest.approx(3.61 / 1.86 / gain)
        assert way.verdict == "breaks"
    train = found["C24_rubin", "GPUs to train"]
    times = taken(train)
    assert train.rebuilt.mode == pytest.approx(times["new_time"].value / times["old_time"].value)


def test_gain_for_a_dollar_by_hand(found: dict[tuple[str, str], ClaimResult]) -> None:
    for name, old_cost, new_cost in (
        (("C29_maia", "against GB300, cost of like chips"), 2.31, 1.27),
        (("C30_mi355x", "the serving model at three-year rents"), 2.9, 2.1),
    ):
        rates = taken(found[name])
        gain = rates["new_rate"].value / rates["old_rate"].value
        assert found[name].rebuilt.mode == pytest.approx(100 * (gain * old_cost / new_cost - 1))


def test_memory_price_with_scrap_by_hand(
    catalogue: Catalogue, found: dict[tuple[str, str], ClaimResult]
) -> None:
    way = found["C32_hbm", "with the memory of failed packages"]
    works = chip_sheet(catalogue, catalogue.chip("b200")).package_yield
    assert way.rebuilt.mode == pytest.approx(4 / works)


def test_price_of_the_rack_behind_an_hourly_charge(
    found: dict[tuple[str, str], ClaimResult]
) -> None:
    """72 chips x 3.28 USD x 8,766 hours over the yearly charge of a dollar."""
    charge = (1 - 0.1 * 1.12**-4) * 0.12 / (1 - 1.12**-4)
    way = found["C33_rack", "capital cost of an hour, run back"]
    assert way.rebuilt.mode == pytest.approx(72 * 3.28 * 8766 / charge)
    assert way.verdict == "holds"
