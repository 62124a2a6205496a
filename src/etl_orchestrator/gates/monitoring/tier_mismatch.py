"""A plan whose answer about monitoring is not the one of the rule.

What it checks
    Tables of tier_1 and tier_2, and those that feed dashboards or external consumers, are monitored; others are not;
    and where the person said something, that counts. The plan says the same.
Why
    Whether a table is watched is decided by what it is worth, not by who built it.
Example
    The DAG is of tier_1, nobody said anything, and the plan says no.
Repair
    Plan again; or say it in the requirements (`monitoring`, `tier`, `consumers`).
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.monitors.tier_rule import monitoring_rule
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements, plan = model.requirements, model.plan
    if requirements is None or plan is None:
        return NotDue("no requirements and no plan")
    request = requirements.request
    # The tier is looked up again: a plan that is wrong about the tier would agree with itself.
    tier = request.tier or next((dag.tier for dag in tools.catalog.dags() if dag.name == plan.dag.value), "")
    rule = monitoring_rule(request.monitoring, tier, request.consumers)
    if rule.value == plan.monitoring.value:
        return verdict([], f"{'monitored' if plan.monitored else 'not monitored'}: {rule.reason}")
    message = f"the plan says monitoring: {plan.monitoring.value}, the rule {rule.value} ({rule.reason})"
    return verdict([found(GATE, message, request.at("monitoring"), "plan again: etl-orchestrator plan")], "")


GATE = Gate("MON003", "tier_mismatch", "plan", check)
