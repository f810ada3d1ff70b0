"""The cases that a server offers: shipped, of this machine, uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fabless.case_records import Case
from fabless.catalogue import read_case, shipped_cases
from fabless.errors import unknown
from fabless.web.store import Store
from fabless.web.uploads import uploaded_case


@dataclass(frozen=True)
class KnownCases:
    """Cases by the name under which the server offers them."""

    store: Store
    own: tuple[Path, ...] = ()

    def names(self) -> dict[str, str]:
        """Name -> title, the shipped ones first."""
        shipped = {name: _shipped(name).title for name in shipped_cases()}
        files = {path.stem: read_case(path).title for path in self.own}
        return shipped | files | dict(self.store.cases())

    def case(self, name: str) -> Case:
        """A case by its name; raises `UnknownName` for one that is not offered."""
        if name in shipped_cases():
            return _shipped(name)
        for path in self.own:
            if path.stem == name:
                return read_case(path)
        text = self.store.case_text(name)
        if text is None:
            raise unknown("case", name[:80], list(self.names()), "case")
        return uploaded_case(text)


@lru_cache(maxsize=32)
def _shipped(name: str) -> Case:
    return read_case(name)
