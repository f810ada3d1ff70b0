"""Files that come through the web: read from their text, without a path to anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fabless.case_records import Case
from fabless.catalogue.case.case import parse_case
from fabless.catalogue.files.trace import Trace, parse_trace
from fabless.catalogue.files.yaml import read_document
from fabless.catalogue.model_file import parse_model
from fabless.errors import BadFile, BadValue, Fault
from fabless.records import LLM

LARGEST_CASE = 256 * 1024
LARGEST_MODEL = 256 * 1024
LARGEST_TRACE = 3 * 1024 * 1024
"""Characters of each kind of file."""
MOST_BRACKETS = 20_000
"""Opening brackets in a file: more are no case."""
PLACE = "upload"
_NOWHERE = Path("/nowhere")
"""No file of this folder is ever asked for: names of files are refused before."""
_FILES = (".json", ".csv", ".yaml", ".yml")


def uploaded_case(text: str) -> Case:
    """A case from an uploaded text; raises the errors of `read_case`, and `BadValue` where it names
    a file."""
    _check_size(text, LARGEST_CASE)
    document = read_document(text, PLACE)
    faults = [
        Fault(document.at(path), f"{value[:80]!r}, a file", "a name of the catalogue",
              "an uploaded case may not read files: upload the file by itself, or name what is shipped")
        for path, value in _texts(document.fields) if _names_a_file(path, value)]
    if faults:
        raise BadValue(*faults)
    return parse_case(text, PLACE, _NOWHERE)


def uploaded_model(text: str) -> LLM:
    """A language model from the text of its config.json."""
    _check_size(text, LARGEST_MODEL)
    return parse_model(text, PLACE, PLACE)


def uploaded_trace(text: str) -> Trace:
    """A request trace from its CSV text."""
    _check_size(text, LARGEST_TRACE)
    return parse_trace(text, PLACE, PLACE)


def _check_size(text: str, most: int) -> None:
    if len(text) > most:
        raise BadFile(Fault(PLACE, f"{len(text):,} characters", f"at most {most:,}", "send a smaller file"))
    if "\0" in text:
        raise BadFile(Fault(PLACE, "a file that is no text", "text in UTF-8",
                            "send the file itself, not packed or compressed"))
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise BadFile(Fault(PLACE, "brackets without end", f"at most {MOST_BRACKETS:,}", "send a case"))


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted path of every text of a document, each object looked at once."""
    seen: set[int] = set()
    todo: list[tuple[str, object]] = [(path, value)]
    while todo:
        place, item = todo.pop()
        if isinstance(item, str):
            yield place, item
        elif isinstance(item, Mapping | list) and id(item) not in seen:
            seen.add(id(item))
            pairs = item.items() if isinstance(item, Mapping) else enumerate(item)
            todo += [(f"{place}.{key}" if place else str(key), inner) for key, inner in pairs]


def _names_a_file(path: str, value: str) -> bool:
    """Whether a text of a case leads to a file: fields that may name one, by ending or by folder.

    >>> _names_a_file("loads.chat.model", "../secret.json"), _names_a_file("title", "a/b.json")
    (True, False)
    """
    key = path.rpartition(".")[2]
    return key in ("from", "model", "trace", "chip") and (
        value.lower().endswith(_FILES) or "/" in value or "\\" in value)
