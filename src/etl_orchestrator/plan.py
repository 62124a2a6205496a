"""What was decided before the first line of SQL, each decision with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl_orchestrator.requirements import Partitioning
from etl_orchestrator.table import TableRef


@dataclass(frozen=True, slots=True)
class Decision:
    """A value and why it is so: "bqetl_shop", "12 of 14 tables of shop_derived run there"."""

    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A table that the query reads, and where its schema comes from (a path, "declared inline", "this table")."""

    table: TableRef
    origin: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Decisions only; `phases/plan.py` makes it, everybody reads it. `tier` is tier_1, tier_2, tier_3 or "" (unknown)."""

    table: TableRef
    query_type: Decision  # query.sql | query.py | adopted query.sql
    refresh: Decision  # incremental | full refresh
    dag: Decision  # value "" when unscheduled
    tier: Decision
    owners: Decision  # comma-separated
    monitoring: Decision  # yes | no
    friendly_name: Decision
    partitioning: Decision
    clustering: Decision
    labels: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[PlannedSource, ...] = ()
    files: tuple[str, ...] = ()  # every path that must be there in the end, folders end with /
    partition: Partitioning | None = None  # what `partitioning` says in words, habits included

    @property
    def monitored(self) -> bool:
        return self.monitoring.value == "yes"

    @property
    def is_python(self) -> bool:
        return self.query_type.value == "query.py"

    @property
    def cluster_list(self) -> tuple[str, ...]:
        return tuple(column for column in self.clustering.value.split(", ") if column)

    @property
    def owner_list(self) -> tuple[str, ...]:
        return tuple(owner for owner in self.owners.value.split(", ") if owner)
