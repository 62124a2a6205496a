"""A column of a query.py whose type nobody declared.

What it checks
    Every column of requirements for a query.py has a `type`, its parts included.
Why
    Python tells no types before it runs; a type that was guessed (STRING) makes numbers into text for good.
Example
    python: the rates come from an API
    columns: [{name: rate, description: Exchange rate}]
Repair
    Write `type: FLOAT` (or what it is) beside each column.
"""

from __future__ import annotations

from collections.abc import Iterator

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.requirements import Column
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None or not requirements.request.python:
        return NotDue("types come from the analyzer: this is no query.py with requirements")
    columns = list(_all(requirements.body.columns))
    findings = [
        found(
            GATE,
            f"the column `{name}` has no type, and Python tells none",
            requirements.request.at("columns"),
            f"write `type:` beside `{name}`",
        )
        for name, column in columns
        if not column.type and not column.fields
    ]
    return verdict(findings, f"{len(columns)} columns have a declared type")


def _all(columns: tuple[Column, ...], prefix: str = "") -> Iterator[tuple[str, Column]]:
    for column in columns:
        yield f"{prefix}{column.name}", column
        yield from _all(column.fields, f"{prefix}{column.name}.")


GATE = Gate("MET006", "untyped_column", "requirements", check)
