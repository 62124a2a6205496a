"""Phase 1: the core conventions are loaded and every decision is made, each with its reason."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.gates import plan as gates
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Phase
from etl_orchestrator.skills.bigquery_etl_core import conventions
from etl_orchestrator.tools import Tools


def work(model: Model, tools: Tools) -> Model:
    if model.requirements is None:
        return model
    return replace(model, plan=conventions.plan_of(model.requirements, tools))


def says(model: Model) -> str:
    plan = model.plan
    if plan is None:
        return "no requirements, nothing to decide"
    dag = f"DAG {plan.dag.value}" if plan.dag.value else "not scheduled"
    return f"{plan.query_type.value}, {plan.refresh.value}, {dag}, {plan.tier.value or 'no tier'}"


PHASE = Phase("plan", "bigquery_etl_core", work, gates.GATES, says)
