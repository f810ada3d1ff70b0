"""A small case with one of everything, edits of it, and what it comes to: on the plan and on fresh
paths."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from case_fixture import MINIMAL
from fabless.case_records import Case, named, with_ranges
from fabless.catalogue import load, reference_text
from fabless.catalogue.case import case as reading
from fabless.catalogue.case import reader
from fabless.decide.detail import DETAILS, Detail
from fabless.decide.fresh.judge import Judged, judge
from fabless.decide.ways.choice import Choice, choose
from fabless.decide.ways.prepare import Prepared, prepare, simulated_outcomes_of
from fabless.decide.ways.problem import World, draw_world
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Range
from here import Here

File = dict[str, Any]
"""A case file as YAML reads it."""
Edit = Callable[[File], None]

MORE = """\
tree: {boundaries: [2, 5], branching: [4, 2]}
quarters: 10
demand:
  queries: {low: 2.0e+8, mode: 5.0e+8, high: 1.2e+9, scale: log}
  ceiling: {value: 1.0e+10}
loads:
  chat: {unserved_price: {low: 0.005, mode: 0.01, high: 0.02, scale: log}}
  training:
    kind: training
    flop: {low: 3.0e+24, mode: 6.0e+24, high: 1.2e+25, scale: log}
    growth: {low: 1.1, mode: 1.5, high: 3, scale: log}
    utilisation: {value: 0.4}
    unserved_price: {value: 0.004}
existing: {count: {low: 10000, mode: 20000, high: 30000}}
supply:
  scarce_allotment: {low: 0.3, mode: 0.5, high: 0.8}
  scarce_price: {low: 1, mode: 1.2, high: 1.5}
lines:
  h100:
    price: {low: 25000, mode: 30000, high: 36000}
    allotment: {low: 1000, mode: 3000, high: 8000, scale: log}
    lead_scarce: {low: 13, mode: 26, high: 40}
    successors: 1
    successor_first: {value: 12}
    successor_gap: {value: 24}
    successor_gain: {low: 1.6, mode: 2.2, high: 3}
    successor_price: {value: 1.25}
    successor_power: {value: 1.3}
  azure:
    seller: Azure
    vendor: nvidia
    chip: h100-sxm
    how: rent
    term: 1 year
    ways: [buy, diversify, partner, build, acquire]
    first_quarter: 2023Q4
    price: {low: 2, mode: 2.5, high: 3.2}
    price_decline: {value: 0.18}
    allotment: {low: 2000, mode: 4000, high: 8000, scale: log}
    allotment_growth: {value: 1.5}
    lead_normal: {value: 4}
    lead_scarce: {value: 13}
  amd:
    vendor: AMD
    chip: mi300x-projected
    how: buy
    ways: [diversify]
    first_quarter: 2024Q1
    price: {low: 12000, mode: 17000, high: 22000}
    price_decline: {value: 0.1}
    allotment: {low: 1000, mode: 3000, high: 9000, scale: log}
    allotment_growth: {value: 1.7}
    lead_normal: {value: 13}
    lead_scarce: {value: 26}
    efficiency: {low: 0.5, mode: 0.7, high: 0.9}
    port: {low: 5.0e+5, mode: 1.0e+6, high: 2.0e+6}
  google:
    vendor: Google
    chip: tpu-v5e
    how: rent
    term: 1 year
    ways: [diversify]
    first_quarter: 2024Q2
    price: {low: 0.15, mode: 0.25, high: 0.4}
    price_decline: {value: 0.18}
    allotment: {low: 3000, mode: 10000, high: 30000, scale: log}
    allotment_growth: {value: 1.6}
    lead_normal: {value: 8}
    lead_scarce: {value: 16}
    efficiency: {low: 0.5, mode: 0.75, high: 0.95}
    port: {low: 5.0e+5, mode: 1.0e+6, high: 2.0e+6}
shocks:
  disruption:
    rate: {low: 0.1, mode: 0.3, high: 0.5}
    duration: {value: 6}
    allotment: {low: 0.3, mode: 0.6, high: 0.9}
    price: {value: 1.1}
    lead: {value: 4}
  slump:
    rate: {value: 0.1}
    duration: {value: 12}
    demand: {low: 0.3, mode: 0.6, high: 0.9}
pools:
  packaging:
    members: [h100, azure, amd, backer]
    output: {value: 32000, unit: 1/year}
    chips: {low: 14, mode: 21, high: 29}
    growth: {value: 1.5}
    share: {low: 0.01, mode: 0.02, high: 0.04, scale: log}
  memory:
    members: [h100, amd]
    output: {value: 600000, unit: 1/year}
    chips: {value: 1}
    growth: {value: 1.5}
    share: {low: 0.05, mode: 0.1, high: 0.2, scale: log}
correlations:
  - {pair: [demand.growth, loads.training.growth], value: 0.4}
  - {pair: [lines.h100.allotment, lines.amd.allotment], value: 0.5}
  - {pair: [pools.packaging.share, pools.memory.share], value: 0.7}
  - {pair: [supply.scarce_price, supply.scarce_allotment], value: -0.5}
"""
"""What the small case has beyond the smallest one: four lines, training, shocks, pools and
correlations; its programme is the backer's of the reference case."""
DEAL = {"line": "h100", "kind": "take-or-pay", "ways": ["buy", "diversify", "partner"], "tenor": "1 year",
        "lead": "13 week", "volume": {"value": 1500}, "price": {"value": 26000},
        "firm_share": {"value": 0.7}}
REFERENCE = yaml.safe_load(reference_text())


def _merged(base: File, more: File) -> File:
    """The file with what `more` states in place of its own; numbers are replaced whole."""
    result = dict(base)
    for key, value in more.items():
        old = result.get(key)
        is_number = isinstance(value, dict) and {"value", "mode"} & value.keys()
        both = isinstance(old, dict) and isinstance(value, dict) and not is_number
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _small() -> File:
    file = _merged(yaml.safe_load(MINIMAL), yaml.safe_load(MORE))
    file["chips"] = {name: REFERENCE["chips"][name] for name in ("mi300x-projected", "backer-1")}
    backer = copy.deepcopy(REFERENCE["programmes"]["backer"])
    backer |= {"ended": {"failed": 2.0, "passed": 6.0}, "end_shares": [0.31, 0.06, 0.63],
               "team": {"value": 1.0e6}, "software": {"value": 2.0e6},
               "margin": {"value": 0.1}, "design": {"value": 0},
               "allotment": {"low": 1000, "mode": 4000, "high": 10000, "scale": "log"}}
    file["programmes"] = {"backer": backer}
    file["contracts"] = {"deal": DEAL}
    return file


SMALL = _small()


def reference_cut() -> File:
    """The reference case cut to 16 quarters, 12 scenarios and the backer's programme."""
    file = copy.deepcopy(REFERENCE)
    file["quarters"], file["tree"] = 16, {"boundaries": [2, 6], "branching": [6, 2]}
    file["programmes"] = {"backer": file["programmes"]["backer"]}
    for pool in file["pools"].values():
        pool["members"] = [name for name in pool["members"]
                           if name in file["lines"] or name in file["programmes"]]
    return file


# edits


def put(path: str, value: object) -> Edit:
    """Set what stands at a dotted path, or add it."""
    def edit(file: File) -> None:
        *above, last = path.split(".")
        for part in above:
            file = file[part]
        file[last] = copy.deepcopy(value)

    return edit


def drop(path: str) -> Edit:
    """Take away what stands at a dotted path."""
    def edit(file: File) -> None:
        *above, last = path.split(".")
        for part in above:
            file = file[part]
        del file[last]

    return edit


def times(factor: float, *paths: str) -> Edit:
    """Multiply the numbers at dotted paths; `*` stands for every key."""
    def edit(file: File) -> None:
        for path in paths:
            found = list(_numbers(file, path.split(".")))
            assert found, path
            for number in found:
                for end in ("value", "low", "mode", "high"):
                    if end in number:
                        number[end] *= factor
                if factor == 0:
                    number.pop("scale", None)

    return edit


def _numbers(node: Any, parts: list[str]) -> Iterable[File]:
    if not parts:
        yield node
        return
    keys = list(node) if parts[0] == "*" else [parts[0]]
    for key in keys:
        if key in node:
            yield from _numbers(node[key], parts[1:])


def without(*names: str) -> Edit:
    """The file without some lines and programmes, wherever they are mentioned."""
    def edit(file: File) -> None:
        for section in ("lines", "programmes"):
            file[section] = {key: value for key, value in file[section].items() if key not in names}
        for pool in file["pools"].values():
            pool["members"] = [name for name in pool["members"] if name not in names]
        file["correlations"] = [item for item in file.get("correlations", ()) if not any(
            f".{name}." in number for name in names for number in item["pair"])]

    return edit


def backwards(path: str) -> Edit:
    """Put the items of a section, or of a list, into the opposite order."""
    def edit(file: File) -> None:
        *above, last = path.split(".")
        for part in above:
            file = file[part]
        old = file[last]
        file[last] = old[::-1] if isinstance(old, list) else dict(reversed(old.items()))

    return edit


def renamed(section: str, old: str, new: str) -> Edit:
    """Another name for a line, load, pool, shock, programme or contract, wherever it is
    mentioned."""
    def edit(file: File) -> None:
        file[section] = {new if key == old else key: value for key, value in file[section].items()}
        for pool in file["pools"].values():
            pool["members"] = [new if name == old else name for name in pool["members"]]
        for item in file["correlations"]:
            item["pair"] = [name.replace(f"{section}.{old}.", f"{section}.{new}.")
                            for name in item["pair"]]
        for deal in file.get("contracts", {}).values():
            deal["line"] = new if section == "lines" and deal["line"] == old else deal["line"]

    return edit


def points(file: File) -> None:
    """Every range at its mode, no shock, one regime for ever: nothing is uncertain but the
    programme."""
    def flat(node: Any) -> Any:
        if isinstance(node, dict):
            if "mode" in node:
                return {key: value for key, value in node.items() if key not in ("low", "high", "mode")} | {
                    "value": node["mode"]}
            return {key: flat(value) for key, value in node.items()}
        return node

    for key in list(file):
        file[key] = flat(file[key])
    file.pop("shocks", None)
    file.pop("correlations", None)
    file["supply"] |= {"scarce_at_start": {"value": 0}, "normal_duration": {"value": 1.0e12}}


def sure(file: File) -> None:
    """A programme that cannot end."""
    for item in file["programmes"].values():
        item |= {"gates": {"tape-out": {"failed": 0.0, "passed": 1.0}},
                 "first_silicon_good": {"value": 1.0}, "scope_cut": {"value": 0.0}}
        item.pop("ended", None)
        item.pop("end_shares", None)


def free(file: File) -> None:
    """Programmes that cost nothing."""
    costs = ("team", "software", "masks", "design_cost", "purchase", "metal_respin_cost",
             "full_respin_cost", "margin", "support_share")
    for item in file["programmes"].values():
        item |= {name: {"value": 0.0} for name in costs}


def failing(file: File) -> None:
    """A programme that ends before volume, whatever is done."""
    for item in file["programmes"].values():
        item |= {"ended": {"failed": 1.0, "passed": 0.0}, "end_shares": [0.0, 1.0, 0.0]}


WAYS = ("buy", "diversify", "partner", "portfolio")
PLAIN = (without("backer"), drop("contracts"))
"""Lines alone."""
SECTIONS = ["lines", "loads", "shocks", "pools", "chips", "demand", "owning", "supply", "correlations",
            "contracts", "programmes", "lines.h100", "pools.packaging.members", "lines.h100.ways"]
TWO_PROGRAMMES = (put("programmes.second", SMALL["programmes"]["backer"] | {"route": "co-design"}),
                  put("contracts.deal-2", DEAL | {"line": "azure", "price": {"value": 1.5}}))
LIMITED = (put("limits", {"power": {"2025": {"value": 12}}, "cash": {"2024": {"value": 3.0e8}}}),)


def more(terms: dict[str, object], like: str = "amd") -> Edit:
    return put("lines.more", {"like": like, "ways": ["diversify"], **terms})


USELESS = ("dear", "dear without a port", "beyond the horizon", "no allotment")


def useless(kind: str, like: str = "amd") -> Edit:
    """One line more that no plan uses."""
    dear = {"price": {"value": 1e3 * SMALL["lines"][like]["price"]["mode"]}}
    terms: dict[str, dict[str, object]] = {
        "dear": dear, "dear without a port": dear | {"port": {"value": 0}},
        "beyond the horizon": {"lead_normal": {"value": 500}, "lead_scarce": {"value": 500}},
        "no allotment": {"allotment": {"value": 0}},
    }
    return more(terms[kind], like)


def gift() -> Edit:
    """One line more that asks for nothing, has plenty and delivers at once."""
    nothing = ("price", "port", "lead_normal", "lead_scarce")
    return more({name: {"value": 0} for name in nothing} | {"allotment": {"value": 1e6}})


def is_money(name: str, unit: str) -> bool:
    return "USD" in unit


EXTENSIVE = ("demand.queries", "demand.ceiling", "loads.training.flop", "existing.count")


def is_size(name: str, unit: str) -> bool:
    """Whether a number grows with the company: chips, queries, and what is paid once for all."""
    once = name.endswith((".port", ".team", ".software", ".masks", ".design_cost", ".purchase",
                          ".metal_respin_cost", ".full_respin_cost"))
    of_a_line = name.endswith((".allotment", ".volume")) and name.startswith(
        ("lines.", "programmes.", "contracts."))
    of_the_world = name.startswith("pools.") and name.endswith(".output")
    return once or of_a_line or of_the_world or name in EXTENSIVE or name.startswith("limits.")


# what a case comes to


def text_of(*edits: Edit, base: File = SMALL) -> str:
    """The file of a case, edited."""
    file = copy.deepcopy(base)
    for edit in edits:
        edit(file)
    return yaml.safe_dump(file, sort_keys=False)


catalogue = cache(load)


def read(text: str) -> Case:
    # the facts of the day are read once; edits may drop what a reason for hindsight names
    with patch.object(reading, "load", catalogue), patch.object(reader, "hindsight_faults", lambda *_: []):
        return reading.parse_case(text, "case.yaml", Path("."))


@cache
def prepared_of(text: str) -> Prepared:
    case = read(text)
    return prepare(case, catalogue(case.as_of))


@cache
def world_of(text: str) -> World:
    return draw_world(prepared_of(text))


@cache
def choice_of(text: str, gates: bool = False) -> Choice:
    return choose(world_of(text), None, gates=gates)


@dataclass(frozen=True)
class Small:
    """A case with its ways."""

    choice: Choice

    @property
    def cost(self) -> dict[str, float]:
        """Objective of every way."""
        return {way.name: way.result.objective_usd for way in self.choice.ways}

    def way(self, name: str) -> SolvedWay:
        return next(way for way in self.choice.ways if way.name == name)


def planned(*edits: Edit, base: File = SMALL, gates: bool = False) -> Small:
    """The ways of the edited case on its tree."""
    return Small(choice_of(text_of(*edits, base=base), gates))


def quick(paths: int, branches: int = 1) -> Detail:
    return replace(DETAILS["quick"], paths=paths, branches=branches)


@cache
def judged_of(text: str, paths: int, branches: int, gates: bool, seed: int | None) -> Judged:
    return judge(prepared_of(text), choice_of(text, gates), quick(paths, branches), pool=Here(), seed=seed)


def tried(
    *edits: Edit, base: File = SMALL, paths: int = 8, branches: int = 1, gates: bool = False,
    seed: int | None = None,
) -> Judged:
    """The ways of the edited case on fresh paths."""
    return judged_of(text_of(*edits, base=base), paths, branches, gates, seed)


def with_numbers(prepared: Prepared, changes: Mapping[str, Range]) -> Prepared:
    """A prepared case with other ranges, its programmes simulated again."""
    case = with_ranges(prepared.case, changes)
    return replace(prepared, case=case, simulated={
        item.name: simulated_outcomes_of(item, case) for item in case.programmes})


def scaled(case: Case, factor: float, fits: Callable[[str, str], bool]) -> dict[str, Range]:
    """Ranges times a factor, for the numbers whose name and unit fit."""
    return {name: replace(number.spread, **{
        end: factor * getattr(number.spread, end) for end in ("low", "mode", "high")})
        for name, number in named(case.numbers).items() if fits(name, number.unit)}
