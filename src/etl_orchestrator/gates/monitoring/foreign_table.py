"""A bigconfig.yml that watches another table.

What it checks
    Every deployment and every row creation time of bigconfig.yml names this table.
Why
    A file that was copied from a neighbour watches the neighbour twice and this table not at all.
Example
    sql/…/daily_orders_v1/bigconfig.yml selects ….weekly_orders_v1.*
Repair
    Write the name of this table into the selectors.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    bigconfig = own_files.readable_bigconfig(model)
    if isinstance(bigconfig, NotDue):
        return bigconfig
    own = f"{model.table.project}.{model.table}."
    others = {str(table) for table, _ in bigconfig.monitors if table != model.table}
    others |= {name for name in bigconfig.date_columns if not name.startswith(own)}
    path = paths.bigconfig_yml(model.table)
    findings = [found(GATE, f"it watches `{other}`", path, f"select {own}*") for other in sorted(others)]
    return verdict(findings, f"{len(bigconfig.monitors)} checks are of this table")


GATE = Gate("MON005", "foreign_table", "monitoring", check)
