"""A decision that is missing, or that has no reason.

What it checks
    Query type, refresh, DAG, tier, owners, monitoring, friendly name, partitioning and clustering each have a reason in
    words; query type, refresh, monitoring and friendly name have a value too.
Why
    The plan is what a person agrees to before any work: what has no reason cannot be agreed to.
Example
    DAG bqetl_shop, and not a word why.
Repair
    This is a fault of the program. Report it, or state the value in the requirements.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_KINDS = {
    "query_type": ("query.sql", "query.py", "adopted query.sql"),
    "refresh": ("incremental", "full refresh"),
    "monitoring": ("yes", "no"),
}


def check(model: Model, tools: Tools) -> Verdict:
    plan, requirements = model.plan, model.requirements
    if requirements is None:
        return NotDue("no requirements stand behind this table")
    at = requirements.request.origin
    if plan is None:
        return verdict([found(GATE, "nothing is decided", at, "visit the room of the plan")], "")
    decisions = {
        "query_type": plan.query_type, "refresh": plan.refresh, "dag": plan.dag, "tier": plan.tier,
        "owners": plan.owners, "monitoring": plan.monitoring, "friendly_name": plan.friendly_name,
        "partitioning": plan.partitioning, "clustering": plan.clustering,
    }  # fmt: skip
    findings = []
    for name, decision in decisions.items():
        if not decision.reason.strip():
            message = f"{name.replace('_', ' ')} is `{decision.value}` without a reason"
            findings.append(found(GATE, message, at, f"state the {name.replace('_', ' ')} in the requirements"))
        kinds = _KINDS.get(name)
        if kinds and decision.value not in kinds:
            message = f"{name.replace('_', ' ')} is `{decision.value}`"
            findings.append(found(GATE, message, at, f"decide for {', '.join(kinds[:-1])} or {kinds[-1]}"))
    if not plan.friendly_name.value.strip():
        findings.append(found(GATE, "the table has no friendly name", at, "state `friendly_name` in the requirements"))
    return verdict(findings, f"{len(decisions)} decisions have their reasons")


GATE = Gate("PLN003", "undecided", "plan", check)
