"""Phase 5's skill: bigconfig.yml, or nothing with the reason. It never deploys anything."""

from __future__ import annotations

from etl_orchestrator.layout import bigconfig_yml, paths
from etl_orchestrator.layout.bigconfig_yml import Collection
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.monitors import monitors_of
from etl_orchestrator.monitors.check import subject_of
from etl_orchestrator.monitors.collection import collection_of
from etl_orchestrator.tools import Tools

__all__ = ["says", "work"]

PHASE = "monitoring"


def work(model: Model, tools: Tools) -> Model:
    """The model with bigconfig.yml when the plan says that the table is monitored, and without it when not."""
    requirements, plan = model.requirements, model.plan
    if requirements is None or plan is None:
        return model
    if not plan.monitored:
        return model.with_artifacts(PHASE, ())
    chosen = monitors_of(subject_of(requirements, plan, tools.catalog))
    name = collection_of(plan, tools.catalog)
    collection = Collection(name) if name else None
    text = bigconfig_yml.write(model.table, [monitor for _, monitor in chosen], collection)
    notes = tuple(Note(", ".join(monitor.columns) or "table", check, monitor.metric) for check, monitor in chosen)
    return model.with_artifacts(PHASE, (Artifact(paths.bigconfig_yml(model.table), text, PHASE, notes),))


def says(model: Model) -> str:
    if model.plan is None:
        return "no plan, nothing to monitor by"
    artifact = model.artifact(paths.bigconfig_yml(model.table))
    if artifact is None:
        return f"not monitored: {model.plan.monitoring.reason}"
    checks = ", ".join(dict.fromkeys(note.source for note in artifact.notes))
    return f"{len(artifact.notes)} checks ({checks}): {model.plan.monitoring.reason}"
