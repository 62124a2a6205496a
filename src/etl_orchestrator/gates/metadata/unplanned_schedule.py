"""Requirements that want a schedule for which no DAG was found.

What it checks
    The plan names a DAG, unless the requirements say that there is to be none.
Why
    Nobody would notice that the table never runs.
Example
    schedule: {frequency: daily, product: fishing}, and no DAG of the repository has to do with fishing.
Repair
    Name the DAG (`schedule: {dag: bqetl_…}`), add one to dags.yaml, or write `schedule: {none: reason}`.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.plan is None or model.requirements is None:
        return NotDue("no requirements ask for a schedule")
    dag = model.plan.dag
    if dag.value or model.requirements.schedule.none:
        return verdict([], dag.reason)
    at = model.requirements.request.at("schedule")
    fix = "name a DAG of dags.yaml under `schedule: dag:`, or say why there is none under `schedule: none:`"
    return verdict([found(GATE, f"no DAG is known for it: {dag.reason}", at, fix)], "")


GATE = Gate("MET013", "unplanned_schedule", "requirements", check)
