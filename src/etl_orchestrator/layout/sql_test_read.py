"""The files of an SQL test as a typed `SqlTest`: ours (`read`), or any as that repository's plugin loads it (`load`)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import schema_yaml, yaml_text
from etl_orchestrator.layout.autodetect import detected
from etl_orchestrator.layout.sql_test import EXPECT, PARAMETERS, SqlTest, comment_place, parameter_field
from etl_orchestrator.sql import values
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value

_ROW_FILES = ("yaml", "json", "ndjson", "csv")
_EXPECT_FILES = ("yaml", "json", "ndjson")
#: What BigQuery loads, and the plugin with it, that is no text.
_BINARY_FILES = ("parquet", "avro", "orc", "backup_info", "export_metadata")
_LABELS = "labels: "

SchemaOf = Callable[[TableRef], Schema | None]


def read(files: Mapping[str, str], table: TableRef, schema_of: SchemaOf, name: str = "test_case") -> SqlTest:
    """A test of `table` from its files by name, with the `.schema.yaml` and `.schema.json` that lie beside its folder.

    `schema_of` types the fixtures that have no such file, and the expected rows. Raises Unavailable when it answers
    None for one of them; InvalidInput, at the file, for rows that do not fit.
    """
    return _Reader(files, table, schema_of).test(name)


def load(files: Mapping[str, str], table: TableRef, schema_of: SchemaOf, name: str = "test_case") -> SqlTest:
    """The same as the plugin takes it: a fixture that neither a file nor `schema_of` describes has the schema that
    BigQuery detects, and the expected rows are what their file says, which no schema types."""
    return _Reader(files, table, schema_of, as_plugin=True).test(name)


@dataclass(slots=True)
class _Reader:
    files: Mapping[str, str]
    table: TableRef
    schema_of: SchemaOf
    as_plugin: bool = False
    tables: dict[TableRef, TableData] = field(default_factory=dict)
    views: dict[TableRef, str] = field(default_factory=dict)
    written: dict[TableRef, str] = field(default_factory=dict)
    parameters: dict[str, ParameterValue] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def test(self, name: str) -> SqlTest:
        for file in sorted(self.files):
            stem, _, kind = file.rpartition(".")
            if not stem or stem.endswith(".schema"):
                continue
            if kind in _BINARY_FILES:
                raise Unavailable(f"the fixture `{file}` is {kind}, which is not read here", at=file, fix="use NDJSON")
            if kind == "sql":
                self.views[self.source(stem, file)] = self.files[file]
            elif kind in _ROW_FILES and stem == PARAMETERS:
                self.parameters = _parameters(_documents(self.files[file], file, kind), file)
            elif kind in _ROW_FILES and stem != EXPECT:
                self.fixture(stem, file, kind)
            self.comments.update(_comments(self.files[file], stem) if kind == "yaml" else {})
        documents, file = self.expected()
        schema = () if self.as_plugin else self.known(self.table, file)
        expect = tuple(documents) if self.as_plugin else _typed(documents, schema, file)
        labels = self.labels()
        return SqlTest(
            name, self.tables, self.parameters, expect, schema, self.comments, labels, self.views, self.written
        )

    def fixture(self, stem: str, file: str, kind: str) -> None:
        source = self.source(stem, file)
        schema = self.schema_beside(stem)
        if schema is None and not self.as_plugin:
            schema = self.known(source, file)
        elif schema is None and stem.count(".") == 2:
            schema = self.schema_of(source)
        text = self.files[file]
        if kind == "csv":
            rows = _csv_rows(text, schema) if schema is not None else _csv_rows_with_head(text)
        elif kind == "ndjson" and self.as_plugin:
            rows = _lenient_documents(text, file)
        else:
            rows = _documents(text, file, kind)
        if schema is None:
            schema = _detected(rows, file)
        self.tables[source] = TableData(schema, _typed(rows, schema, file))

    def source(self, stem: str, file: str) -> TableRef:
        parts = stem.split(".")
        parts = [*(self.table.project, self.table.dataset)[: max(0, 3 - len(parts))], *parts]
        try:
            table = TableRef.parse(".".join(parts))
        except InvalidInput as error:
            raise InvalidInput(error.message, at=file, fix=error.fix) from error
        self.written[table] = stem
        return table

    def schema_beside(self, stem: str) -> Schema | None:
        if (text := self.files.get(at := f"{stem}.schema.yaml")) is not None:
            return schema_yaml.read(text, at)
        if (text := self.files.get(at := f"{stem}.schema.json")) is not None:
            return schema_yaml.fields(schema_yaml.entries_of(_json(text, at), at), at)
        return None

    def known(self, source: TableRef, file: str) -> Schema:
        schema = self.schema_of(source)
        if schema is None:
            raise Unavailable(
                f"the columns of `{source}` are not known", at=file, fix=f"put `{source}.schema.yaml` beside the tests"
            )
        return schema

    def expected(self) -> tuple[list[Any], str]:
        """The expected rows as they are written, and their file."""
        for kind in _EXPECT_FILES:
            file = f"{EXPECT}.{kind}"
            if file in self.files:
                return _documents(self.files[file], file, kind), file
        raise InvalidInput("the test has no expect.yaml", at=str(self.table))

    def labels(self) -> tuple[str, ...]:
        """Taken from the first comment line of expect.yaml, which is then no comment any more."""
        first, _, rest = self.comments.get(EXPECT, "").partition("\n")
        if not first.startswith(_LABELS):
            return ()
        self.comments.pop(EXPECT)
        if rest:
            self.comments[EXPECT] = rest
        return tuple(first.removeprefix(_LABELS).split(", "))


def _documents(text: str, file: str, kind: str) -> list[Any]:
    """The rows of a file; an empty file has none."""
    if kind == "ndjson":
        return [_json(line, f"{file}:{number}") for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = yaml_text.load(text, file) if kind == "yaml" else _json(text, file)
    if found is None:
        return []
    if not isinstance(found, list):
        raise InvalidInput("not a list of rows", at=file)
    return found


_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*")|'((?:\\.|[^'\\])*)'""")


def _lenient_documents(text: str, file: str) -> list[Any]:
    """NDJSON as BigQuery loads it, which takes text in single quotes too."""
    try:
        return _documents(text, file, "ndjson")
    except InvalidInput:
        return _documents(_QUOTED.sub(lambda found: found[1] or _double_quoted(found[2]), text), file, "ndjson")


def _double_quoted(text: str) -> str:
    return '"' + text.replace("\\'", "'").replace('"', '\\"') + '"'


def _json(text: str, at: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"not JSON: {error}", at=at) from error


def _csv_rows(text: str, schema: Schema) -> list[dict[str, str | None]]:
    """Columns by position, as BigQuery loads them; a first line that is the names of the columns is left out."""
    names = [column.name for column in schema]
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    return [
        {name: cell or None for name, cell in zip(names, line, strict=False)}
        for line in (lines[1:] if lines[:1] == [names] else lines)
    ]


def _csv_rows_with_head(text: str) -> list[dict[str, str | None]]:
    """Rows of text whose schema is to be detected: the first line names the columns."""
    names, *lines = [line for line in csv.reader(io.StringIO(text)) if line] or [[]]
    return [{name: cell or None for name, cell in zip(names, line, strict=False)} for line in lines]


def _detected(rows: Iterable[Any], file: str) -> Schema:
    try:
        return detected([_undated(row) for row in rows if isinstance(row, dict)])
    except InvalidInput as error:
        raise InvalidInput(error.message, at=file, fix=error.fix) from error


def _typed(rows: Iterable[Any], schema: Schema, file: str) -> tuple[Mapping[str, Value], ...]:
    columns = {column.name.lower(): column for column in schema}
    return tuple(_typed_row(row, columns, f"{file} row {number}", file) for number, row in enumerate(rows, 1))


def _typed_row(row: Any, columns: Mapping[str, Field], where: str, file: str) -> Mapping[str, Value]:
    """Keys that are missing stay missing; column names are the same in any case, as in BigQuery."""
    if not isinstance(row, dict):
        raise InvalidInput(f"{where} is not a mapping of columns", at=file)
    try:
        known = {str(name).lower(): cell for name, cell in row.items()}
        values.refuse_unknown(known, list(columns), where)
        return {columns[name].name: _value(columns[name], cell) for name, cell in known.items()}
    except InvalidInput as error:
        message = error.message if where in error.message else f"{where}: {error.message}"
        raise InvalidInput(message, at=file, fix=error.fix) from error


def _value(column: Field, cell: Any) -> Value:
    return values.parse_cell(column, _loaded(column, cell))


def _loaded(column: Field, cell: Any) -> Any:
    """A cell as BigQuery's JSON load takes it: dates that YAML made as ISO text (the plugin writes them so), one
    value as an array of one, 2.0 as the INTEGER 2, an instant without its seconds."""
    if column.mode == "REPEATED":
        element = Field(column.name, column.type, "NULLABLE", None, column.fields)
        items = cell if isinstance(cell, list) else [] if cell is None else [cell]
        return [_loaded(element, item) for item in items]
    if column.type == "RECORD" and isinstance(cell, dict):
        parts = {part.name: part for part in column.fields}
        return {name: _loaded(parts[name], part) if name in parts else part for name, part in cell.items()}
    if column.type == "INTEGER" and isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if column.type in _INSTANTS and isinstance(cell, str) and (found := _WITHOUT_SECONDS.match(cell)):
        return f"{found[1]}:00{found[2] or ''}"
    return _undated(cell)


_INSTANTS = frozenset({"TIMESTAMP", "DATETIME"})
_WITHOUT_SECONDS = re.compile(r"(\s*\d{4}-\d{1,2}-\d{1,2}[ Tt]\d{1,2}:\d{1,2})(?!\d*:)(\D.*)?\Z")


def _undated(cell: Any) -> Any:
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, dict):
        return {name: _undated(part) for name, part in cell.items()}
    return [_undated(part) for part in cell] if isinstance(cell, list) else cell


def _parameters(rows: Iterable[Any], file: str) -> dict[str, ParameterValue]:
    found: dict[str, ParameterValue] = {}
    for row in rows:
        if not isinstance(row, dict) or not row.get("name"):
            raise InvalidInput("a parameter needs name, type and value", at=file)
        kind, cell = _parameter(row, file)
        name = str(row["name"])
        try:
            found[name] = ParameterValue(kind, _value(parameter_field(name, kind), cell))
        except InvalidInput as error:
            raise InvalidInput(error.message, at=file, fix=error.fix) from error
    return found


def _parameter(row: Mapping[str, Any], file: str) -> tuple[str, Any]:
    """Type and value from `{name, type, value}` or from the form of BigQuery's REST API."""
    described = row.get("parameterType")
    if described is None:
        return str(row.get("type") or row.get("type_") or "STRING"), row.get("value")
    value = row.get("parameterValue")
    if isinstance(described, dict) and isinstance(value, dict):
        if described.get("type") != "ARRAY":
            return str(described.get("type")), value.get("value")
        element, items = described.get("arrayType"), value.get("arrayValues") or []
        if isinstance(element, dict) and isinstance(items, list):
            cells = [item.get("value") if isinstance(item, dict) else item for item in items]
            return f"ARRAY<{element.get('type')}>", cells
    raise InvalidInput(f"the parameter `{row.get('name')}` is neither a scalar nor an array of scalars", at=file)


def _comments(text: str, stem: str) -> dict[str, str]:
    """Comment lines at the left edge: those before the first row with a blank line or none are the file's.

    A comment directly before a row other than the first belongs to that row; before the first row, all lines belong
    to the file, because the two cannot be told apart.
    """
    found: dict[str, str] = {}
    pending: list[str] = []
    row = 0
    for line in text.split("\n"):
        if line.startswith("#"):
            pending.append(line[1:].strip())
        elif line.startswith("-") and not line.startswith("---"):
            if pending:
                found[comment_place(stem, row if row else None)] = "\n".join(pending)
            pending, row = [], row + 1
    if pending and row == 0:
        found[stem] = "\n".join(pending)
    return found
