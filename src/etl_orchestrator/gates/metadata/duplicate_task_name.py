"""A task name that its DAG already has, or that Airflow refuses.

What it checks
    The name of the table's task (scheduling.task_name, else dataset__table__version) is at most 250 characters long and
    no other table of the same DAG has it by default.
Why
    Of two tasks with one name Airflow keeps one, and the other table stands still.
Example
    Two projects have a table shop_derived.daily_orders_v1, both in bqetl_shop.
Repair
    Give one of them `scheduling: task_name:` of its own.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Tools

_LONGEST = 250


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.dag:
        return NotDue("the table is not scheduled")
    name = str(metadata.scheduling.get("task_name") or _default(model.table))
    path = paths.metadata_yaml(model.table)
    fix = "write a `task_name:` of its own under `scheduling`"
    findings = [
        found(GATE, f"the task `{name}` of {metadata.dag} is the one of `{facts.table}`", path, fix)
        for facts in tools.catalog.tables()
        if facts.dag == metadata.dag and facts.table != model.table and _default(facts.table) == name
    ]
    if len(name) > _LONGEST:
        findings.append(found(GATE, f"the task name has {len(name)} characters, {_LONGEST} are allowed", path, fix))
    return verdict(findings, f"no other task of {metadata.dag} is named {name}")


def _default(table: TableRef) -> str:
    name, _, version = table.name.rpartition("_v")
    return f"{table.dataset}__{name}__v{version}" if name else f"{table.dataset}__{table.name}"


GATE = Gate("MET016", "duplicate_task_name", "requirements", check)
