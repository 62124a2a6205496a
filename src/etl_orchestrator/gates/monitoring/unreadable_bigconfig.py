"""A bigconfig.yml that Bigeye would refuse.

What it checks
    bigconfig.yml is YAML of type BIGCONFIG_FILE; its deployments name columns as project.project.dataset.table.column
    and every metric is a saved or a predefined one.
Why
    One file that cannot be read stops the deploy of all monitors.
Example
    The first line `type: BIGCONFIG_FILE` is missing.
Repair
    Correct what is named, then `bqetl monitoring validate`.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.bigconfig_yml(model.table)
    try:
        bigconfig = own_files.bigconfig(model)
    except InvalidInput as error:
        fix = error.fix or "correct it, then bqetl monitoring validate"
        return verdict([found(GATE, f"it cannot be read: {error.message}", error.at or path, fix)], "")
    if bigconfig is None:
        return NotDue("there is no bigconfig.yml")
    return verdict([], f"{len(bigconfig.monitors)} checks read")


GATE = Gate("MON004", "unreadable_bigconfig", "monitoring", check)
