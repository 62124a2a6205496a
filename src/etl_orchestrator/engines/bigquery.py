"""The real BigQuery as a Runner: one query over rows that stand in its own text. Needs the extra `bigquery` and credentials.

A dry run comes first and says which tables the text still reads: with any left, it is not run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etl_orchestrator.errors import Unavailable, Unsupported
from etl_orchestrator.sql.tokens import Kind, Token, tokenize
from etl_orchestrator.sql.values import canonical_json, check, empty
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, Rows, SqlProblem, TableData, Value

_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_NAMES = (Kind.NAME, Kind.QUOTED_NAME)
_LOCAL = "run it with the engine `googlesql`"


class BigQuery:
    """BigQuery in the cloud, for checking the local engines against it. Its clock runs; a query is billed as one that reads
    no table. `client` is a google.cloud.bigquery.Client; without one, the default credentials make it."""

    name = "bigquery"

    def __init__(self, client: Any = None) -> None:
        self._client = client

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        """See `tools.Runner`. Raises Unavailable without library, credentials or network."""
        if routines:
            raise Unsupported(f"the engine bigquery makes no routines (`{routines[0].ref}`)", fix=_LOCAL)
        text = inlined(sql, tables)
        bigquery = _library()
        from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound
        from google.auth.exceptions import GoogleAuthError

        values = [_parameter(bigquery, name, given) for name, given in parameters.items()]
        try:
            client = self._client = self._client or bigquery.Client()
            plan = client.query(text, bigquery.QueryJobConfig(query_parameters=values, dry_run=True))
            if plan.referenced_tables or plan.statement_type != "SELECT":
                read = ", ".join(f"`{table}`" for table in plan.referenced_tables) or plan.statement_type
                raise Unsupported(f"the engine bigquery runs one SELECT over given rows, not {read}", fix=_LOCAL)
            job = client.query(text, bigquery.QueryJobConfig(query_parameters=values, use_query_cache=False))
            result = job.result()
            schema = tuple(map(_field, result.schema))
            return Rows(schema, tuple(tuple(map(_value, schema, row.values())) for row in result))
        except (BadRequest, NotFound) as error:
            return Rows(problem=SqlProblem(error.message))
        except (GoogleAPICallError, GoogleAuthError) as error:
            raise Unavailable(
                f"BigQuery does not answer: {error}", fix="gcloud auth application-default login"
            ) from error


def inlined(sql: str, tables: Mapping[TableRef, TableData]) -> str:
    """The query with a CTE before it for every table it names, of the table's own name, so that this stays its alias.

    Raises Unsupported when that name would mean two things, InvalidInput for rows that do not fit."""
    full = {str(table): table for table in tables} | {f"{table.dataset}.{table.name}": table for table in tables}
    used: dict[str, TableRef] = {}
    pieces, end = [], 0
    for path in _paths(tokenize(sql)):
        size = next((size for size in range(len(path), 0, -1) if _name(path[:size]) in full), 0)
        if size:
            table = full[_name(path[:size])]
            used[table.name] = _only(table, used)
            pieces += [sql[end : path[0].start], f"`{table.name}`"]
            end = path[size - 1].end
    if not used:
        return sql
    text = "".join([*pieces, sql[end:]])
    ctes = ",\n".join(f"`{name}` AS ({rows_as_sql(table, tables[table])})" for name, table in sorted(used.items()))
    return f"WITH {ctes}\n({text.rstrip().removesuffix(';')}\n)"


def rows_as_sql(table: TableRef, data: TableData) -> str:
    """A query whose rows are those of the table."""
    if any(field.type == "RANGE" for field in data.schema):
        raise Unsupported(f"the engine bigquery writes no RANGE (`{table}`)", fix=_LOCAL)
    for row in data.rows:
        for column in data.schema:
            check(column, row.get(column.name, empty(column)))
    whole = Field("row", "RECORD", "REPEATED", fields=data.schema)
    return f"SELECT * FROM UNNEST({_literal(whole, list(data.rows))})"


def _paths(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Names with the names behind their dots."""
    path: list[Token] = []
    for token in tokens:
        wanted = (Kind.DOT,) if len(path) % 2 else _NAMES
        if token.kind in wanted:
            path.append(token)
            continue
        if path:
            yield path
        path = [token] if token.kind in _NAMES else []
    if path:
        yield path


def _name(path: Sequence[Token]) -> str:
    return "".join(token.text.strip("`") for token in path)


def _only(table: TableRef, used: Mapping[str, TableRef]) -> TableRef:
    if used.get(table.name, table) != table:
        raise Unsupported(f"two tables of this query are called `{table.name}`", fix=_LOCAL)
    return table


def _type(field: Field) -> str:
    if field.mode == "REPEATED":
        return f"ARRAY<{_type(Field(field.name, field.type, fields=field.fields))}>"
    if field.type == "RECORD":
        return f"STRUCT<{', '.join(f'`{part.name}` {_type(part)}' for part in field.fields)}>"
    return _TYPES.get(field.type, field.type)


def _literal(field: Field, value: Value) -> str:
    if field.mode == "REPEATED":
        element = Field(field.name, field.type, fields=field.fields)
        return f"{_type(field)}[{', '.join(_literal(element, item) for item in value or ())}]"
    if value is None:
        return f"CAST(NULL AS {_type(field)})"
    if field.type == "RECORD":
        parts = (_literal(part, value.get(part.name, empty(part))) for part in field.fields)
        return f"{_type(field)}({', '.join(parts)})"
    match field.type:
        case "BYTES":
            return f"FROM_BASE64('{base64.b64encode(value).decode()}')"
        case "INTEGER" | "BOOLEAN":
            return str(value).upper()
        case "JSON":
            return f"PARSE_JSON({json.dumps(value)}, wide_number_mode => 'round')"
        case "GEOGRAPHY":
            return f"ST_GEOGFROMTEXT({json.dumps(value)})"
        case "STRING":
            return json.dumps(value, ensure_ascii=False)
        case "DATE" | "DATETIME" | "TIMESTAMP" | "TIME":
            return f"{field.type} '{value.isoformat()}'"
        case _:
            return f"CAST('{value}' AS {_type(field)})"


def _library() -> Any:
    try:
        from google.cloud import bigquery
    except ImportError:
        fix = "pip install 'etl-orchestrator[bigquery]'"
        raise Unavailable("the library google-cloud-bigquery is not installed", fix=fix) from None
    return bigquery


def _parameter(bigquery: Any, name: str, given: ParameterValue) -> Any:
    from etl_orchestrator.engines.googlesql.types import parse_type

    field = parse_type(name, given.type)
    if field.type == "RECORD":
        raise Unsupported(f"the engine bigquery takes no STRUCT parameters (@{name})", fix=_LOCAL)
    kind = _TYPES.get(field.type, field.type)
    if field.mode == "REPEATED":
        return bigquery.ArrayQueryParameter(name, kind, given.value)
    return bigquery.ScalarQueryParameter(name, kind, given.value)


def _field(column: Any) -> Field:
    mode = column.mode if column.mode == "REPEATED" else "NULLABLE"
    return Field(column.name, column.field_type, mode, fields=tuple(map(_field, column.fields)))


def _value(field: Field, found: Any) -> Value:
    if field.mode == "REPEATED":
        return [_value(Field(field.name, field.type, fields=field.fields), item) for item in found or ()]
    if found is None:
        return None
    if field.type == "RECORD":
        return {part.name: _value(part, found[part.name]) for part in field.fields}
    return canonical_json(found) if field.type == "JSON" else found
