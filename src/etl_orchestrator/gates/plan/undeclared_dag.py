"""A plan whose DAG does not stand in dags.yaml.

What it checks
    The planned DAG is an entry of dags.yaml. A table without a schedule needs a reason for that.
Why
    The repository's own check refuses a task of a DAG that nobody declared, and a table that no DAG runs grows stale.
Example
    `schedule: {dag: bqetl_shpo}`, and dags.yaml has `bqetl_shop`.
Repair
    Name a DAG of dags.yaml, add the DAG there first, or write `schedule: {none: reason}`.
"""

from __future__ import annotations

import difflib

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout.paths import DAGS_YAML
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    plan, requirements = model.plan, model.requirements
    if plan is None or requirements is None:
        return NotDue("no plan stands behind this table")
    name = plan.dag.value
    if not name and requirements.schedule.none:
        return verdict([], f"not scheduled: {requirements.schedule.none}")
    at = requirements.request.at("schedule")
    if not name:
        message = f"no DAG was found: {plan.dag.reason}"
        return verdict([found(GATE, message, at, "name a DAG, or write `schedule: {none: reason}`")], "")
    known = [dag.name for dag in tools.catalog.dags()]
    if name in known:
        return verdict([], f"{name} stands in {DAGS_YAML}")
    near = difflib.get_close_matches(name, known, 3, 0.5)
    fix = f"name one of {', '.join(near)}" if near else f"add it to {DAGS_YAML}, or name a DAG that stands there"
    return verdict([found(GATE, f"`{name}` does not stand in {DAGS_YAML}", at, fix)], "")


GATE = Gate("PLN001", "undeclared_dag", "requirements", check)
