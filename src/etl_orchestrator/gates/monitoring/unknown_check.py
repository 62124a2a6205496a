"""A requested check that cannot be carried out.

What it checks
    Every entry under `monitoring` of the requirements names a check that is known, with the columns and bounds it takes,
    and its columns are columns of the table.
Why
    A check that is asked for and not there is worse than none: somebody relies on it.
Example
    monitoring: [{check: not_nul, columns: [country]}]
Repair
    Use freshness, volume, not_null, unique, a saved metric of the repository, or a predefined one in capitals.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.monitors.check import subject_of
from etl_orchestrator.monitors.requested import columns_of, problem_of
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements, plan = model.requirements, model.plan
    if requirements is None or plan is None:
        return NotDue("no requirements and no plan")
    subject = subject_of(requirements, plan, tools.catalog)
    if not subject.asked:
        return NotDue("the requirements ask for no check of their own")
    at = requirements.request.at("monitoring")
    known = {column.name for column in requirements.body.columns}
    fix = "use freshness, volume, not_null, unique, a saved metric, or a predefined one in capitals"
    findings = []
    for number, entry in enumerate(subject.asked, 1):
        problem = problem_of(entry, subject)
        if problem:
            findings.append(found(GATE, f"check {number}: {problem}", at, fix))
            continue
        for column in columns_of(entry):
            if known and column not in known:
                message = f"check {number}: the table has no column `{column}`"
                findings.append(found(GATE, message, at, "name an output column"))
    return verdict(findings, f"{len(subject.asked)} requested checks are carried out")


GATE = Gate("MON011", "unknown_check", "requirements", check)
