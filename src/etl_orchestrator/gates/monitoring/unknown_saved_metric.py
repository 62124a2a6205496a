"""A check by a saved metric that nobody has saved.

What it checks
    Every saved_metric_id of bigconfig.yml is defined in sql/bigconfig.yml of the repository, or in the file itself.
Why
    Bigeye refuses the deploy.
Example
    saved_metric_id: is_not_nul
Repair
    Name one that is defined, or a predefined metric (`metric_type: predefined_metric`).
"""

from __future__ import annotations

import difflib

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.monitors.check import saved_metrics
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    bigconfig = own_files.readable_bigconfig(model)
    if isinstance(bigconfig, NotDue):
        return bigconfig
    saved = bigconfig.saved | saved_metrics(tools.catalog)
    used = sorted({monitor.metric for _, monitor in bigconfig.monitors if not monitor.is_predefined})
    path = paths.bigconfig_yml(model.table)
    findings = []
    for name in used:
        if name not in saved:
            near = difflib.get_close_matches(name, sorted(saved), 1)
            fix = f"name {near[0]}" if near else f"define it in {paths.SAVED_METRICS}, or use a predefined metric"
            findings.append(found(GATE, f"`{name}` is no saved metric", path, fix))
    return verdict(findings, f"{len(used)} saved metrics are defined")


GATE = Gate("MON010", "unknown_saved_metric", "monitoring", check)
