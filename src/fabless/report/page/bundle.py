"""One file of many: the page's modules as one script, its fonts inside its styles, its data inside
a script element, and the content policy that lets this script run and nothing else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Any

from fabless.report.document import Plain

_PAGE = files("fabless.report.page")
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |const |class )", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:export )?(?:async function|function|const|let|class) (\w+)", re.MULTILINE)
_COMMENT = re.compile(r"^[ ]*(?://[^\n]*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
_TYPE = re.compile(r"/\*\* @(?:type|param)[^\n]*?\*/ ?")
_FONTS = (
    ("Inter Variable", "inter-latin-wght-normal.woff2", "100 900"),
    ("Source Serif 4 Variable", "source-serif-4-latin-wght-normal.woff2", "200 900"),
)


@cache
def page_modules() -> Mapping[str, str]:
    """Source of every module of the page by its name."""
    return {entry.name.removesuffix(".js"): entry.read_text(encoding="utf-8")
            for entry in sorted((_PAGE / "modules").iterdir(), key=lambda entry: entry.name)
            if entry.name.endswith(".js")}


def top_level_names(source: str) -> list[str]:
    """Names that a module defines at its top level.

    >>> top_level_names("const A = 1;\\nexport function b() {}\\n")
    ['A', 'b']
    """
    return _TOP_LEVEL.findall(source)


def modules_in_order(modules: Mapping[str, str]) -> list[str]:
    """Names of the modules that the last one needs, each after those that it imports.

    >>> modules_in_order({"b": 'import { x } from "./a.js";\\n', "a": ""})
    ['a', 'b']
    """
    needs = {name: set(_IMPORT.findall(source)) for name, source in modules.items()}
    return list(TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)}).static_order())


def one_script(modules: Mapping[str, str]) -> str:
    """The modules as one script: imports and exports taken out, and comments, which no reader of
    the file needs."""
    bare = (_EXPORT.sub("", _IMPORT.sub("", modules[name])) for name in modules_in_order(modules))
    return "".join(_TYPE.sub("", _COMMENT.sub("", source)) for source in bare)


def script_hash(script: str) -> str:
    """Hash of a script as a content policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def content_policy(script: str, *, connects: bool = False) -> str:
    """What the page may load: this script, its own styles, fonts and pictures inside it; with
    `connects` it may ask the server that it came from."""
    connect = "'self'" if connects else "'none'"
    return (f"default-src 'none'; script-src 'sha256-{script_hash(script)}'; "
            "style-src 'unsafe-inline'; font-src data:; img-src data:; "
            f"connect-src {connect}; base-uri 'none'; form-action 'none'")


def data_inside(data: Plain) -> str:
    """Data as it stands in the page: JSON, compressed, in letters that can end no element. The same
    data gives the same letters.

    >>> read_data(data_inside({"title": "</script>"}))
    {'title': '</script>'}
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def read_data(text: str) -> Any:
    """Data that stands in a page, as the page's script reads it."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


@cache
def page_styles() -> str:
    """Styles of the first page and of the evidence, each within its part, with the fonts inside."""
    page = (_PAGE / "page.css").read_text(encoding="utf-8")
    evidence = (files("fabless.report") / "templates" / "report.css").read_text(encoding="utf-8")
    return f"{font_faces()}{page}#evidence > .body {{\n{evidence}}}\n"


@cache
def font_faces() -> str:
    """The fonts of the page as styles, with the fonts inside."""
    return "".join(_font_face(*font) for font in _FONTS)


def _font_face(family: str, file: str, weights: str) -> str:
    font = base64.b64encode((_PAGE / "fonts" / file).read_bytes()).decode()
    return (f'@font-face {{ font-family: "{family}"; font-weight: {weights}; font-display: swap; '
            f'src: url(data:font/woff2;base64,{font}) format("woff2"); }}\n')
