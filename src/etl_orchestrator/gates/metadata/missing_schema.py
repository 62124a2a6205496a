"""A query without a schema.yaml.

What it checks
    A model with a query.sql or query.py has a schema.yaml.
Why
    Without it nobody knows the columns before the table exists: no description, no test of a reader, no deploy.
Example
    sql/…/daily_orders_v1/ holds query.sql and metadata.yaml only.
Repair
    etl-orchestrator schema sql/…/daily_orders_v1 --write --describe
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.artifact(paths.query_sql(model.table)) is None and model.artifact(paths.query_py(model.table)) is None:
        return NotDue("the model has no query")
    path = paths.schema_yaml(model.table)
    if model.artifact(path) is not None:
        return verdict([], f"{path} is there")
    fix = f"etl-orchestrator schema {paths.table_folder(model.table)} --write --describe"
    return verdict([found(GATE, "no schema.yaml stands beside the query", path, fix)], "")


GATE = Gate("MET001", "missing_schema", "metadata", check)
