"""A plan that decides otherwise than the requirements say.

What it checks
    The query type follows from `query` and `python`, the refresh from `partitioning`; a DAG, a tier and owners that the
    requirements name are the planned ones.
Why
    Where a rule and a person's words disagree, the person wins.
Example
    The requirements name the owner ana@example.com, and the plan has the owners of the dataset.
Repair
    This is a fault of the program: the room of the plan is visited again. Report it.
"""

from __future__ import annotations

from collections.abc import Iterator

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    plan, requirements = model.plan, model.requirements
    if plan is None or requirements is None:
        return NotDue("no plan stands behind this table")
    findings = [
        found(
            GATE,
            f"`{element}` is planned as `{planned}`, and the requirements say `{said}`",
            requirements.request.at(element),
            f"plan `{said}`",
        )
        for element, planned, said in _pairs(plan, requirements)
        if planned != said
    ]
    return verdict(findings, "the plan follows the requirements")


def _pairs(plan: Plan, requirements: Requirements) -> Iterator[tuple[str, str, str]]:
    """Element, what is planned and what the requirements say, where they say anything."""
    request = requirements.request
    kind = "query.py" if request.python else "adopted query.sql" if request.query else "query.sql"
    yield ("python" if request.python else "query"), plan.query_type.value, kind
    refresh = "incremental" if requirements.partitioning.incremental else "full refresh"
    yield "partitioning", plan.refresh.value, refresh
    if requirements.schedule.dag:
        yield "schedule", plan.dag.value, requirements.schedule.dag
    if requirements.schedule.none:
        yield "schedule", plan.dag.value, ""
    if request.tier:
        yield "tier", plan.tier.value, request.tier
    if request.owners:
        yield "owners", plan.owners.value, ", ".join(request.owners)


GATE = Gate("PLN006", "contradicted_requirement", "plan", check)
