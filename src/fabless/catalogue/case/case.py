"""Read a case: a shipped one by name, or a file by path."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from fabless.case_records import Case
from fabless.catalogue.case.faults import schema_error
from fabless.catalogue.case.inherit import completed_document
from fabless.catalogue.case.reader import CaseReader
from fabless.catalogue.case.schema import CaseFile
from fabless.catalogue.facts.store import load
from fabless.catalogue.facts.text import DATA
from fabless.catalogue.files.own import read_text
from fabless.catalogue.files.yaml import Document, read_document
from fabless.errors import BadFile, Fault, unknown

REFERENCE = "openai-2023"
MOST_BYTES = 1_000_000
"""Size up to which a file is read as the base of a case; the largest shipped case is a
fifteenth."""


def shipped_cases() -> list[str]:
    """Names of the shipped cases."""
    return sorted(path.stem for path in (DATA / "cases").glob("*.yaml"))


def reference_text(name: str = REFERENCE) -> str:
    """Return the text of a shipped case; `UnknownName` when there is none of that name."""
    if name not in shipped_cases():
        raise unknown("case", name, shipped_cases(), remedy="name a shipped case or give the path of a case file (.yaml)")
    return (DATA / "cases" / f"{name}.yaml").read_text(encoding="utf-8")


def read_case(path_or_name: str | Path = REFERENCE) -> Case:
    """Read a shipped case by name, or a case file by path.

    Raises `BadFile` for a file that is missing or no YAML, `UnknownName` for unknown keys, chips,
    models, units, ways, `BadValue` for numbers that cannot be and for faults of several kinds,
    `Leak` for facts that became known later. All faults of the form come at once, then all faults
    of what it names.
    """
    text = str(path_or_name)
    path = Path(text)
    if text not in shipped_cases() and (path.suffix or "/" in text or path.exists()):
        return parse_case(read_text(path), text, path.parent)
    return parse_case(reference_text(text), text, DATA)


def parse_case(text: str, place: str, folder: Path) -> Case:
    """Read a case from YAML text; `folder` is where the paths it names start."""
    document = completed_document(read_document(text, place), _base_document, folder)
    try:
        file = CaseFile.model_validate(document.fields)
    except ValidationError as error:
        raise schema_error(error, document) from error
    return CaseReader(file, document, folder, load(file.as_of)).case()


def _base_document(name: str, folder: Path) -> Document | None:
    """The case of a name from which another takes what it leaves out, as written: a shipped one, or
    the file of that name in the folder; None where there is neither."""
    if name in shipped_cases():
        return read_document(reference_text(name), name)
    path = folder / name
    if Path(name).name != name or path.suffix not in (".yaml", ".yml") or not path.is_file():
        return None
    if path.stat().st_size > MOST_BYTES:
        raise BadFile(Fault(str(path), f"{path.stat().st_size:,} bytes", f"at most {MOST_BYTES:,}",
                            "name a case file"))
    return read_document(read_text(path), str(path))
