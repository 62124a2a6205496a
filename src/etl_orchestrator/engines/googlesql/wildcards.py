"""Wildcard tables that a text names, made of the tables that they match."""

from __future__ import annotations

from collections.abc import Mapping

from etl_orchestrator.engines.googlesql.catalog import SUFFIX_COLUMN
from etl_orchestrator.engines.googlesql.text import wildcards
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import TableData


def with_wildcards(sql: str, tables: Mapping[TableRef, TableData]) -> dict[TableRef, TableData]:
    """The tables, and a table for every wildcard in the text that is not among them but matches some.

    Its columns are those of the last match by name (BigQuery takes the table made last), its rows are those of all.
    """
    found = dict(tables)
    for name in wildcards(sql):
        for project in sorted({table.project for table in tables}):
            try:
                wildcard = TableRef.parse(name, project)
            except InvalidInput:
                continue
            matches = [table for table in sorted(tables) if not table.is_wildcard and _matches(table, wildcard)]
            if matches and wildcard not in found:
                found[wildcard] = _united(wildcard, {table: tables[table] for table in matches})
    return found


def _matches(table: TableRef, wildcard: TableRef) -> bool:
    return (table.project, table.dataset) == (wildcard.project, wildcard.dataset) and table.name.startswith(
        wildcard.name[:-1]
    )


def _united(wildcard: TableRef, matches: Mapping[TableRef, TableData]) -> TableData:
    schema = list(matches.values())[-1].schema
    names = {column.name for column in schema}
    rows = [
        {name: value for name, value in row.items() if name in names}
        | {SUFFIX_COLUMN.name: table.name[len(wildcard.name) - 1 :]}
        for table, data in matches.items()
        for row in data.rows
    ]
    return TableData(schema, tuple(rows))
