"""The Bigeye collection of a table: the one its neighbours are in, so that the same people are told."""

from __future__ import annotations

from collections import Counter

from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Catalog


def collection_of(table: TableRef, catalog: Catalog) -> str:
    """Most used in the dataset, else in the repository, "" where nobody uses any."""
    monitored = [facts for facts in catalog.tables() if facts.collection and facts.table != table]
    here = [facts for facts in monitored if facts.table.dataset == table.dataset]
    counts = Counter(facts.collection for facts in here or monitored)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""
