"""A table whose name the repository's checks refuse.

What it checks
    A scheduled table ends in its version (`_v1`); its task name (`dataset__table__v1`) has at most 250 characters; the
    dataset does not end in `_live` or `_stable`, which hold what the pipeline writes.
Why
    The repository makes Airflow tasks from folder names, and refuses a folder it cannot make one from.
Example
    shop_derived.daily_orders, without a version.
Repair
    Name the table under `table`.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

# Airflow's limit for a task id; the folder pattern is that of the repository's own task generator.
_LONGEST = 250
_VERSIONED = re.compile(r"[A-Za-z0-9_]+_v[0-9]+\Z")


def check(model: Model, tools: Tools) -> Verdict:
    plan, requirements = model.plan, model.requirements
    if plan is None or requirements is None:
        return NotDue("no plan stands behind this table")
    table, at = model.table, requirements.request.at("table")
    findings = []
    if plan.dag.value and not _VERSIONED.match(table.name):
        message = f"`{table.name}` does not end in a version"
        findings.append(found(GATE, message, at, f"name it {table.dataset}.{table.name.rstrip('_')}_v1"))
    if len(f"{table.dataset}__{table.name}") + 1 > _LONGEST:
        findings.append(found(GATE, f"its task name has more than {_LONGEST} characters", at, "choose a shorter name"))
    if table.dataset.endswith(("_live", "_stable")):
        message = f"`{table.dataset}` holds what the pipeline writes, not what queries make"
        findings.append(found(GATE, message, at, "choose a dataset that ends in _derived"))
    return verdict(findings, f"`{table.dataset}.{table.name}` can be scheduled under this name")


GATE = Gate("PLN002", "misnamed_table", "requirements", check)
