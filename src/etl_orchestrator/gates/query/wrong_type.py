"""An output column of another type than the requirements declare.

What it checks
    Each declared type, and whether a column is REPEATED, agrees with what the analyzer finds, parts of records
    included. REQUIRED is no property of a query's result and is not compared.
Why
    A reader that was promised an INTEGER breaks on a FLOAT, and a table cannot change the type of a column later.
Example
    `n_orders` is declared INTEGER, and `SUM(amount) / 2` is a FLOAT.
Repair
    Cast the expression, or declare the type it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etl_orchestrator.finding import NotDue, Unchecked, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.requirements import Column, Requirements
from etl_orchestrator.table import LEGACY_TYPES, Schema
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    both = _reading.columns_and_requirements(model, tools)
    if isinstance(both, NotDue | Unchecked):
        return both
    analysis, requirements = both
    findings = [
        found(
            GATE,
            f"`{path}` is {given} and was declared {declared}",
            paths.query_sql(model.table),
            f"cast the expression, or declare {given}, at {_declared_at(requirements, path)}",
            _reading.owner_of(model),
        )
        for path, given, declared in _differences(requirements.body.columns, analysis.columns, "")
    ]
    declared = sum(column.type is not None for column in requirements.body.columns)
    return verdict(findings, f"{declared} declared types agree")


def _declared_at(requirements: Requirements, path: str) -> str:
    return requirements.request.at(f"columns.{path.replace('.', '.fields.')}.type")


def _differences(columns: Sequence[Column], schema: Schema, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Path, type found and type declared of every column where they differ."""
    given = {field.name: field for field in schema}
    for column in columns:
        field = given.get(column.name)
        if field is None:
            continue
        path = f"{prefix}{column.name}"
        type_ = (column.type or field.type).upper()
        type_ = LEGACY_TYPES.get(type_, type_)
        repeated = column.mode is not None and column.mode.upper() == "REPEATED"
        is_repeated = field.mode == "REPEATED"
        if field.type != type_ or (column.mode is not None and repeated != is_repeated):
            shown = is_repeated if column.mode is None else repeated
            yield path, _kind(field.type, is_repeated), _kind(type_, shown)
        yield from _differences(column.fields, field.fields, f"{path}.")


def _kind(type_: str, repeated: bool) -> str:
    return f"REPEATED {type_}" if repeated else type_


GATE = Gate("QRY010", "wrong_type", "query", check)
