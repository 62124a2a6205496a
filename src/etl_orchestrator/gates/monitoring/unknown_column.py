"""A check of a column that the table does not have.

What it checks
    Every column of bigconfig.yml, those that date rows included, is a field of schema.yaml.
Why
    The deploy fails, or the check is dropped and nobody notices.
Example
    A check of `order_day`, and the column is called order_date.
Repair
    Name a column of schema.yaml.
"""

from __future__ import annotations

import difflib

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import walk
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    bigconfig = own_files.readable_bigconfig(model)
    if isinstance(bigconfig, NotDue):
        return bigconfig
    schema = own_files.readable_schema(model, tools.catalog)
    if isinstance(schema, NotDue):
        return schema
    known = [path for path, _ in walk(schema)]
    lower = {name.lower() for name in known}
    named: dict[str, None] = {}
    for table, monitor in bigconfig.monitors:
        if table == model.table:
            named.update(dict.fromkeys(monitor.columns))
            if monitor.date_column:
                named[monitor.date_column] = None
    own = f"{model.table.project}.{model.table}."
    named.update(dict.fromkeys(name.removeprefix(own) for name in bigconfig.date_columns if name.startswith(own)))
    # A pattern (`*_id`) selects what there is; FULL_SCAN stands for "no column dates the rows".
    unknown = [name for name in named if name.lower() not in lower and "*" not in name and name != "FULL_SCAN"]
    path = paths.bigconfig_yml(model.table)
    findings = []
    for name in unknown:
        near = difflib.get_close_matches(name, known, 1, 0.5)
        fix = f"name {near[0]}" if near else "name a column of schema.yaml"
        findings.append(found(GATE, f"the table has no column `{name}`", path, fix))
    return verdict(findings, f"{len(named)} columns are there")


GATE = Gate("MON006", "unknown_column", "monitoring", check)
