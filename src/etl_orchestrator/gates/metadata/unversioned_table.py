"""A scheduled table whose name has no version.

What it checks
    The name of a scheduled table with a query ends in _v and a number.
Why
    The name of its Airflow task is made from the version; without one the DAG is not generated. And the next
    incompatible change needs a _v2 beside it.
Example
    sql/…/shop_derived/daily_orders/
Repair
    Name it daily_orders_v1.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_VERSIONED = re.compile(r"\w+_v[0-9]+")


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.scheduling:
        return NotDue("the table is not scheduled")
    name = model.table.name
    if _VERSIONED.fullmatch(name):
        return verdict([], f"`{name}` has a version")
    folder = paths.table_folder(model.table)
    return verdict([found(GATE, f"the name `{name}` has no version", folder, f"name it {name}_v1")], "")


GATE = Gate("MET015", "unversioned_table", "requirements", check)
