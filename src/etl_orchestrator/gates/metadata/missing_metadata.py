"""A query without a metadata.yaml.

What it checks
    A model with a query.sql or query.py has a metadata.yaml.
Why
    Without it a table has no owner, no schedule, no partitions: nothing deploys it and nobody is asked.
Example
    sql/…/daily_orders_v1/ holds query.sql and schema.yaml only.
Repair
    Build it from requirements, or write friendly_name, description, owners, labels and scheduling.
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
    path = paths.metadata_yaml(model.table)
    if model.artifact(path) is not None:
        return verdict([], f"{path} is there")
    fix = "write friendly_name, description, owners, labels and scheduling"
    return verdict([found(GATE, "no metadata.yaml stands beside the query", path, fix)], "")


GATE = Gate("MET007", "missing_metadata", "metadata", check)
