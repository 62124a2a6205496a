"""A bigconfig.yml for a table that is not to be monitored.

What it checks
    When the plan says that the table is not monitored, there is no bigconfig.yml.
Why
    Alarms that nobody wants teach people not to look at alarms.
Example
    The requirements say `monitoring: none`, and a bigconfig.yml of an earlier build is still there.
Repair
    Remove the file, or ask for monitoring in the requirements.
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
    if model.plan.monitored:
        return NotDue("the table is monitored")
    path = paths.bigconfig_yml(model.table)
    if model.artifact(path) is None:
        return verdict([], f"not monitored: {model.plan.monitoring.reason}")
    message = f"the table is not to be monitored ({model.plan.monitoring.reason})"
    return verdict([found(GATE, message, path, "remove the file, or ask for monitoring in the requirements")], "")


GATE = Gate("MON002", "unwanted_bigconfig", "monitoring", check)
