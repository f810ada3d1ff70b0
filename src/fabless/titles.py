"""What people call the lines, programmes, contracts and loads of a case: "H100, rented from Azure" for
the key ``azure-rented``.

A case may state a title for a line, a programme or a load. Without one the title comes from the facts:
chip, bought or rented, from whom. Two things never share a title: what tells them apart is added.
Nothing is computed with a title.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from fabless.case_records import Case, Contract, Line, Load, Programme
from fabless.records import Chip
from fabless.units import YEAR_S

IN_PLACE = "existing"
"""Key of the fleet in place among the offers of a plan."""
_PROGRAMMES = MappingProxyType({
    "build": "the own chip", "co-design": "the co-designed chip",
    "acquire": "the acquired company's chip", "partner": "the backer's chip"})
"""Route of a programme -> what its chip is called."""
_BUILD = re.compile(r" (?:SXM\d*|PCIe|OAM|\d+ ?GB)\b| \(.*\)$")
"""What a data sheet adds to the name of a chip: form factor, memory size, a second name."""


def chip_titles(chips: Iterable[Chip]) -> dict[str, str]:
    """Title of each chip by its key: its name without form factor and memory size, or in full where
    two would be the same; the key where the chip has no other name."""
    known = {chip.name: chip for chip in chips}
    return _told_apart({
        key: (_BUILD.sub("", chip.title) or key, chip.title or key, key) for key, chip in known.items()})


def titles(case: Case) -> dict[str, str]:
    """Title of each line, load, programme and contract by section and key
    (``lines.azure-rented``)."""
    chips = chip_titles(_chips(case))
    names = {f"lines.{line.name}": _line_names(line, chips) for line in case.lines}
    names |= {f"loads.{load.name}": _load_names(load) for load in case.loads}
    names |= {f"programmes.{item.name}": _programme_names(item, chips) for item in case.programmes}
    names |= {f"contracts.{item.name}": _contract_names(item, chips) for item in case.contracts}
    return _told_apart(names)


def offer_titles(case: Case) -> dict[str, str]:
    """Title of each offer of a plan: the fleet in place, lines with their coming generations,
    contracts, programmes with their later starts and second generations."""
    known, in_place = titles(case), chip_titles(_chips(case))[case.existing_chip.name]
    offers = {IN_PLACE: f"{in_place}, the fleet in place"}
    offers |= {line.name: known[f"lines.{line.name}"] for line in case.lines}
    offers |= {item.name: known[f"contracts.{item.name}"] for item in case.contracts}
    for item in case.programmes:
        offers |= _of_programme(case, item.name, known[f"programmes.{item.name}"])
    return offers | _told_apart(dict(_coming(case)))


def load_titles(case: Case) -> dict[str, str]:
    """Title of each load by its key."""
    known = titles(case)
    return {load.name: known[f"loads.{load.name}"] for load in case.loads}


def order_titles(case: Case) -> dict[str, str]:
    """Each offer as it follows the number of chips in an order: "H100 from Nvidia" where the title
    is "H100, bought from Nvidia", else "of" with the title."""
    chips = chip_titles(_chips(case))
    return {key: f"of {title}" for key, title in offer_titles(case).items()} | {
        line.name: f"{chips[line.chip.name]} from {_seller(line)}{', prepaid' if line.prepaid else ''}"
        for line in case.lines if not line.title}


def _chips(case: Case) -> Iterator[Chip]:
    yield case.existing_chip
    yield from (line.chip for line in case.lines)
    yield from (item.chip for item in case.programmes)
    yield from (item.made for item in case.contracts if item.made is not None)


def _seller(line: Line) -> str:
    return line.seller or line.vendor


def _line_names(line: Line, chips: Mapping[str, str]) -> tuple[str, ...]:
    paid = "rented from" if line.how == "rent" else "prepaid to" if line.prepaid else "bought from"
    short = line.title or f"{chips[line.chip.name]}, {paid} {_seller(line)}"
    years = (line.term_s or 0.0) / YEAR_S
    term = f"{short} for {years:.3g} year{'' if years == 1.0 else 's'}" if years else short
    return short, term, f"{short} ({line.name})"


def _load_names(load: Load) -> tuple[str, ...]:
    what = "training" if load.model is None else f"queries to {load.model.name}"
    return load.title or what, f"{load.title or what} ({load.name})"


def _programme_names(item: Programme, chips: Mapping[str, str]) -> tuple[str, ...]:
    short = item.title or _PROGRAMMES[item.route]
    return short, f"{short} {chips[item.chip.name]}", f"{short} ({item.name})"


def _contract_names(item: Contract, chips: Mapping[str, str]) -> tuple[str, ...]:
    words = item.kind.replace("_", " ")
    short = f"the {words} contract with {item.vendor} for {chips.get(item.chip, item.chip)}"
    return short, f"{short} ({item.name})"


def _coming(case: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of the coming generations of each line, by offer."""
    chips = chip_titles(_chips(case))
    for line in case.lines:
        for generation in range(1, line.successors + 1):
            paid = (f", rented from {line.seller or line.vendor}" if line.how == "rent"
                    else ", prepaid" if line.prepaid else "")
            short = f"{line.vendor}'s next generation ({generation})"
            yield f"{line.name}+{generation}", (
                f"{short}{paid}", f"{short} after {chips[line.chip.name]}{paid}",
                f"{short} of {line.name}")


def _of_programme(case: Case, name: str, title: str) -> dict[str, str]:
    """Titles of a programme's offers: of a start on the first day and at each branching."""
    starts = {name: title} | {
        f"{name} from {quarter}": f"{title}, started in {quarter}"
        for quarter in (case.first_quarter + boundary for boundary in case.boundaries)}
    return starts | {f"{key}+1": f"the second generation of {text}" for key, text in starts.items()}


def _told_apart(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The first of its names for each key; where two keys share it, the next, and so on to the
    last."""
    chosen = {key: options[0] for key, options in names.items()}
    for place in range(1, max(map(len, names.values()), default=1)):
        shared = {name for name, times in Counter(chosen.values()).items() if times > 1}
        chosen |= {key: options[min(place, len(options) - 1)]
                   for key, options in names.items() if chosen[key] in shared}
    return chosen
