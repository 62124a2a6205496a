"""Budgets a test warns of and a reader decides: what exceeds them stands here by name, with the figure that is accepted."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "etl_orchestrator"

#: Longer files that a reader has accepted, with the lines they may have.
ACCEPTED_FILES: dict[str, int] = {}

FILE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 6


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_files_are_read_in_one_sitting() -> None:
    long = {p.relative_to(SOURCE).as_posix(): len(p.read_text().splitlines()) for p in SOURCE.rglob("*.py")}
    assert {name: lines for name, lines in long.items() if lines > ACCEPTED_FILES.get(name, FILE_LINES)} == {}


def test_functions_fit_on_a_screen() -> None:
    long = {
        f"{path.relative_to(SOURCE)}:{node.name}": lines
        for path in SOURCE.rglob("*.py")
        for node in _functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


def test_nobody_takes_too_many_parameters() -> None:
    many = {
        f"{path.relative_to(SOURCE)}:{node.name}": count
        for path in SOURCE.rglob("*.py")
        for node in _functions(path)
        if (count := len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)) > PARAMETERS + 1
    }
    assert many == {}


def test_no_except_swallows_everything() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] != "cli"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    assert found == []
