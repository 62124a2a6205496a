"""How a table is kept: partitions, retention and clustering, from what is asked and what its neighbours do."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.plan import Decision
from etl_orchestrator.requirements import Partitioning, Requirements
from etl_orchestrator.skills.bigquery_etl_core.habits import Kin, habit

#: Deleting data by habit takes near unanimity of at least so many neighbours.
_RETENTION_SHARE, _RETENTION_COUNT = 0.8, 3
#: BigQuery's limit of clustering columns.
MAX_CLUSTERING = 4


def refresh_of(partitioning: Partitioning) -> Decision:
    """Incremental or full refresh, as required."""
    if not partitioning.incremental:
        return Decision("full refresh", "every run writes the whole table anew")
    if partitioning.write == "append":
        return Decision("incremental", "each run appends its rows")
    if partitioning.write == "table":
        return Decision("incremental", "each run writes the table anew from its own previous content")
    where = partitioning.field or "the time of ingestion"
    return Decision("incremental", f"each run writes one {partitioning.type or 'day'} of {where}")


def partition_of(
    requirements: Requirements, groups: tuple[Kin, ...], frequency: str, aggregate: bool
) -> tuple[Partitioning, Decision]:
    """The partitioning with everything filled in, and the same in words. `aggregate` tables are never deleted."""
    asked = requirements.partitioning
    if asked.field is None and not asked.ingestion_time:
        return replace(asked, write=asked.write or ("append" if asked.incremental else "table")), Decision(
            "not partitioned", "the requirements name no partition field"
        )
    reasons = ["the requirements say so"]
    kind = asked.type
    if kind is None:
        kind = "hour" if asked.incremental and frequency == "hourly" and asked.ingestion_time else "day"
        reasons.append("a partition a day is the rule")
    expiration = asked.expiration_days
    # A person who wrote `expiration_days: null` and one who wrote nothing cannot be told apart here: keeping is safe.
    if expiration is None and not aggregate:
        kept = habit(groups, lambda facts: (facts.expiration_days,) if facts.partition_type else None)
        if kept and kept.value[0] and kept.share >= _RETENTION_SHARE and kept.count >= _RETENTION_COUNT:
            expiration = kept.value[0]
            reasons.append(f"{kept.reason} expire after {expiration} days")
    required = asked.require_filter
    if required is None:
        filtered = habit(groups, lambda facts: facts.require_partition_filter if facts.partition_type else None)
        required = True if filtered is None else filtered.value
        says = "demand a filter" if required else "demand no filter"
        reasons.append(f"{filtered.reason} {says}" if filtered else "a filter spares full scans")
    full = replace(
        asked,
        type=kind,
        expiration_days=expiration,
        require_filter=required,
        write=asked.write or ("partition" if asked.incremental else "table"),
    )
    return full, Decision(partition_words(full), "; ".join(reasons))


def partition_words(partitioning: Partitioning) -> str:
    """`day of submission_date, filter required, expires after 775 days`."""
    if partitioning.field is None and not partitioning.ingestion_time:
        return "not partitioned"
    words = [f"{partitioning.type or 'day'} of {partitioning.field or 'ingestion'}"]
    if partitioning.require_filter:
        words.append("filter required")
    if partitioning.expiration_days:
        words.append(f"expires after {partitioning.expiration_days} days")
    return ", ".join(words)


def clustering_of(requirements: Requirements, groups: tuple[Kin, ...]) -> Decision:
    """The declared columns, or those keys of the grain by which the neighbours cluster, the most used first."""
    declared = requirements.request.clustering
    if declared:
        return Decision(", ".join(declared), "the requirements say so")
    keys = [key for key in requirements.keys if key != requirements.partitioning.field]
    near = groups[-1].tables if groups else ()
    used = {key: sum(key in facts.clustering for facts in near) for key in keys}
    chosen = sorted((key for key in keys if used[key] >= 2), key=lambda key: (-used[key], keys.index(key)))
    if not chosen:
        return Decision("", "none is declared, and no two neighbours cluster by a key of the grain")
    chosen = chosen[:MAX_CLUSTERING]
    counts = ", ".join(f"{used[key]} {groups[-1].words} cluster by {key}" for key in chosen)
    return Decision(", ".join(chosen), counts)
