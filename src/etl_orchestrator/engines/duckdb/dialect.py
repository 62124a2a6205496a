"""GoogleSQL to DuckDB: the query translated by sqlglot, with the names, literals and parameters that DuckDB needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from etl_orchestrator.engines.duckdb.types import spelled
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import Field, Schema, TableRef

#: The macro that divides as BigQuery does; the child process defines it.
DIVIDE = "googlesql_divide"

_FIX = "run it with the engine `googlesql`"
#: Functions whose translation runs and gives something else, as sqlglot calls them.
_DIFFERENT = frozenset({
    "APPROX_QUANTILES", "APPROX_TOP_COUNT", "ARRAY_SLICE", "ASCII", "FORMAT", "GENERATE_TIMESTAMP_ARRAY", "INITCAP", "JSON_FORMAT",
    "JSON_REMOVE", "JSON_TYPE", "J_S_O_N_OBJECT", "LEFT", "NORMALIZE", "RANGE_BUCKET", "REVERSE", "SUBSTRING", "TRANSLATE",
    "UNIX_MILLIS", "UNIX_TO_TIME",
})  # fmt: skip
#: Elements of time formats that mean the same in both.
_TIME_FORMAT = re.compile(r"(%[YmdHMSbBaAyjIp]|[^%])*\Z")
_FRACTIONS = (exp.DType.DOUBLE, exp.DType.DECIMAL)
_DIFFERENT_PARTS = frozenset({"DAYOFWEEK", "ISOYEAR", "WEEK"})


@dataclass(frozen=True, slots=True)
class Translated:
    """A query as DuckDB reads it, the tables it reads by the name they have there, and the parameters it names."""

    sql: str
    tables: Mapping[str, TableRef]
    parameters: frozenset[str]


def translate(sql: str, schemas: Mapping[TableRef, Schema], parameters: Mapping[str, Field]) -> Translated:
    """Raises Unsupported for what sqlglot does not read or translate; parameters stay, by name."""
    tree = _parsed(sql)
    _refuse_different(tree)
    tables = _renamed_tables(tree, schemas)
    used = frozenset(node.name for node in tree.find_all(exp.Parameter))
    _named_columns(tree)
    schema: dict[str, object] = {
        name: {f.name: _bigquery_type(f) for f in schemas[table]} for name, table in tables.items()
    }
    try:
        tree = qualify(tree, dialect="bigquery", schema=schema, validate_qualify_columns=False, quote_identifiers=False)
        tree = annotate_types(tree, schema=schema, dialect="bigquery")
        adapted = tree.transform(_as_googlesql_means)
        for parameter in list(adapted.find_all(exp.Parameter)):
            parameter.replace(_cast(parameter, parameters))
        text = adapted.sql("duckdb", identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError as error:
        raise Unsupported(f"sqlglot cannot translate this query: {_first_line(error)}", fix=_FIX) from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Unsupported(f"sqlglot fails on this query: {type(error).__name__} {error}", fix=_FIX) from None
    return Translated(text, tables, used)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _parsed(sql: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect="bigquery") if tree]
    except (SqlglotError, RecursionError) as error:
        raise Unsupported(f"sqlglot cannot read this query: {_first_line(error)}", fix=_FIX) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Unsupported("the engine duckdb runs one query, no statements", fix=_FIX)
    return trees[0]


def _renamed_tables(tree: exp.Query, schemas: Mapping[TableRef, Schema]) -> dict[str, TableRef]:
    found: dict[str, TableRef] = {}
    projects = sorted({table.project for table in schemas})
    for node in list(tree.find_all(exp.Table)):
        if not node.args.get("db"):
            continue
        name = ".".join(part.name for part in node.parts)
        table = _known(name, projects, schemas)
        flat = f"table_{sorted(schemas).index(table) + 1}"
        found[flat] = table
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
        renamed = exp.Table(this=exp.to_identifier(flat), alias=alias, joins=node.args.get("joins"))
        node.replace(renamed)
    return found


def _known(name: str, projects: list[str], schemas: Mapping[TableRef, Schema]) -> TableRef:
    for project in projects:
        try:
            table = TableRef.parse(name, project)
        except InvalidInput:
            break
        if table in schemas:
            return table
    raise Unsupported(f"the engine duckdb was given no table `{name}`", fix=_FIX)


def _named_columns(tree: exp.Query) -> None:
    """Columns without a name are called as BigQuery calls them."""
    first: Any = tree
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    count = 0
    for column in getattr(first, "selects", ()):
        if not column.is_star and not isinstance(column, exp.Alias | exp.Column | exp.Dot):
            column.replace(exp.alias_(column.copy(), f"f{count}_"))
            count += 1


def _refuse_different(tree: exp.Query) -> None:
    for node in tree.walk():
        what = _different(node)
        if what:
            raise Unsupported(f"{what} gives something else in DuckDB", fix=_FIX)


def _different(node: exp.Expr) -> str:
    """What of the node DuckDB would understand in its own way, or nothing."""
    name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, exp.Func) and not name:
        name = node.sql_name()
    if name in _DIFFERENT:
        return name
    form = node.args.get("format")
    if isinstance(node, exp.Func) and form is not None and not _TIME_FORMAT.match(form.name):
        return f"the format {form.sql('bigquery')}"
    if isinstance(node, exp.Extract) and node.this.sql().upper().partition("(")[0] in _DIFFERENT_PARTS:
        return f"EXTRACT({node.this.sql('bigquery')})"
    if isinstance(node, exp.DataType) and node.this in (exp.DType.BIGDECIMAL, exp.DType.INTERVAL):
        return node.sql("bigquery")
    if isinstance(node, exp.Unnest) and node.args.get("offset"):
        return "WITH OFFSET"
    if isinstance(node, exp.ByteString) or (isinstance(node, exp.DataType) and node.this == exp.DType.BINARY):
        return "BYTES"
    if isinstance(node, exp.BitwiseAnd | exp.BitwiseOr | exp.BitwiseXor | exp.BitwiseLeftShift | exp.BitwiseRightShift):
        return "arithmetic of bits"
    if isinstance(node, exp.Pivot):
        return "PIVOT"
    if isinstance(node, exp.Like) and "\\" in node.expression.name:
        return "LIKE with an escape"
    return ""


def _as_googlesql_means(node: exp.Expr) -> exp.Expr:
    """Literals with a point are floats, division by zero is an error, a float becomes the nearest integer, and NUMERIC has
    38 digits, 9 of them behind the point."""
    if isinstance(node, exp.Literal) and not node.is_string and not node.is_int and "e" not in node.name.lower():
        return exp.Literal.number(f"{node.name}e0")
    if isinstance(node, exp.Div):
        return exp.Anonymous(this=DIVIDE, expressions=[node.this, node.expression])
    if isinstance(node, exp.Cast) and node.to.is_type(exp.DType.BIGINT) and node.this.is_type(*_FRACTIONS):
        node.set("this", exp.Anonymous(this="ROUND", expressions=[node.this]))
    if isinstance(node, exp.DataType) and node.this == exp.DType.DECIMAL and not node.expressions:
        return exp.DataType.build("DECIMAL(38, 9)", dialect="duckdb")
    return node


def _cast(parameter: exp.Expr, parameters: Mapping[str, Field]) -> exp.Expr:
    name = parameter.name
    if name not in parameters:
        raise Unsupported(f"the engine duckdb was given no parameter @{name}", fix=_FIX)
    kind = exp.DataType.build(spelled(parameters[name]), dialect="duckdb")
    return exp.Cast(this=exp.Parameter(this=exp.Var(this=name)), to=kind)


def _bigquery_type(field: Field) -> str:
    if field.mode == "REPEATED":
        return f"ARRAY<{_bigquery_type(Field(field.name, field.type, fields=field.fields))}>"
    if field.type == "RECORD":
        return f"STRUCT<{', '.join(f'`{part.name}` {_bigquery_type(part)}' for part in field.fields)}>"
    return {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}.get(field.type, field.type)
