"""YAML with the line of every key, in which a key given twice is a fault and not a silent
choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from fabless.errors import BadFile, BadValue, Fault

MOST_ENTRIES = 100_000
"""Keys and items up to which a file is read: aliases of aliases make a short file grow without
end. The largest shipped file has a twentieth."""


@dataclass(frozen=True)
class Document:
    """A YAML mapping as it was written, or as it becomes with what it takes from another one."""

    place: str
    """The file."""
    fields: Mapping[str, object]
    lines: Mapping[str, int]
    """Dotted path -> line in this file, from 1."""
    base: Document | None = None
    """What the file takes from another one, with the lines there."""

    def at(self, path: str) -> str:
        """File, line and dotted path; the line of the section where the path itself is not
        there."""
        known = path
        while known and self._line(known) is None:
            known = known.rpartition(".")[0]
        line = self._line(known)
        return f"{self.place}: {path}" if line is None else f"{line}: {path}"

    def states(self, path: str) -> bool:
        """Whether the file itself has a path, not the one from which it takes the rest."""
        return path in self.lines

    def is_placed(self, place: str) -> bool:
        """Whether a place lies in this file or in one from which it takes something."""
        return place.startswith(self.place) or (
            self.base is not None and self.base.is_placed(place))

    def _line(self, path: str) -> str | None:
        """File and line of a path."""
        if path in self.lines:
            return f"{self.place}:{self.lines[path]}"
        return None if self.base is None else self.base._line(path)


class _Loader(yaml.SafeLoader):
    """Names the line of a value that cannot be, such as a month 13."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error


def read_document(text: str, place: str) -> Document:
    """Read a YAML mapping.

    Raises `BadFile` with the line when the text is no YAML or no mapping, `BadValue` with every key
    given twice.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        lines: dict[str, int] = {}
        twice = [] if root is None else list(_given_twice(root, "", (), lines))
        fields = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _no_yaml(
            f"{place}:{mark.line + 1}" if mark else place, error.problem or str(error)
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _no_yaml(place, str(error)) from error
    finally:
        loader.dispose()
    if twice:
        raise BadValue(
            *(
                Fault(
                    f"{place}:{line}: {path}", f"given twice, first in line {lines[path]}",
                    "each key once", "take one of the two out",
                )
                for path, line in twice
            )
        )
    if not isinstance(fields, dict):
        reason = "is empty" if fields is None else f"holds one {type(fields).__name__}"
        raise BadFile(
            Fault(
                place, reason, "a YAML mapping, lines such as 'name: value'", "see `fabless init`"
            )
        )
    return Document(place, fields, lines)


def _no_yaml(place: str, reason: str) -> BadFile:
    return BadFile(
        Fault(
            place, f"is not YAML: {reason}", "a YAML mapping, lines such as 'name: value'",
            "mend this line or the one before it",
        )
    )


def _given_twice(
    node: yaml.Node, path: str, above: tuple[yaml.Node, ...], lines: dict[str, int]
) -> Iterator[tuple[str, int]]:
    """Path and line of every key that its mapping has already; the line of every other key goes
    into `lines`."""
    if node in above:
        raise yaml.MarkedYAMLError(
            problem="an alias that contains itself", problem_mark=node.start_mark
        )
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(str(index), value, value) for index, value in enumerate(node.value)]
    else:
        return
    for name, key, value in pairs:
        dotted, line = f"{path}.{name}" if path else name, key.start_mark.line + 1
        if dotted in lines:
            yield dotted, line
            continue
        if len(lines) >= MOST_ENTRIES:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MOST_ENTRIES:,} entries, those of aliases counted each time",
                problem_mark=key.start_mark)
        lines[dotted] = line
        yield from _given_twice(value, dotted, (*above, node), lines)
