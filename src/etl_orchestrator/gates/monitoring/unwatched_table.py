"""A monitored table of which nobody asks whether it came, or came whole.

What it checks
    bigconfig.yml of a table that the plan monitors has a volume check, and a freshness check when it is scheduled.
Why
    These two catch most of what goes wrong: the run that failed, and the source that was empty.
Example
    bigconfig.yml only checks a column for NULL.
Repair
    Add FRESHNESS and VOLUME of the whole table.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.plan is None or not model.plan.monitored:
        return NotDue("no plan monitors the table")
    bigconfig = own_files.readable_bigconfig(model)
    if isinstance(bigconfig, NotDue):
        return bigconfig
    there = {monitor.metric.lower() for _, monitor in bigconfig.monitors if not monitor.columns}
    due = ["freshness", "volume"] if model.plan.dag.value else ["volume"]
    path = paths.bigconfig_yml(model.table)
    findings = [
        found(GATE, f"no {name} check of the table", path, f"add {name.upper()} of the whole table")
        for name in due
        if name not in there
    ]
    return verdict(findings, " and ".join(due))


GATE = Gate("MON007", "unwatched_table", "monitoring", check)
