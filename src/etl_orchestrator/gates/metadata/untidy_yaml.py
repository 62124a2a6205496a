"""A YAML file that the repository's yamllint refuses.

What it checks
    The table's YAML files end in one line end, have no tabs for indentation, no trailing spaces, no line of more than
    160 characters that could be broken, and no more than two empty lines in a row.
Why
    The repository's continuous integration refuses the change for it.
Example
    A description written on one line of 300 characters.
Repair
    Break the line: `description: |-` and shorter lines below it.
"""

from __future__ import annotations

from collections.abc import Iterator

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_WIDTH = 160


def check(model: Model, tools: Tools) -> Verdict:
    folder = paths.table_folder(model.table) + "/"
    files = [a for a in model.artifacts if a.path.startswith(folder) and a.path.endswith((".yaml", ".yml"))]
    if not files:
        return NotDue("there are no YAML files")
    findings = [
        found(
            GATE,
            message,
            f"{file.path}:{line}",
            fix,
            None if file.made_by in ("", "given") else file.made_by,
        )
        for file in files
        for line, message, fix in _problems(file.text)
    ]
    return verdict(findings, f"{len(files)} files are tidy")


def _problems(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, what is wrong, what to do."""
    lines = text.split("\n")
    if lines[-1]:
        yield len(lines), "the file does not end in a line end", "add a line end"
    empty = 0
    for number, line in enumerate(lines, 1):
        # A line of one unbreakable word (an address) is allowed, behind a list dash or comment sign too.
        words = line.strip().removeprefix("- ").removeprefix("# ")
        if len(line) > _WIDTH and " " in words:
            yield number, f"the line has {len(line)} characters, {_WIDTH} are allowed", "break the line"
        if line != line.rstrip():
            yield number, "trailing spaces", "remove them"
        if line[: len(line) - len(line.lstrip())].count("\t"):
            yield number, "indented by a tab", "indent by spaces"
        empty = empty + 1 if not line else 0
        if empty == 3:
            yield number, "more than two empty lines", "leave two at most"


GATE = Gate("MET031", "untidy_yaml", "metadata", check)
