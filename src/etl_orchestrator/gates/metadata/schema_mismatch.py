"""A schema.yaml that tells of other columns than the query gives.

What it checks
    schema.yaml and the analyzer's output of the query have the same fields in the same order with the same types and
    modes, nested ones too. REQUIRED counts as NULLABLE: a query can never say it. For a query.py, of which no output is
    known, the declared columns of the requirements are compared.
Why
    A deploy with the wrong schema fails or, worse, makes a column that is never filled.
Example
    The query gives `n_orders INTEGER`, schema.yaml says FLOAT.
Repair
    etl-orchestrator schema sql/…/daily_orders_v1 --write
"""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import dry_run
from etl_orchestrator.sql.schema_difference import difference_of
from etl_orchestrator.table import Schema, walk
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    schema = own_files.readable_schema(model, tools.catalog)
    if isinstance(schema, NotDue):
        return schema
    if model.artifact(paths.query_sql(model.table)) is None:
        return _against_declaration(model, schema)
    analysis = dry_run(model, tools)
    if analysis.problem is not None:
        return NotDue("the query is refused, of which the query's gates tell")
    difference = difference_of(_nullable(schema), _nullable(analysis.columns))
    if not difference:
        return verdict([], f"{len(walk(schema))} fields agree with the output of the query")
    return verdict([_finding(model, difference, "the output of the query")], "")


def _against_declaration(model: Model, schema: Schema) -> Verdict:
    if model.requirements is None or not model.requirements.body.columns:
        return NotDue("no query.sql and no declared columns to compare with")
    declared = [column.name for column in model.requirements.body.columns]
    written = [field.name for field in schema]
    if declared == written:
        return verdict([], f"{len(written)} fields agree with the declared columns")
    odd = [name for name in [*declared, *written] if (name in declared) != (name in written)]
    difference = f"`{odd[0]}` is in one of them only" if odd else "the order of the columns"
    return verdict([_finding(model, difference, "the declared columns")], "")


def _finding(model: Model, difference: str, other: str) -> Finding:
    path = paths.schema_yaml(model.table)
    words = difference.replace("the first", "schema.yaml").replace("the second", other)
    fix = f"etl-orchestrator schema {paths.table_folder(model.table)} --write"
    if difference.endswith("the order of the columns"):
        fix = "write the columns of one of them in the order of the other"  # `--write` keeps the order of the file
    return found(GATE, f"it differs from {other}: {words}", path, fix)


def _nullable(schema: Schema) -> Schema:
    return tuple(
        replace(field, mode="NULLABLE" if field.mode == "REQUIRED" else field.mode, fields=_nullable(field.fields))
        for field in schema
    )


GATE = Gate("MET005", "schema_mismatch", "metadata", check)
