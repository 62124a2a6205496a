"""The Bigeye collection of a table: the one its neighbours are in, so that the same people are told."""

from __future__ import annotations

from collections import Counter

from etl_orchestrator.plan import Plan
from etl_orchestrator.tools import Catalog


def collection_of(plan: Plan, catalog: Catalog) -> str:
    """Most used in the dataset, else by tables of the same owners; "" rather than the alarms of strangers."""
    monitored = [facts for facts in catalog.tables() if facts.collection and facts.table != plan.table]
    here = [facts for facts in monitored if facts.table.dataset == plan.table.dataset]
    owned = [facts for facts in monitored if set(facts.owners) & set(plan.owner_list)]
    counts = Counter(facts.collection for facts in here or owned)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""
