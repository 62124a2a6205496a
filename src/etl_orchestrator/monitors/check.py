"""What a data-quality check is: a name, a line about it, and the monitors it makes for a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl_orchestrator.layout import bigconfig_yml, paths
from etl_orchestrator.layout.bigconfig_yml import Monitor
from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.tools import Catalog


@dataclass(frozen=True, slots=True)
class Subject:
    """A table as the checks see it. `saved` are the ids of saved metrics that the repository defines; `date_column` is
    set when rows are dated by another column than the one that saved metrics expect (submission_date)."""

    keys: tuple[str, ...] = ()
    scheduled: bool = True
    blocking_volume: bool = False
    partition_field: str | None = None
    saved: frozenset[str] = frozenset()
    asked: tuple[Mapping[str, object], ...] = ()

    @property
    def date_column(self) -> str | None:
        return self.partition_field if self.partition_field != "submission_date" else None


@dataclass(frozen=True, slots=True)
class Check:
    """`monitors` gives none where the check has nothing to look at."""

    name: str
    about: str
    monitors: Callable[[Subject], tuple[Monitor, ...]]


#: Tiers whose failing volume check stops what comes after.
BLOCKING_TIERS = ("tier_1",)


def subject_of(requirements: Requirements, plan: Plan, catalog: Catalog) -> Subject:
    """What the requirements and the plan say that a check needs to know."""
    asked = requirements.request.monitoring
    return Subject(
        keys=requirements.keys,
        scheduled=bool(plan.dag.value),
        blocking_volume=plan.tier.value in BLOCKING_TIERS,
        partition_field=plan.partition.field if plan.partition else None,
        saved=saved_metrics(catalog),
        asked=() if isinstance(asked, str) else asked,
    )


def saved_metrics(catalog: Catalog) -> frozenset[str]:
    """Ids of the repository's saved metrics; empty when it defines none."""
    text = catalog.text(paths.SAVED_METRICS)
    return frozenset() if text is None else bigconfig_yml.read(text, paths.SAVED_METRICS).saved
