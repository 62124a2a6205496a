"""Rows for the engine, every value checked before, because the engine checks none and a short row breaks its memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from etl_orchestrator.engines.googlesql.catalog import pseudo_columns
from etl_orchestrator.engines.googlesql.encoding import encode
from etl_orchestrator.engines.googlesql.protocol import TableContent
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
