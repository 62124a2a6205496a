"""A schema.yaml that cannot be read as one.

What it checks
    schema.yaml is YAML with a list of `fields`, each with a name that occurs once, a BigQuery type and a mode, and its
    `!include…` tags find what they name.
Why
    What cannot be read cannot be deployed, and every other gate would pass over it in silence.
Example
    `type: STRNG`, a field twice, or a tag that borrows from a column which is not there.
Repair
    Correct the file at the line named, or make it anew: etl-orchestrator schema sql/…/daily_orders_v1 --write --describe
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import walk
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.schema_yaml(model.table)
    try:
        schema = own_files.schema(model, tools.catalog)
    except InvalidInput as error:
        fix = error.fix or f"correct it, or etl-orchestrator schema {paths.table_folder(model.table)} --write"
        return verdict([found(GATE, f"it cannot be read: {error.message}", error.at or path, fix)], "")
    if schema is None:
        return NotDue("there is no schema.yaml")
    return verdict([], f"{len(walk(schema))} fields read")


GATE = Gate("MET002", "unreadable_schema", "metadata", check)
