"""Imports point down only: the ranks of the design, held here."""

import ast
from pathlib import Path

import fabless

RANKS = (
    {"errors"},
    {"units"},
    {"records"},
    {"arrays", "checkpoint", "checks", "executors", "sampling"},
    {"catalogue", "workload"},
    {"perf", "silicon", "tco", "programme", "market"},
    {"contract", "quote"},
    {"strategy", "scenario", "explore"},
    {"plan"},
    {"decide"},
    {"claims", "validate"},
    {"report"},
    {"cli"},
)
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
ROOT = Path(fabless.__file__).parent


def part(path: Path) -> str:
    """Top-level part of the package that a file belongs to."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Parts of fabless that a file imports anywhere: inside functions and under TYPE_CHECKING too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            if module == "fabless":
                found |= {alias.name for alias in node.names}
            elif module.startswith("fabless."):
                found.add(module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("fabless.")}
    return found


def sources() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py" and path != ROOT / "__main__.py")


def test_every_part_has_a_rank() -> None:
    assert {part(path) for path in sources()} == set(RANK)


def test_imports_point_strictly_down() -> None:
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources()
        for name in imported(path) - {part(path)}
        if RANK[name] >= RANK[part(path)]
    ]
    assert upward == []


def test_only_the_catalogue_reads_data() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in sources()
        if RANK[part(path)] < RANK["report"] and part(path) not in {"catalogue"}
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id == "open")
        or (isinstance(node, ast.Attribute) and node.attr in {"read_text", "read_bytes", "open"})
    ]
    assert readers == []
