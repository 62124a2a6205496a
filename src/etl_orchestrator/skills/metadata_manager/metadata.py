"""metadata.yaml: the plan's decisions in the repository's own form."""

from __future__ import annotations

from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import metadata_yaml, paths
from etl_orchestrator.layout.metadata_yaml import Metadata, TimePartitioning
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.monitors import monitors_of
from etl_orchestrator.monitors.check import subject_of
from etl_orchestrator.monitors.collection import collection_of
from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.skills.metadata_manager.scheduling import label_values, scheduling_of
from etl_orchestrator.tools import Tools

PHASE = "metadata"


def metadata_of(model: Model, tools: Tools) -> Artifact:
    """The complete metadata.yaml; raises InvalidInput for a model without requirements and plan."""
    requirements, plan = model.requirements, model.plan
    if requirements is None or plan is None:
        raise InvalidInput(f"`{model.table}` has no requirements from which metadata could be made")
    query = model.text(paths.query_sql(model.table)) or ""
    metadata = Metadata(
        friendly_name=plan.friendly_name.value,
        description=requirements.description.strip(),
        owners=plan.owner_list,
        labels=label_values(plan.labels),
        scheduling=scheduling_of(requirements, plan, query),
        time_partitioning=_partitioning(plan),
        clustering=plan.cluster_list,
        monitoring=_monitoring(requirements, plan, tools),
        require_column_descriptions=True,
    )
    notes = tuple(
        Note(at, "plan", f"{decision.value or 'none'}: {decision.reason}")
        for at, decision in (
            ("friendly_name", plan.friendly_name),
            ("owners", plan.owners),
            ("scheduling.dag_name", plan.dag),
            ("bigquery.time_partitioning", plan.partitioning),
            ("bigquery.clustering", plan.clustering),
            ("monitoring", plan.monitoring),
        )
    )
    return Artifact(paths.metadata_yaml(model.table), metadata_yaml.write(metadata), PHASE, notes)


def _partitioning(plan: Plan) -> TimePartitioning | None:
    partition = plan.partition
    if partition is None or (partition.field is None and not partition.ingestion_time):
        return None
    return TimePartitioning(
        type=partition.type or "day",
        field=partition.field,
        require_partition_filter=bool(partition.require_filter),
        expiration_days=partition.expiration_days,
    )


def _monitoring(requirements: Requirements, plan: Plan, tools: Tools) -> dict[str, Any]:
    """{} when the table is not monitored: that repository reads no block as "not monitored"."""
    if not plan.monitored:
        return {}
    block: dict[str, Any] = {"enabled": True}
    collection = collection_of(plan, tools.catalog)
    if collection:
        block["collection"] = collection
    for monitor in (monitor for _, monitor in monitors_of(subject_of(requirements, plan, tools.catalog))):
        if monitor.metric in ("FRESHNESS", "VOLUME") and not monitor.columns:
            block[monitor.metric.lower()] = {"blocking": monitor.blocking}
    # A block without the key means the default, which is the check; only null switches it off.
    return {**block, **{key: None for key in ("freshness", "volume") if key not in block}}
