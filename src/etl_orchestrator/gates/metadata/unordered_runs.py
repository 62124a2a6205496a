"""A table that reads itself and does not wait for its own last run.

What it checks
    When the query reads the table that it writes, scheduling.depends_on_past is true. A run that only appends what is
    not there yet may come in any order.
Why
    Without it today's run starts although yesterday's failed, and builds on a day that is missing.
Example
    A first-seen table joins its own previous rows, and `scheduling` only names the DAG.
Repair
    Write `depends_on_past: true` under `scheduling`.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import tables_named
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.scheduling or model.artifact(paths.query_sql(model.table)) is None:
        return NotDue("no scheduled query.sql")
    try:
        named = tables_named(model, tools)
    except InvalidInput:
        return NotDue("the query does not parse, of which the query's gates tell")
    if any("append" in str(argument) for argument in metadata.scheduling.get("arguments") or ()):
        return NotDue("runs append their rows")
    if model.table not in named:
        return NotDue("the query does not read its own table")
    if metadata.scheduling.get("depends_on_past") is True:
        return verdict([], "reads itself, and waits for its last run")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "scheduling")
    message = "the query reads its own table, and a run does not wait for the one before"
    return verdict([found(GATE, message, f"{path}:{line}", "write `depends_on_past: true` under `scheduling`")], "")


GATE = Gate("MET020", "unordered_runs", "metadata", check)
