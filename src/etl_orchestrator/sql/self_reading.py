"""The columns of a table whose query reads that table: those with which it gives the very same columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis

_ROUNDS = 4


def fixed_point(table: TableRef, others: Iterable[Schema], analyze: Callable[[Schema], Analysis]) -> Analysis:
    """What the query gives when its own table has just these columns.

    `analyze` judges the query for columns of its own table. First it is given those of the other tables read, as if a
    first run had copied them, then what came of it, until the same comes out as goes in. Raises Unavailable when that
    does not happen, or when a column is made of its table alone: then any type would do.
    """
    assumed = _together(others)
    for _ in range(_ROUNDS):
        analysis = analyze(assumed)
        if analysis.problem is not None:
            raise Unavailable(f"`{table}` is made from itself and has no schema.yaml: {analysis.problem.message}")
        if shape(analysis.columns) == shape(assumed):
            _determined(table, analysis)
            note = f"`{table}` reads itself and has no schema.yaml: its columns are those which its query gives again"
            return replace(analysis, notes=(*analysis.notes, note))
        assumed = analysis.columns
    raise Unavailable(f"`{table}` is made from itself and has no schema.yaml: its query gives other columns each time")


def _together(schemas: Iterable[Schema]) -> Schema:
    found: dict[str, Field] = {}
    for schema in schemas:
        for column in schema:
            found.setdefault(column.name.lower(), column)
    return tuple(found.values())


def _determined(table: TableRef, analysis: Analysis) -> None:
    for column in analysis.columns:
        made = analysis.lineage.get(column.name)
        if made is None or made.kind == "unknown" or {source for source, _ in made.sources} == {table}:
            raise Unavailable(f"`{table}` is made from itself and has no schema.yaml: `{column.name}` of nothing else")


def shape(schema: Schema) -> list[tuple[object, ...]]:
    """Names and types, whatever may be NULL."""
    return [(field.name, field.type, field.mode == "REPEATED", shape(field.fields)) for field in schema]
