"""YAML with the line of every key, in which a key given twice is a fault and not a silent
choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from fabless.errors import BadFile, BadValue, Fault


@dataclass(frozen=True)
class Document:
    """A YAML mapping as it was written."""

    place: str
    """The file."""
    fields: Mapping[str, object]
    lines: Mapping[str, int]
    """Dotted path -> line, from 1."""

    def at(self, path: str) -> str:
        """File, line and dotted path; the line of the section where the path itself is not
        there."""
        known = path
        while known and known not in self.lines:
            known = known.rpartition(".")[0]
        return f"{self.place}:{self.lines[known]}: {path}" if known else f"{self.place}: {path}"


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
        lines[dotted] = line
        yield from _given_twice(value, dotted, (*above, node), lines)
