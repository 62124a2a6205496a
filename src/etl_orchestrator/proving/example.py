"""A worked example of the requirements as a typed SQL test: the strongest oracle there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout.sql_test import SqlTest, parameter_field
from etl_orchestrator.requirements import Cell, Example, Requirements, Row
from etl_orchestrator.sql.values import parse_cell
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value

#: The labels of a test that is an example, and of one whose arrays compare in order.
EXAMPLE = "example"
ORDERED = "ordered"

#: What BigQuery adds to the columns of some tables. No file of rows can hold them: a fixture has them from its name.
_PSEUDO = frozenset({"_table_suffix", "_partitiontime", "_partitiondate"})


def test_of(
    example: Example, requirements: Requirements, schemas: Mapping[TableRef, Schema], output: Schema
) -> SqlTest:
    """The example typed by the schemas of the sources and of the output; a table not given is empty.

    Raises InvalidInput at the requirements file for a column that does not exist or a value that does not fit.
    """
    at = requirements.request.at("examples")
    given: dict[TableRef, tuple[Row, ...]] = {}
    for name, rows in example.given.items():
        table = source_of(TableRef.parse(name, requirements.table.project), schemas)
        given[table] = (*given.get(table, ()), *rows)
    tables = {
        table: TableData(schema, tuple(_typed(_stored(row), schema, at) for row in given.get(table, ())))
        for table, schema in schemas.items()
    }
    types = {parameter.name: parameter.type for parameter in requirements.parameters}
    parameters = {
        name: ParameterValue(kind, _value(parameter_field(name, kind), value, at))
        for name, value in example.parameters.items()
        for kind in [types.get(name, "STRING")]
    }
    expect = tuple(_typed(row, output, at) for row in example.expect)
    slug = re.sub(r"[^a-z0-9]+", "_", example.name.lower()).strip("_")[:80]
    labels = (EXAMPLE, ORDERED) if example.ordered else (EXAMPLE,)
    return SqlTest(f"test_{slug}", tables, parameters, expect, output, labels=labels)


def source_of(table: TableRef, sources: Iterable[TableRef]) -> TableRef:
    """The source that a table stands for: itself, or the wildcard that holds it."""
    known = tuple(sources)
    return table if table in known else next((source for source in known if source.covers(table)), table)


def _stored(row: Row) -> Row:
    return {name: cell for name, cell in row.items() if name.lower() not in _PSEUDO}


def _typed(row: Row, schema: Schema, at: str) -> dict[str, Value]:
    """Column names are the same in any case, as in BigQuery."""
    fields = {field.name.lower(): field for field in schema}
    strange = sorted(name for name in row if name.lower() not in fields)
    if strange:
        raise InvalidInput(f"an example names `{strange[0]}`, which is no column there", at=at)
    return {fields[name.lower()].name: _value(fields[name.lower()], cell, at) for name, cell in row.items()}


def _value(column: Field, cell: Cell, at: str) -> Value:
    try:
        return parse_cell(column, cell)
    except InvalidInput as error:
        raise InvalidInput(f"an example: {error.message}", at=at, fix=error.fix) from error
