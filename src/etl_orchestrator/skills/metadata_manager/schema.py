"""schema.yaml: the columns the query gives, every one described."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import own_files, paths, schema_edit, schema_yaml
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.requirements import Column
from etl_orchestrator.skills.metadata_manager.descriptions import described
from etl_orchestrator.sql.dry_run import dry_run, dry_run_file
from etl_orchestrator.table import Field, Schema
from etl_orchestrator.tools import PROVIDED, Analysis, Tools

PHASE = "metadata"
#: The source of a note that is of no field, but says on what condition the types are these.
CONDITION = "condition"

_QUERIES = (paths.QUERY_SQL, paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL)


def schema_of(model: Model, tools: Tools) -> Artifact:
    """schema.yaml from the output types of a query or view, or from the declared columns of a query.py.

    One Note a field, by dotted path, says where its description is from; more say on what condition the types are these.
    Raises InvalidInput when the query is refused.
    """
    schema, notes = _found(model, tools, describe=True)
    return Artifact(paths.schema_yaml(model.table), schema_yaml.write(schema), PHASE, notes)


def updated_schema(model: Model, tools: Tools, describe: bool = False) -> Artifact:
    """The same as an edit of the schema.yaml that stands there, which keeps all that agrees with the query as it is;
    only with `describe`, what has no description gets one, new columns too."""
    path = paths.schema_yaml(model.table)
    standing = model.text(path)
    schema, notes = _found(model, tools, describe)
    if standing is None:
        return Artifact(path, schema_yaml.write(schema), PHASE, notes)
    text = schema_edit.updated(standing, schema, path, own_files.borrowing(model, tools.catalog), describe)
    return Artifact(path, text, PHASE, notes)


def _found(model: Model, tools: Tools, describe: bool) -> tuple[Schema, tuple[Note, ...]]:
    path = _sql_file(model)
    if not path:
        columns, notes = _declared(model, tools)
        analysis = Analysis()
    else:
        analysis = dry_run(model, tools) if path == paths.query_sql(model.table) else dry_run_file(path, tools)
        if analysis.problem is not None:
            problem = analysis.problem
            at = problem.place(path)
            raise InvalidInput(f"the query is refused: {problem.message}", at=at, fix="correct the query first")
        columns, notes = _with_modes(analysis.columns, model), _conditions(analysis)
    if not describe:
        return columns, notes
    schema, sources = described(columns, model, tools, analysis)
    return schema, (*sources, *notes)


def _conditions(analysis: Analysis) -> tuple[Note, ...]:
    """What no file tells and must hold for the types to be these."""
    return tuple(Note("types", CONDITION, note) for note in analysis.notes if note.startswith(PROVIDED))


def _sql_file(model: Model) -> str:
    """The query of a table or view; "" when there is none."""
    files = (f"{paths.table_folder(model.table)}/{name}" for name in _QUERIES)
    return next((path for path in files if model.text(path) is not None), "")


def _with_modes(columns: Schema, model: Model) -> Schema:
    """A query can never say REQUIRED: where the requirements do, they are believed."""
    asked = {column.name: column.mode for column in model.requirements.body.columns} if model.requirements else {}
    return tuple(
        replace(field, mode="REQUIRED") if asked.get(field.name) == "REQUIRED" and field.mode == "NULLABLE" else field
        for field in columns
    )


def _declared(model: Model, tools: Tools) -> tuple[Schema, tuple[Note, ...]]:
    """The columns of a query.py, which nobody can analyze: as declared, or as its schema.yaml stands."""
    if model.requirements is not None:
        columns = model.requirements.body.columns
        untyped = tuple(
            Note(column.name, "assumed", "no type is declared: STRING") for column in columns if not column.type
        )
        return tuple(_field(column) for column in columns), untyped
    standing = own_files.schema(model, tools.catalog)
    if standing is None:
        raise Unavailable(f"`{model.table}` has no query.sql and no schema.yaml to take columns from")
    return standing, ()


def _field(column: Column) -> Field:
    kind = column.type or ("RECORD" if column.fields else "STRING")
    return Field(column.name, kind, column.mode or "NULLABLE", None, tuple(_field(part) for part in column.fields))
