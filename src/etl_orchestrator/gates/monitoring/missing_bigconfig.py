"""A table that is to be monitored, without bigconfig.yml.

What it checks
    When the plan says that the table is monitored, bigconfig.yml is there.
Why
    A table that others depend on fails in silence otherwise.
Example
    The DAG is of tier_1, and the folder has no bigconfig.yml.
Repair
    Build the model again, or write `monitoring: none` into the requirements if nobody is to be told.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.plan is None:
        return NotDue("no plan says whether the table is monitored")
    if not model.plan.monitored:
        return NotDue(f"not monitored: {model.plan.monitoring.reason}")
    path = paths.bigconfig_yml(model.table)
    if model.artifact(path) is not None:
        return verdict([], f"{path} is there")
    message = f"the table is to be monitored ({model.plan.monitoring.reason}), and nothing does"
    return verdict(
        [found(GATE, message, path, "build it again, or write `monitoring: none` into the requirements")], ""
    )


GATE = Gate("MON001", "missing_bigconfig", "monitoring", check)
