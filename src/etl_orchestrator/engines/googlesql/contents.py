"""Rows for the engine, every value checked before, because the engine checks none and a short row breaks its memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from etl_orchestrator.engines.googlesql.catalog import SUFFIX_COLUMN, pseudo_columns
from etl_orchestrator.engines.googlesql.encoding import encode
from etl_orchestrator.engines.googlesql.protocol import TableContent
from etl_orchestrator.engines.googlesql.text import wildcards
from etl_orchestrator.engines.googlesql.types import parse_type
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.values import check, empty, refuse_unknown
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value


def check_rows(table: TableRef, data: TableData) -> None:
    """Raises InvalidInput naming table, row, field and value."""
    columns = _columns(table, data)
    names = [column.name for column in columns]
    for number, row in enumerate(data.rows, start=1):
        try:
            refuse_unknown(row, names, str(table))
            for column in columns:
                check(column, row.get(column.name, empty(column)))
        except InvalidInput as error:
            raise InvalidInput(error.message, at=f"{table}, row {number}", fix=error.fix) from None


def check_parameter(name: str, parameter: ParameterValue) -> Field:
    """The field a parameter fills; raises InvalidInput when its value does not fit its type."""
    kind = parse_type(name, parameter.type)
    try:
        check(kind, parameter.value)
    except InvalidInput as error:
        raise InvalidInput(error.message, at=f"parameter @{name}", fix=error.fix) from None
    return kind


def content_of(table: TableRef | str, data: TableData) -> Any:
    """Checked rows as the contents of a table, columns in the order of its proto."""
    columns = _columns(table, data)
    content = TableContent()
    content.table_data.SetInParent()
    for given in data.rows:
        row = _partitioned(given)
        cells = content.table_data.row.add().cell
        cells.extend(encode(column, row.get(column.name, empty(column))) for column in columns)
    return content


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


def _columns(table: TableRef | str, data: TableData) -> tuple[Field, ...]:
    return (*data.schema, *pseudo_columns(table, data.schema))


def _partitioned(row: Mapping[str, Value]) -> Mapping[str, Value]:
    """Of the two names for the partition, one may be given."""
    moment, day = row.get("_PARTITIONTIME"), row.get("_PARTITIONDATE")
    if isinstance(moment, datetime) and day is None:
        return {**row, "_PARTITIONDATE": moment.date()}
    if day is not None and moment is None:
        return {**row, "_PARTITIONTIME": datetime.combine(day, time(), UTC)}
    return row
