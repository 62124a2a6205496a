"""SQL tests: rows of the tables read, parameters, and the rows expected, as that repository's pytest plugin has them.

A test is a folder `tests/sql/<project>/<dataset>/<table>/test_<name>/` of `<project>.<dataset>.<table>.yaml` fixtures,
`query_params.yaml` and `expect.yaml`. The plugin types a fixture by `<fixture>.schema.yaml` (or .json) beside the test
*folder*, else by the schema.yaml of that table, else by the pipeline's schemas, else by guessing.
"""

from __future__ import annotations

import codecs
import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from etl_orchestrator.layout import paths, schema_yaml, yaml_text
from etl_orchestrator.model import Artifact
from etl_orchestrator.sql import values
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value

EXPECT = "expect"
PARAMETERS = "query_params"

#: The name of the test for which the plugin runs the first build of the table.
FIRST_RUN = "test_init"

#: Columns that the plugin takes out of every result, so that no expectation can be about them.
IGNORED = frozenset({"created_at", "generated_time"})

#: The day in the name of a wildcard's fixture when there is no parameter of type DATE to take it from.
_ANY_DAY = "20250601"
_LABELS = "# labels: "


@dataclass(frozen=True, slots=True)
class SqlTest:
    """One test. `schema` types the expected rows (empty: each value as what its file makes of it).

    `comments` are lines of words by place: a file (`expect`, `query_params`, `p.d.t`) or one row of it, from 0
    (`expect:2`). `labels` tell where the expectation comes from and stand at the head of expect.yaml.
    `views` are fixtures given by a query; `written` is how the names of the fixtures' files call their tables.
    """

    name: str  # test_…
    tables: Mapping[TableRef, TableData]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    expect: tuple[Mapping[str, Value], ...] = ()
    schema: Schema = ()
    comments: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    views: Mapping[TableRef, str] = field(default_factory=dict)
    written: Mapping[TableRef, str] = field(default_factory=dict, compare=False)

    @property
    def is_first_run(self) -> bool:
        return self.name == FIRST_RUN


def write(table: TableRef, test: SqlTest, made_by: str) -> tuple[Artifact, ...]:
    """The files of one test of `table`, sorted by path; raises InvalidInput for a value that is not of its type."""
    folder = paths.test_folder(table, test.name)
    files: dict[str, str] = {}
    for source, data in test.tables.items():
        rows = [_row(data.schema, row, str(source)) for row in data.rows]
        files[f"{fixture_of(source, test)}.yaml"] = _rows_text(rows, str(source), test)
    expected = [_expected_row(test.schema, row) for row in test.expect]
    head = f"{_LABELS}{', '.join(test.labels)}\n" if test.labels else ""
    files[f"{EXPECT}.yaml"] = head + _rows_text(expected, EXPECT, test)
    if test.parameters:
        rows = [_parameter(name, parameter) for name, parameter in test.parameters.items()]
        files[f"{PARAMETERS}.yaml"] = _rows_text(rows, PARAMETERS, test)
    return tuple(Artifact(f"{folder}/{name}", files[name], made_by) for name in sorted(files))


def schema_files(
    table: TableRef, schemas: Mapping[TableRef, Schema], fixtures: Iterable[str], made_by: str
) -> tuple[Artifact, ...]:
    """Schemas beside the tests of `table`, for the fixtures of tables that have no schema.yaml in the repository.

    `fixtures` are the names of all fixtures: those of a wildcard have the days of their tests in them, and the plugin
    looks for the schema under the very name."""
    folder = paths.tests_folder(table)
    named = sorted(set(fixtures))
    return tuple(
        Artifact(f"{folder}/{name}.schema.yaml", schema_yaml.write(schema), made_by)
        for source, schema in sorted(schemas.items())
        for name in named
        if source.covers(TableRef.parse(name))
    )


def comment_place(file: str | TableRef, row: int | None = None) -> str:
    """The key of `SqlTest.comments` for a file (`expect`, `query_params`, a table) or one row of it, from 0."""
    return str(file) if row is None else f"{file}:{row}"


def fixture_of(source: TableRef, test: SqlTest) -> str:
    """A wildcard's fixture is one of its tables: the plugin turns `x_20250601` into `x_*` in the query."""
    days = [parameter.value for parameter in test.parameters.values() if isinstance(parameter.value, date)]
    return _concrete(source, days[0].strftime("%Y%m%d") if days else _ANY_DAY)


def _concrete(source: TableRef, day: str) -> str:
    return f"{str(source)[:-1]}{day}" if source.is_wildcard else str(source)


def _rows_text(rows: Iterable[Mapping[str, object]], file: str, test: SqlTest) -> str:
    parts = [_comment(test.comments.get(file))]
    for number, row in enumerate(rows):
        parts.append(_comment(test.comments.get(comment_place(file, number))))
        parts.append(yaml_text.dump([row]))
    return "".join(parts) if len(parts) > 1 else f"{parts[0]}[]\n"


def _comment(text: str | None) -> str:
    lines = [part for line in (text or "").splitlines() for part in textwrap.wrap(line, 110) or [""]]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _row(schema: Schema, row: Mapping[str, Value], where: str) -> dict[str, object]:
    """A row of a fixture in the order of the schema; what is NULL is left out."""
    values.refuse_unknown(row, [column.name for column in schema], where)
    return _without_nulls(
        {column.name: _cell(column, row[column.name]) for column in schema if row.get(column.name) is not None}
    )


def _cell(column: Field, value: Value) -> object:
    """JSON is written as the document it is: BigQuery would load text as a JSON string."""
    if value is None:
        return None
    if column.mode == "REPEATED":
        element = Field(column.name, column.type, "NULLABLE", None, column.fields)
        return [_cell(element, item) for item in value]
    if column.type == "RECORD":
        return {part.name: _cell(part, value.get(part.name)) for part in column.fields}
    if column.type == "JSON":
        document = json.loads(value)
        return value if isinstance(document, str) else document
    return values.cell_of(column, value)


def _without_nulls(row: dict[str, object]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            kept[name] = _without_nulls(value)
        elif isinstance(value, list):
            kept[name] = [_without_nulls(item) if isinstance(item, dict) else item for item in value]
        elif value is not None:
            kept[name] = value
    return kept


def _expected_row(schema: Schema, row: Mapping[str, Value]) -> dict[str, object]:
    """As the plugin prints a result: no NULL columns, empty arrays, BYTES as base64 in lines, nothing of IGNORED."""
    if not schema:
        return {name: coerced(value) for name, value in row.items() if value is not None and name not in IGNORED}
    values.refuse_unknown(row, [column.name for column in schema], EXPECT)
    made: dict[str, object] = {}
    for column in schema:
        value = row.get(column.name)
        if column.name in IGNORED or (value is None and column.mode != "REPEATED"):
            continue
        made[column.name] = _expected_cell(column, value)
    return _without_nulls(made)


def _expected_cell(column: Field, value: Value) -> object:
    if column.mode == "REPEATED":
        element = Field(column.name, column.type, "NULLABLE", None, column.fields)
        return [_expected_cell(element, item) for item in value or ()]
    if isinstance(value, bytes):
        return coerced(value)
    if column.type == "RECORD" and value is not None:
        return {
            part.name: _expected_cell(part, value.get(part.name)) for part in column.fields if part.name not in IGNORED
        }
    return _cell(column, value)


def coerced(value: Value) -> Any:
    """A value as the plugin compares it: dates and decimals as text, BYTES as base64, no NULL and IGNORED columns."""
    if isinstance(value, Mapping):
        return {key: coerced(part) for key, part in value.items() if part is not None and key not in IGNORED}
    if isinstance(value, list | tuple):
        return [coerced(part) for part in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return values.cell_of(Field("decimal", "BIGNUMERIC"), value)
    if isinstance(value, bytes):
        return codecs.encode(value, "base64").decode().strip()
    return value


_ARRAY = re.compile(r"\s*ARRAY\s*<\s*(\w+)\s*>\s*\Z", re.IGNORECASE)


def parameter_field(name: str, kind: str) -> Field:
    """A parameter's GoogleSQL type (`DATE`, `ARRAY<STRING>`) as a field, for reading and writing its value."""
    array = _ARRAY.match(kind)
    return Field(name, array[1], "REPEATED") if array else Field(name, kind.strip())


def _parameter(name: str, parameter: ParameterValue) -> dict[str, object]:
    """Scalars by name, type and value; arrays as the REST API of BigQuery writes them, which the plugin passes on."""
    column = parameter_field(name, parameter.type)
    value = values.cell_of(column, parameter.value)
    if column.mode != "REPEATED":
        return {"name": name, "type": parameter.type, "value": value}
    element = _ARRAY.sub(r"\1", parameter.type)
    items = value if isinstance(value, list) else []
    return {
        "name": name,
        "parameterType": {"type": "ARRAY", "arrayType": {"type": element}},
        "parameterValue": {"arrayValues": [{"value": _text(item)} for item in items]},
    }


def _text(item: object) -> str:
    return ("true" if item else "false") if isinstance(item, bool) else str(item)
