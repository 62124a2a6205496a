"""What the analyzer says of a model's query, asked in one place so that every gate may ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.finding import NotDue
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.sql import templates
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, Analyzer, SqlProblem, Tools


def dry_run(model: Model, tools: Tools) -> Analysis:
    """The columns, tables and lineage of the query, or why it is refused.

    A query that asks `is_init()` is judged in both renderings: of the first run only its problem, or that its columns
    are other ones, is told. Asking again costs nothing while query, schemas and parameters are the same.
    Raises Unavailable naming a table whose schema nobody knows, or when the model has no query.sql.
    """
    text = query_text(model)
    analysis = _analysis(model, tools, is_init=False)
    if analysis.problem is not None or "is_init" not in text:
        return analysis
    first = _analysis(model, tools, is_init=True)
    if first.problem is not None:
        told = SqlProblem(
            f"in the first run (is_init): {first.problem.message}", first.problem.line, first.problem.column
        )
        return Analysis(tables=analysis.tables, problem=told)
    if difference := difference_of(first.columns, analysis.columns):
        told = SqlProblem(f"the first run (is_init) and the later ones give other columns: {difference}")
        return Analysis(tables=analysis.tables, problem=told)
    tables = tuple(sorted({*analysis.tables, *first.tables}))
    return Analysis(analysis.columns, tables, analysis.lineage)


def query_text(model: Model) -> str:
    """The text of query.sql; raises Unavailable when there is none."""
    path = paths.query_sql(model.table)
    text = model.text(path)
    if text is None:
        raise Unavailable("there is no query.sql to analyze", at=path)
    return text


def rendered(model: Model, tools: Tools, *, is_init: bool = False) -> str:
    """query.sql with its template filled in."""
    path = paths.query_sql(model.table)
    return templates.render(query_text(model), tools.catalog.text, is_init=is_init, at=path)


def tables_named(model: Model, tools: Tools) -> frozenset[TableRef]:
    """The tables that the query names in either rendering, before any schema is known; InvalidInput when it does not
    parse."""
    texts = [rendered(model, tools)]
    if "is_init" in query_text(model):
        texts.append(rendered(model, tools, is_init=True))
    return _tables([name for sql in texts for name in _references(_Desk(tools.analyzer), sql)], model)


def parameters_of(model: Model) -> dict[str, str]:
    """Query parameters with their GoogleSQL types: those of the requirements, else those of the scheduling block."""
    requirements = model.requirements
    if requirements is not None:
        declared = {parameter.name: parameter.type for parameter in requirements.parameters}
        return declared or {"submission_date": "DATE"}
    metadata = own_files.readable_metadata(model)
    scheduling = {} if isinstance(metadata, NotDue) else metadata.scheduling
    found = {"submission_date": "DATE"}
    partition = scheduling.get("date_partition_parameter")
    if partition:
        found[str(partition)] = "DATE"
    for parameter in scheduling.get("parameters") or ():
        name, _, rest = str(parameter).partition(":")
        found[name] = rest.partition(":")[0] or "STRING"
    return found


def schemas_of(model: Model, tools: Tools, sql: str) -> dict[TableRef, Schema]:
    """The schema of every table that a rendered query names; raises Unavailable naming one that nobody knows."""
    try:
        references = _references(_Desk(tools.analyzer), sql)
    except InvalidInput:
        # What does not parse names no tables; the analyzer says where it stopped.
        return {}
    found: dict[TableRef, Schema] = {}
    for table in _tables(references, model):
        try:
            found[table] = _own_schema(model, tools) if table == model.table else _schema(model, tools, table)
        except InvalidInput as error:
            raise Unavailable(f"the schema of `{table}` cannot be read: {error.message}", at=error.at) from error
    return found


def difference_of(left: Schema, right: Schema, prefix: str = "") -> str:
    """The first field in which two schemas differ, in words; "" when names, types, modes and order agree."""
    names = [field.name for field in left], [field.name for field in right]
    if names[0] != names[1]:
        for one, other, words in (
            (names[0], names[1], "only in the first"),
            (names[1], names[0], "only in the second"),
        ):
            extra = [name for name in one if name not in other]
            if extra:
                return f"`{prefix}{extra[0]}` is {words}"
        return "the order of the columns"
    for one_field, other_field in zip(left, right, strict=True):
        path = f"{prefix}{one_field.name}"
        if (one_field.type, one_field.mode) != (other_field.type, other_field.mode):
            return f"`{path}` is {_kind(one_field)} in the first and {_kind(other_field)} in the second"
        if nested := difference_of(one_field.fields, other_field.fields, f"{path}."):
            return nested
    return ""


def _kind(field: Field) -> str:
    return field.type if field.mode == "NULLABLE" else f"{field.mode} {field.type}"


def _analysis(model: Model, tools: Tools, *, is_init: bool) -> Analysis:
    try:
        sql = rendered(model, tools, is_init=is_init)
    except InvalidInput as error:
        return Analysis(problem=SqlProblem(error.message))
    schemas = schemas_of(model, tools, sql)
    parameters = tuple(sorted(parameters_of(model).items()))
    return _analyzed(_Desk(tools.analyzer), sql, tuple(sorted(schemas.items())), parameters)


def _tables(references: Iterable[TableRef | str], model: Model) -> frozenset[TableRef]:
    """A name in other than three parts: `dataset.table` is of the model's project; what is no table name (a part too
    few, INFORMATION_SCHEMA) is left to the analyzer to refuse."""
    found: set[TableRef] = set()
    for reference in references:
        try:
            found.add(TableRef.parse(str(reference), model.table.project))
        except InvalidInput:
            continue
    return frozenset(found)


def _schema(model: Model, tools: Tools, table: TableRef) -> Schema:
    if model.requirements is not None and str(table) in model.requirements.schemas:
        return model.requirements.schemas[str(table)]
    known = tools.catalog.schema(table)
    if known is None:
        raise Unavailable(
            f"no schema is known of `{table}`",
            at=paths.query_sql(model.table),
            fix="declare it under `sources: schema:`",
        )
    return known.schema


def _own_schema(model: Model, tools: Tools) -> Schema:
    """The schema of a table that reads itself: what its first run gives or, when that cannot be told before this
    schema is known, the declared columns, its schema.yaml, what stands in the repository."""
    requirements = model.requirements
    standing = own_files.schema(model, tools.catalog) if requirements is None else None
    if standing is not None:
        return standing
    if model.table not in _tables(_references(_Desk(tools.analyzer), rendered(model, tools, is_init=True)), model):
        analysis = _analysis(model, tools, is_init=True)
        if analysis.problem is None:
            return analysis.columns
    columns = requirements.body.columns if requirements else ()
    if columns and all(column.type for column in columns):
        return tuple(Field(column.name, column.type or "STRING", column.mode or "NULLABLE") for column in columns)
    written = own_files.schema(model, tools.catalog)
    if written is not None:
        return written
    known = tools.catalog.schema(model.table)
    if known is None:
        raise Unavailable(
            f"`{model.table}` reads itself and its types are not known",
            at=paths.query_sql(model.table),
            fix="give every column a type, or the first run a query of its own under `on_init`",
        )
    return known.schema


@dataclass(frozen=True, eq=False)
class _Desk:
    """An analyzer as part of a cache key: one analyzer is one key, by identity, whatever it compares by itself."""

    analyzer: Analyzer

    def __hash__(self) -> int:
        return id(self.analyzer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Desk) and self.analyzer is other.analyzer


@lru_cache(maxsize=128)
def _references(desk: _Desk, sql: str) -> tuple[TableRef | str, ...]:
    return desk.analyzer.references(sql)


@lru_cache(maxsize=64)
def _analyzed(
    desk: _Desk,
    sql: str,
    schemas: tuple[tuple[TableRef, Schema], ...],
    parameters: tuple[tuple[str, str], ...],
) -> Analysis:
    """Keyed on values, so that a changed query or schema is analyzed anew; failures of the tool are not kept."""
    return desk.analyzer.analyze(sql, dict(schemas), dict(parameters))
