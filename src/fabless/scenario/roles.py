"""What a number of a case is drawn by: the role it plays, never the name that somebody gave to its
line.

Lines, loads, programmes, contracts, shocks and pools carry labels that a case may choose freely.
Random streams, and the order in which correlated numbers are drawn, go by role instead: another
label, or another line, leaves the draws of the rest as they were. Of several lines, loads or
programmes with the same role the first in the case counts as the first, so that one more of them
leaves the rest alone. Pools and shocks with the same role are told apart by what the case says of
them beside the ranges (members, units, sources, notes), and by their order only where that is the
same too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from fabless.case_records import Case, named


def roles(case: Case) -> dict[str, str]:
    """Role of everything that carries a label, by section and label (``lines.nvidia-owned``)."""
    alike: dict[str, list[str]] = {}
    for label, role in _labelled(case):
        alike.setdefault(role, []).append(label)
    return {
        label: role if place == 0 else f"{role} #{place + 1}"
        for role, labels in alike.items()
        for place, label in enumerate(_told_apart(case, labels))
    }


def _told_apart(case: Case, labels: list[str]) -> list[str]:
    """Labels of one role: pools and shocks in an order that neither their names, nor their ranges,
    nor their places in the file decide."""
    if len(labels) == 1 or not labels[0].startswith(("pools.", "shocks.")):
        return labels
    kind_of = dict(_labelled(case))
    members = {f"pools.{pool.name}": tuple(sorted(
        kind_of.get(f"lines.{name}", kind_of.get(f"programmes.{name}", "")) for name in pool.members))
        for pool in case.pools}
    numbers = named(case.numbers)

    def said(label: str) -> tuple[tuple[str, ...], ...]:
        return members.get(label, ()), *(
            (number.unit, number.source.id, number.note)
            for name, number in numbers.items() if name.startswith(f"{label}."))

    return sorted(labels, key=said, reverse=True)


def role_of(number: str, known: Mapping[str, str]) -> str:
    """A number's name with the role in the place of the label; `known` are the `roles` of its case.

    >>> role_of("lines.mine.price", {"lines.mine": "lines.buy Nvidia h100-sxm"}), role_of("owning.pue", {})
    ('lines.buy Nvidia h100-sxm.price', 'owning.pue')
    """
    section, _, rest = number.partition(".")
    label, _, field = rest.partition(".")
    role = known.get(f"{section}.{label}")
    return number if role is None else f"{role}.{field}"


def drawing_order(case: Case, names: Sequence[str]) -> list[str]:
    """Order numbers so that what is the case's own comes before what a choice of lines may add or
    take away.

    First the market as a whole, then lines of the dominant vendor, other lines, contracts,
    programmes; each by role.
    """
    known = roles(case)
    dominant = {f"lines.{line.name}" for line in case.lines if line.vendor == case.dominant_vendor}
    later = {"lines": 2, "contracts": 3, "programmes": 4}

    def place(name: str) -> tuple[int, str]:
        section, label = name.split(".")[:2]
        return 1 if f"{section}.{label}" in dominant else later.get(section, 0), role_of(
            name, known
        )

    return sorted(names, key=place)


def _labelled(case: Case) -> Iterator[tuple[str, str]]:
    for line in case.lines:
        yield (
            f"lines.{line.name}",
            f"lines.{line.how} {line.vendor} {line.chip.name}{' prepaid' if line.prepaid else ''}",
        )
    for load in case.loads:
        yield (
            f"loads.{load.name}",
            f"loads.{load.kind}" + ("" if load.model is None else f" {load.model.name}"),
        )
    for programme in case.programmes:
        yield f"programmes.{programme.name}", f"programmes.{programme.route}"
    for contract in case.contracts:
        yield (f"contracts.{contract.name}",
               f"contracts.{contract.kind} {contract.how} {contract.vendor} {contract.chip}")
    for shock in case.shocks:
        numbers = case.numbers.shocks[shock.name]
        effects = sorted(
            field.name for field in fields(numbers) if getattr(numbers, field.name) is not None
        )
        yield f"shocks.{shock.name}", " ".join(("shocks.", *sorted(shock.vendors), *effects))
    for pool in case.pools:
        yield f"pools.{pool.name}", "pools."
