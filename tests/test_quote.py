"""Quotes against arithmetic by hand, and the preference among prices against its rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fabless.catalogue import Catalogue, load
from fabless.errors import BadValue, UnknownName
from fabless.perf import Formats, ServiceTerms
from fabless.quote import (
    EFFICIENCY,
    Quote,
    calibration_of,
    number_of,
    owning_of,
    price_of,
    quote,
)
from fabless.records import Fact, Grade, Request, Source
from fabless.tco import Owning, chip_hour_cost

REQUEST = Request(1024.0, 512.0)
AS_OF = dt.date(2023, 10, 31)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def fact(field: str, value: float | str, unit: str = "USD", known: str = "2023-01-01", period: str = "2023") -> Fact:
    return Fact(
        entity="chip", field=field, value=value, low=None, high=None, unit=unit, period=period,
        price_year=2023, known=dt.date.fromisoformat(known), grade=Grade.PRESS,
        source=Source("s", "t", "", ""), note="", place="here:1",
    )


@dataclass(frozen=True)
class Shelf:
    """A catalogue of one chip."""

    facts: tuple[Fact, ...]
    as_of: dt.date | None = None

    def facts_of(self, entity: str) -> tuple[Fact, ...]:
        return self.facts


def chosen(*facts: Fact) -> str:
    return price_of(Shelf(facts), "chip").field  # type: ignore[arg-type]


def quoted(catalogue: Catalogue, chip: str, price: Fact | None = None, load_factor: float = 0.5) -> Quote:
    record = catalogue.chip(chip)
    return quote(
        catalogue.model("llama-3.1-70b"), record, REQUEST, price or price_of(catalogue, chip),
        owning_of(catalogue)[0], calibration_of(catalogue, record),
        ServiceTerms(Formats("bf16", "bf16"), 0.05, 5.0, load_factor),
    )


def test_a_query_costs_its_seconds_of_the_hour(catalogue: Catalogue) -> None:
    found = quoted(catalogue, "h100-sxm")
    seconds = found.serving.chip_seconds_per_query
    assert found.usd_per_query == pytest.approx(found.usd_per_chip_hour / 3600.0 * seconds, rel=1e-12)
    assert found.usd_per_query == pytest.approx(
        found.usd_per_million_output_tokens * REQUEST.output_tokens / 1e6, rel=1e-12)
    assert seconds * found.serving.queries_per_s_per_chip == pytest.approx(1.0)
    assert found.usd_per_chip_hour == pytest.approx(sum(float(amount) for _, amount in found.hour.lines()))


def test_energy_of_a_query_is_measured_at_the_wall(catalogue: Catalogue) -> None:
    found, owning = quoted(catalogue, "h100-sxm"), owning_of(catalogue)[0]
    watts = found.serving.power_w_per_chip * float(np.asarray(owning.server_power)) * float(np.asarray(owning.pue))
    assert found.wh_per_query == pytest.approx(watts * found.serving.chip_seconds_per_query / 3600.0, rel=1e-12)
    # Published estimates of an answer: 0.3 Wh (Epoch AI 2025, GPT-4o), 2.9 Wh (de Vries 2023, GPT-3
    # on A100).
    assert 0.1 < found.wh_per_query < 3.0


def test_lines_of_an_owned_hour_by_hand() -> None:
    owning = Owning(
        real_rate=0.0, colocation_usd_per_w_s=100.0 / 1000 / (8766 / 12 * 3600),
        electricity_usd_per_j=0.1 / 3.6e6, pue=1.25, server_power=2.0, server_usd=8766.0,
        life_s=4 * 8766 * 3600, residual_share=0.0, upkeep_per_s=0.05 / (8766 * 3600),
    )
    hour = chip_hour_cost(4 * 8766.0, owning, rated_power_w=500.0, average_power_w=300.0)
    found = {name: float(amount) for name, amount in hour.lines()}
    assert found["chip"] == pytest.approx(1.0)
    assert found["server"] == pytest.approx(0.25)
    assert found["site"] == pytest.approx(100.0 / 730.5)
    assert found["power"] == pytest.approx(0.6 * 1.25 * 0.1)
    assert found["staff"] == pytest.approx(0.05 * 5.0)
    assert found["rent"] == 0.0


def test_a_rent_is_the_whole_hour(catalogue: Catalogue) -> None:
    found = quoted(catalogue, "h100-sxm", fact("rent_on_demand", 2.0 / 3600.0, "USD/h"))
    assert found.usd_per_chip_hour == pytest.approx(2.0)
    assert [name for name, amount in found.hour.lines() if np.asarray(amount) > 0] == ["rent"]


def test_idle_hours_are_paid(catalogue: Catalogue) -> None:
    rent = fact("rent_on_demand", 2.0 / 3600.0, "USD/h")
    half, full = (quoted(catalogue, "h100-sxm", rent, share) for share in (0.5, 1.0))
    assert half.usd_per_query == pytest.approx(2.0 * full.usd_per_query)
    assert full.wh_per_query < half.wh_per_query < 2.0 * full.wh_per_query


def test_twice_the_price_adds_the_capital_and_upkeep_once_more(catalogue: Catalogue) -> None:
    price = price_of(catalogue, "h100-sxm")
    assert isinstance(price.value, float)
    once, twice, thrice = (quoted(catalogue, "h100-sxm", replace(price, value=k * price.value)) for k in (1.0, 2.0, 3.0))
    assert twice.usd_per_query - once.usd_per_query == pytest.approx(thrice.usd_per_query - twice.usd_per_query)
    assert float(twice.hour.chip_usd) == pytest.approx(2.0 * float(once.hour.chip_usd))
    assert float(twice.hour.server_usd) == float(once.hour.server_usd)


def test_preference_among_prices() -> None:
    list_price, street = fact("price_list", 3e4, known="2023-09-01"), fact("price_street", 2.5e4)
    rent, reserved = fact("rent_on_demand.cloud", 1e-3, "USD/h"), fact("rent_reserved_1y.cloud", 8e-4, "USD/h")
    assert chosen(list_price, street) == "price_street"
    assert chosen(rent, list_price) == "price_list"
    assert chosen(rent, reserved) == "rent_reserved_1y.cloud"
    assert chosen(fact("price_board_share", 2e4), fact("price_model", 1e4)) == "price_board_share"
    assert chosen(fact("rent_spot", 1e-4, "USD/h"), fact("rent_capacity_block", 1e-3, "USD/h")) == "rent_capacity_block"


def test_the_newest_of_a_kind_counts() -> None:
    old, new = fact("price_street", 3e4, known="2022-05-01"), fact("price_street", 2e4, known="2023-05-01")
    average = fact("price_average", 1e4, known="2023-06-01")
    shelf = Shelf((new, old))
    assert price_of(shelf, "chip") is new  # type: ignore[arg-type]
    assert chosen(new, average, old) == "price_average"


def test_a_clouds_own_chip_is_rented() -> None:
    own = fact("kind", "custom", "text")
    assert chosen(own, fact("price_model", 5e3), fact("rent_spot", 1e-4, "USD/h")) == "rent_spot"
    assert chosen(own, fact("price_model", 5e3)) == "price_model"


def test_without_a_price_the_message_names_chip_and_day() -> None:
    with pytest.raises(BadValue, match=r"(?s)chip.*no price is known by 2023-10-31"):
        price_of(Shelf((fact("tdp", 700.0, "W"),), AS_OF), "chip")  # type: ignore[arg-type]


def test_the_case_s_own_day_sees_only_what_was_known() -> None:
    then = load(AS_OF)
    for chip in ("h100-sxm", "tpu-v5e", "a100-80gb"):
        assert price_of(then, chip).known <= AS_OF
    assert price_of(then, "tpu-v5e").unit.endswith("/h")
    assert price_of(then, "h100-sxm").field.startswith("price_street")


def test_efficiency_follows_the_vendor_of_the_chip(catalogue: Catalogue) -> None:
    assert calibration_of(catalogue).name == EFFICIENCY
    assert calibration_of(catalogue, catalogue.chip("h100-sxm")).name == "nvidia-hopper"
    assert calibration_of(catalogue, catalogue.chip("mi300x")).name == "amd-cdna"
    stranger = replace(catalogue.chip("h100-sxm"), name="new", vendor="Nobody", efficiency=None)
    assert calibration_of(catalogue, stranger).name == EFFICIENCY
    assert "nothing is measured on new" in calibration_of(catalogue, stranger).said
    donor = calibration_of(catalogue, replace(stranger, efficiency="mi300x"))
    assert (donor.name, donor.said) == ("amd-cdna", "inherits amd-cdna from mi300x")


def test_an_unknown_engine_names_the_nearest(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownName, match="did you mean engine-vllm"):
        calibration_of(catalogue, None, "engine-vlm")


def test_words_are_no_numbers() -> None:
    with pytest.raises(BadValue, match="a number"):
        number_of(fact("kind", "custom", "text"))
