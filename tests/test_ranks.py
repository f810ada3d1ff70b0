"""Imports point down only: the ranks of the design, held here."""

import ast
from pathlib import Path

import pytest

import fabless

RANKS = (
    {"errors", "digest", "versions"},
    {"units"},
    {"records", "case_numbers"},
    {"case_records"},
    {"arrays", "checkpoint", "checks", "executors", "sampling", "titles", "wording"},
    {"case_moves", "tco"},
    {"contract", "links"},
    {"catalogue", "workload"},
    {"perf", "silicon", "programme", "market"},
    {"quote"},
    {"asked", "strategy", "scenario", "explore"},
    {"plan"},
    {"decide"},
    {"backtest", "claims", "validate"},
    {"report"},
    {"web"},
    {"cli"},
)
ROOMS = {
    "plan": ({"problem"}, {"result"}, {"lp"}, {"solve"}, {"gates", "decompose", "rule"}, {"lookahead"}),
    "decide": ({"ways", "detail"}, {"fresh"}, {"accounts"}, {"results"}, {"questions"}),
    "catalogue": ({"facts"}, {"model_file"}, {"files"}, {"case"}),
    "perf": ({"efficiency"}, {"machine", "power"}, {"kernels"}, {"serving", "training"}),
}
"""Rooms and modules inside a part, lowest first. The rest is the front: it may import every room,
no room imports it."""
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
ROOT = Path(fabless.__file__).parent


def part(path: Path) -> str:
    """Top-level part of the package that a file belongs to."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Parts of fabless that a file imports anywhere: inside functions and under TYPE_CHECKING
    too."""
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


def rooms_imported(path: Path, part_name: str) -> set[str]:
    """Rooms of its own part that a file imports from."""
    prefix = f"fabless.{part_name}."
    return {
        (f"{node.module}.{alias.name}").removeprefix(prefix).split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(prefix)
        for alias in node.names
    }


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


@pytest.mark.parametrize("name", ROOMS)
def test_rooms_inside_a_part_import_strictly_down(name: str) -> None:
    rank = {room: level for level, rooms in enumerate(ROOMS[name]) for room in rooms}
    files = [path for path in sources() if part(path) == name and path.parent != ROOT / name]
    files += [path for path in sources() if path.parent == ROOT / name and path.stem in rank]
    upward = []
    for path in files:
        room = path.relative_to(ROOT / name).parts[0].removesuffix(".py")
        upward += [
            f"{path.relative_to(ROOT)} imports {name}.{other}"
            for other in rooms_imported(path, name) - {room}
            if rank.get(other, len(rank)) >= rank[room]
        ]
    assert files
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
