"""The direction of imports: a room knows the wall of tools, never the corridor; a judge never asks the accused."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "etl_orchestrator"

#: From the ground up: a module may import its own layer and those above it in this list.
LAYERS = (
    ("errors", "table"),
    ("finding",),
    ("requirements", "plan"),
    ("model",),
    ("run",),
    ("tools",),
    ("outcome",),
    ("phase", "layout", "monitors", "sql"),
    ("engines", "catalogs", "authors"),
    ("skills", "proving", "gates", "intake"),
    ("phases",),
    ("driver", "store", "codec", "report"),
    ("api",),
    ("cli", "mcp", "pytest_plugin"),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

#: Chosen by `api` alone.
PLAYERS = {"engines", "catalogs", "authors"}

#: (importing package, package it must not import)
FORBIDDEN = {
    ("gates", "authors"),
    ("gates", "skills"),
    ("skills", "gates"),
    ("proving", "skills"),
    ("proving", "gates"),
}


def _modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def _part(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def _imported(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "etl_orchestrator":
                names = [f"etl_orchestrator.{alias.name}" for alias in node.names]
            else:
                names = [node.module or ""]
        else:
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "etl_orchestrator" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1], node.lineno


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_downwards(path: Path) -> None:
    part = _part(path)
    for name, line in _imported(path):
        place = f"{path.relative_to(SOURCE)}:{line} imports {name}"
        assert LEVEL[name] <= LEVEL[part], place
        assert (part, name) not in FORBIDDEN, place
        if name in PLAYERS:
            assert part in PLAYERS | {"api"}, place


def test_only_the_doors_print_or_exit_and_only_the_store_writes() -> None:
    found = []
    for path in _modules():
        part = _part(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            is_door = part in ("cli", "mcp") or path == SOURCE / "api" / "processes.py"  # those it begins have no door
            if called in ("print", "exit", "quit", "sys.exit", "os._exit") and not is_door:
                found.append(f"{path.relative_to(SOURCE)}:{node.lineno} {called}")
            if called.rsplit(".", 1)[-1] in ("write_text", "write_bytes") and part not in ("store", *CACHES):
                found.append(f"{path.relative_to(SOURCE)}:{node.lineno} {called}")
    assert not found


#: They write to their cache folder only.
CACHES = ("engines", "catalogs")


def test_every_part_has_its_layer() -> None:
    assert {_part(path) for path in _modules()} <= set(LEVEL)


def test_no_module_is_named_for_nothing() -> None:
    named = {path.stem for path in _modules()} | {path.name for path in SOURCE.rglob("*") if path.is_dir()}
    assert not named & {"utils", "util", "common", "core", "base", "manager", "helpers", "misc"}
