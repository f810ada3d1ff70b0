"""Cost of an hour of a chip (owned, reserved or rented), of a token and of a query.

All money is real USD of one price year and all rates are real. There is one discounting function;
capital becomes a level charge by the annuity that it implies, so that owning, reserving and renting
stand on one footing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.records import Array
from fabless.units import HOUR_S, YEAR_S

FLAT_RATE = 1e-12
"""Rates smaller than this count as 0, which moves an annuity over a century by 1e-10."""


def discount_factor(real_rate: ArrayLike, time_s: ArrayLike) -> Array:
    """Value today of one real dollar at a later time: ``(1 + rate)^-(time / year)``.

    Parameters (broadcast): `real_rate` per year [share], over -0.5 and at most 1; `time_s` from today [s], not negative.

    >>> round(float(discount_factor(0.10, 2 * 365.25 * 86400)), 6)
    0.826446
    """
    require("tco", _rate(real_rate), Bound("time_s", time_s, 0, 1000 * YEAR_S, "count seconds from today"))
    return np.exp(-np.log1p(number(real_rate)) * number(time_s) / YEAR_S)


def capital_recovery_factor(real_rate: ArrayLike, life_s: ArrayLike, period_s: float = YEAR_S) -> Array:
    """Level payment at the end of each period that repays one dollar over a life: ``i / (1 - (1 +
    i)^-n)``.

    ``i = (1 + rate)^(period / year) - 1`` is the rate per period and ``n = life / period`` the number of payments; at
    rate 0 the factor is 1 / n.

    Parameters: `real_rate` per year [share], `life_s` [s] broadcast; `period_s` [s]. Raises `BadValue` on a rate outside
    (-0.5, 1] or a life that is not over 0.

    >>> round(float(capital_recovery_factor(0.10, 5 * 365.25 * 86400)), 6)
    0.263797
    """
    period = Bound("period_s", period_s, 0, 100 * YEAR_S, "give seconds", open_low=True)
    require("tco", _rate(real_rate), _life(life_s), period)
    log_rate, life = np.broadcast_arrays(np.log1p(number(real_rate)), number(life_s))
    flat = np.abs(log_rate) < FLAT_RATE
    safe = np.where(flat, 1.0, log_rate)
    factor = np.expm1(safe * period_s / YEAR_S) / -np.expm1(-safe * life / YEAR_S)
    return np.where(flat, period_s / life, factor)


def capital_charge_usd(
    price_usd: ArrayLike, residual_share: ArrayLike, life_s: ArrayLike, real_rate: ArrayLike,
    period_s: float,
) -> Array:
    """Level charge at the end of each period for the use of a thing that is sold at the end of its
    life.

    ``(price - residual share * price * discount_factor(rate, life)) * capital_recovery_factor``: the discounted charges
    add up to the price less the discounted residual.

    Parameters (broadcast): `price_usd` [USD], `residual_share` of the real price at the end [share, 0 to 1], `life_s` [s],
    `real_rate` per year [share]; `period_s` [s]. Limits: residual 1 leaves the interest alone; rate 0
    the straight line.
    """
    require(
        "tco",
        _price("price_usd", price_usd),
        _residual(residual_share),
        _rate(real_rate),
        _life(life_s),
    )
    recovered = number(residual_share) * discount_factor(real_rate, life_s)
    return np.asarray(number(price_usd) * (1.0 - recovered) * capital_recovery_factor(real_rate, life_s, period_s))


def _none() -> Array:
    return np.asarray(0.0)


@dataclass(frozen=True, kw_only=True)
class Owning:
    """Costs of owning a chip besides its price; numbers or arrays that broadcast."""

    real_rate: ArrayLike
    """Discount rate per year [share]."""
    life_s: ArrayLike
    residual_share: ArrayLike
    """Share of the real price that a sale brings back at the end of life."""
    server_usd: ArrayLike
    """Price of the server and network of one chip."""
    upkeep_per_s: ArrayLike
    """Spares, service and staff: yearly share of the price, as [1/s]."""
    colocation_usd_per_w_s: ArrayLike
    """Rent of the site per watt of provisioned power."""
    electricity_usd_per_j: ArrayLike
    pue: ArrayLike
    """Energy of the whole site over that of the computers [ratio]."""
    server_power: ArrayLike
    """All-in server power over the rated power of its chips [ratio]."""
    plant_usd_per_w: ArrayLike = 0.0
    """Building and plant bought, per watt of provisioned power."""
    plant_life_s: ArrayLike = YEAR_S
    """Life of building and plant; used only if they are bought."""
    staff_usd_per_s: ArrayLike = 0.0
    """Staff per chip, beyond the share of the price in `upkeep_per_s`."""
    availability: ArrayLike = 1.0
    """Share of hours in which the chip is up."""

    def bought_usd(self, price_usd: ArrayLike) -> Array:
        """Price of a chip with all that is bought with it."""
        return np.asarray(number(price_usd) + number(self.server_usd))


@dataclass(frozen=True, kw_only=True)
class ChipHour:
    """Cost of an hour in which a chip stands ready [USD/h], by line; a line that is not given costs
    nothing."""

    chip_usd: Array = field(default_factory=_none)
    server_usd: Array = field(default_factory=_none)
    """Capital of server and network."""
    site_usd: Array = field(default_factory=_none)
    power_usd: Array = field(default_factory=_none)
    staff_usd: Array = field(default_factory=_none)
    """Staff and maintenance."""
    rent_usd: Array = field(default_factory=_none)
    """Rent paid to a cloud: the hourly rate, plus the hour's part of any prepayment."""

    @property
    def total_usd(self) -> Array:
        """Sum of the lines."""
        return np.asarray(sum((amount for _, amount in self.lines()), np.asarray(0.0)))

    @property
    def equipment_usd(self) -> Array:
        """Sum of the lines that are capital of what is bought beside the chip."""
        return self.server_usd

    @property
    def running_usd(self) -> Array:
        """Sum of the lines that fall due as the chip runs: all but the capital of what is
        bought."""
        return self.total_usd - self.chip_usd - self.equipment_usd

    def lines(self) -> tuple[tuple[str, Array], ...]:
        """Name and amount of every line that adds up to the total."""
        return tuple((item.name.removesuffix("_usd"), getattr(self, item.name)) for item in fields(self))


def chip_hour_cost(
    price_usd: ArrayLike, owning: Owning, *, rated_power_w: ArrayLike, average_power_w: ArrayLike,
    charged_every_s: float = HOUR_S,
) -> ChipHour:
    """Cost of an hour of an owned chip that is ready for work.

        chip, server = hourly capital charge of each price over the life
        site  = rated W * server power * (rent + hourly capital charge of the plant)
        power = PUE * average W * server power * USD/J * 3600
        staff = staff + upkeep share * price of chip and server
        all divided by availability

    Parameters (broadcast): `price_usd` of the chip [USD]; `owning`; `rated_power_w` and
    `average_power_w` of the chip alone [W], to which its server adds in proportion. Capital charges
    fall at the end of each period of `charged_every_s` [s] and are spread evenly over its hours.
    Limits: free power and rate 0 leave the straight line. Raises `BadValue` with every number out
    of range.
    """
    server = np.asarray(owning.server_power, dtype=float)
    average, rated = server * average_power_w, server * rated_power_w
    require(
        "tco",
        _rate(owning.real_rate),
        _life(owning.life_s),
        _residual(owning.residual_share),
        _price("server_usd", owning.server_usd),
        _price("price_usd", price_usd),
        Bound("upkeep_per_s", owning.upkeep_per_s, 0, 1 / YEAR_S, "1 a year is 3.2e-8 /s"),
        Bound(
            "electricity_usd_per_j", owning.electricity_usd_per_j, 0, 1e-5,
            "0.1 USD/kWh is 2.8e-8 USD/J",
        ),
        Bound("pue", owning.pue, 1, 5, "site energy over computer energy is at least 1"),
        Bound(
            "colocation_usd_per_w_s", owning.colocation_usd_per_w_s, 0, 1e-3,
            "100 USD/kW/month is 3.8e-8 USD/W/s",
        ),
        Bound("plant_usd_per_w", owning.plant_usd_per_w, 0, 1e4, "give USD per W"),
        Bound(
            "plant_life_s", owning.plant_life_s, 0, 200 * YEAR_S,
            "give the life of the plant in seconds", open_low=True,
        ),
        Bound("average_power_w", average, 0, 1e7, "give W per chip"),
        Bound("rated_power_w", rated, 0, 1e7, "give W per chip"),
        Bound("staff_usd_per_s", owning.staff_usd_per_s, 0, 1e3, "give USD/s per chip"),
        Bound(
            "availability", owning.availability, 0, 1,
            "give the share of hours in which the chip is up", open_low=True,
        ),
    )
    up, hours = number(owning.availability), charged_every_s / HOUR_S

    def hourly(price_usd: ArrayLike, residual_share: ArrayLike, life_s: ArrayLike) -> Array:
        return capital_charge_usd(
            price_usd, residual_share, life_s, owning.real_rate, charged_every_s) / hours

    plant = hourly(owning.plant_usd_per_w, 0.0, owning.plant_life_s)
    upkeep = number(owning.staff_usd_per_s) + number(owning.upkeep_per_s) * owning.bought_usd(price_usd)
    return ChipHour(
        chip_usd=hourly(price_usd, owning.residual_share, owning.life_s) / up,
        server_usd=hourly(owning.server_usd, owning.residual_share, owning.life_s) / up,
        site_usd=number(rated) * (number(owning.colocation_usd_per_w_s) * HOUR_S + plant) / up,
        power_usd=number(owning.pue) * number(average) * number(owning.electricity_usd_per_j)
        * HOUR_S / up,
        staff_usd=upkeep * HOUR_S / up,
    )


def rented_chip_hour(
    rent_usd_per_s: ArrayLike,
    *,
    prepaid_usd: ArrayLike = 0.0,
    term_s: ArrayLike = YEAR_S,
    real_rate: ArrayLike = 0.0,
    staff_usd_per_s: ArrayLike = 0.0,
) -> ChipHour:
    """Cost of an hour of a chip rented by the hour, or reserved for a term.

    ``rent = rate + hourly capital charge of the prepayment over the term``; site and power are the cloud's. A reserved
    hour is paid whether used or not, a rented one only when used: that is the busy share's business
    in `usd_per_query`.

    Parameters (broadcast): `rent_usd_per_s` per chip [USD/s]; `prepaid_usd` at the start of the term [USD], `term_s`
    [s], `real_rate` per year [share]; `staff_usd_per_s` the tenant's own [USD/s].

    >>> float(rented_chip_hour(2.0 / 3600).total_usd)
    2.0
    """
    require(
        "tco",
        _rate(real_rate),
        _price("prepaid_usd", prepaid_usd),
        Bound("term_s", term_s, 0, 200 * YEAR_S, "give the term in seconds", open_low=True),
        Bound("rent_usd_per_s", rent_usd_per_s, 0, 1e3, "2 USD/h is 5.6e-4 USD/s"),
        Bound("staff_usd_per_s", staff_usd_per_s, 0, 1e3, "give USD/s per chip"),
    )
    return ChipHour(
        staff_usd=number(staff_usd_per_s) * HOUR_S,
        rent_usd=number(rent_usd_per_s) * HOUR_S
        + capital_charge_usd(prepaid_usd, 0.0, term_s, real_rate, HOUR_S),
    )


def usd_per_million_tokens(chip_hour_usd: ArrayLike, tokens_per_s: ArrayLike, busy_share: ArrayLike = 1.0) -> Array:
    """Cost of a million tokens: ``hour / (3600 * tokens/s * busy share) * 1e6``.

    Parameters (broadcast): `chip_hour_usd` paid for every hour [USD/h]; `tokens_per_s` of one chip while busy;
    `busy_share` of the paid hours [share], which is 1 for chips rented only when used.

    >>> round(float(usd_per_million_tokens(3.6, 1000.0, 0.5)), 9)
    2.0
    """
    require("tco", Bound("tokens_per_s", tokens_per_s, 0, 1e12, "give tokens/s of one chip", open_low=True))
    return usd_per_query(chip_hour_usd, 1e6 / number(tokens_per_s), busy_share)


def usd_per_query(chip_hour_usd: ArrayLike, chip_s_per_query: ArrayLike, busy_share: ArrayLike = 1.0) -> Array:
    """Cost of a query: ``hour / 3600 * chip seconds / busy share``.

    Parameters (broadcast): `chip_hour_usd` [USD/h]; `chip_s_per_query` chips times seconds that a query keeps busy [s];
    `busy_share` of the paid hours [share]. Raises `BadValue` on a busy share outside (0, 1].
    """
    require(
        "tco",
        Bound("chip_hour_usd", chip_hour_usd, 0, 1e9, "give USD per hour"),
        Bound("chip_s_per_query", chip_s_per_query, 0, 1e15, "give chip seconds"),
        Bound(
            "busy_share", busy_share, 0, 1, "give the share of paid hours with work", open_low=True
        ),
    )
    return np.asarray(number(chip_hour_usd) / HOUR_S * number(chip_s_per_query) / number(busy_share))


def _price(name: str, usd: ArrayLike) -> Bound:
    return Bound(name, usd, 0, 1e13, "give USD")


def _rate(real_rate: ArrayLike) -> Bound:
    return Bound("real_rate", real_rate, -0.5, 1.0, "give the yearly real rate as a share: 10 % is 0.10", open_low=True)


def _life(life_s: ArrayLike) -> Bound:
    return Bound("life_s", life_s, 0, 200 * YEAR_S, "give a life over 0, in seconds", open_low=True)


def _residual(share: ArrayLike) -> Bound:
    return Bound("residual_share", share, 0, 1, "give the share of the price that a sale brings back")
