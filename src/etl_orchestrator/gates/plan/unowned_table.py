"""A scheduled table that nobody owns.

What it checks
    A scheduled table has at least one owner, and every owner is an e-mail address or a team (`organisation/team`).
Why
    The first owner is whom Airflow writes to when the task fails; the repository refuses a scheduled table without one.
Example
    `owners: [ana]`
Repair
    Name an e-mail address or a team under `owners`.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_OWNER = re.compile(r"[^@\s/]+@[^@\s/]+\.[^@\s/]+\Z|[\w.-]+/[\w.-]+\Z")


def check(model: Model, tools: Tools) -> Verdict:
    plan, requirements = model.plan, model.requirements
    if plan is None or requirements is None:
        return NotDue("no plan stands behind this table")
    at, fix = requirements.request.at("owners"), "name an e-mail address or a team under `owners`"
    findings = [
        found(GATE, f"`{owner}` is neither an e-mail address nor a team", at, fix)
        for owner in plan.owner_list
        if not _OWNER.match(owner)
    ]
    if plan.dag.value and not plan.owner_list:
        findings.append(found(GATE, f"{plan.dag.value} would run it, and nobody owns it", at, fix))
    return verdict(findings, f"{len(plan.owner_list)} owners can be written to")


GATE = Gate("PLN007", "unowned_table", "requirements", check)
