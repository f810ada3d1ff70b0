"""A configuration with the faults found while reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabless.errors import Fault

Fields = dict[str, int | float | bool]
"""Fields of `LLM` by name."""

MAKERS = "take config.json as the model's makers publish it"
_BY_HAND = (
    "this layout is not supported; state the model by its dimensions in a facts file of your own"
)


class Config:
    """Takes values out of a configuration and collects what is wrong with them."""

    def __init__(
        self, values: Mapping[str, object], place: str, parent: Config | None = None
    ) -> None:
        self.values, self.place = values, place
        self.faults: list[Fault] = parent.faults if parent else []
        self.notes: list[str] = parent.notes if parent else []

    def fault(self, name: str, found: str, allowed: str, remedy: str = MAKERS) -> None:
        """Remember a fault of a field."""
        self.faults.append(Fault(f"{self.place}: {name}", found, allowed, remedy))

    def note(self, text: str) -> None:
        """Remember what the record leaves out or rounds."""
        self.notes.append(text)

    def has(self, name: str) -> bool:
        """Whether a field is given."""
        return self.values.get(name) is not None

    def part(self, name: str) -> Config:
        """A configuration inside this one; empty where it is not given."""
        inner = self.values.get(name)
        if inner is not None and not isinstance(inner, dict):
            self.fault(name, f"{inner!r}", "a JSON object")
        return Config(inner if isinstance(inner, dict) else {}, f"{self.place}: {name}", self)

    def _whole(self, name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fault(name, f"{value!r}", "a whole number")
            return 0
        return value

    def count(self, *names: str, default: int | None = None) -> int:
        """The first of `names` that is given, as a whole number; a fault when none is and there is
        no default."""
        for name in names:
            if self.has(name):
                return self._whole(name, self.values[name])
        if default is None:
            self.fault(names[0], "missing", f"a whole number, as {' or '.join(names)}")
            return 0
        return default

    def same(self, *names: str, default: int | None = None) -> int:
        """A whole number, or a list with one per layer; a fault if layers differ."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, list):
                if len({repr(entry) for entry in value}) != 1:
                    self.fault(
                        name, "another number in some layers", "the same in every layer", _BY_HAND
                    )
                    return 0
                return self._whole(name, value[0])
        return self.count(*names, default=default)

    def flag(self, name: str, default: bool) -> bool:
        """A setting that is on or off."""
        value = self.values.get(name)
        return default if value is None else bool(value)

    def listed(
        self, name: str, length: int | None = None, of: str = "num_hidden_layers"
    ) -> list[object] | None:
        """A list, an entry a layer; None where it is not given, a fault when it has another
        length."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, (list, str)):
            self.fault(name, f"{value!r}", "a list with an entry a layer")
            return None
        if length is not None and len(value) != length:
            self.fault(name, f"{len(value)} entries", f"{length} entries, as {of} says")
        return list(value)

    def kinds(
        self, layers: int, known: Sequence[str], name: str = "layer_types"
    ) -> list[str] | None:
        """Kind of each layer; a fault for a kind that is not among `known`."""
        listed = self.listed(name, layers)
        if listed is None:
            return None
        kinds = [str(kind) for kind in listed]
        strange = sorted(set(kinds) - set(known))
        if strange:
            self.fault(name, ", ".join(strange), ", ".join(known), _BY_HAND)
        return kinds

    def only(self, name: str, *allowed: object) -> None:
        """A fault when a setting that the record cannot hold differs from what is `allowed`."""
        value = self.values.get(name)
        if value is not None and value not in allowed:
            self.fault(
                name, f"{value!r}", " or ".join(f"{choice!r}" for choice in allowed), _BY_HAND
            )
