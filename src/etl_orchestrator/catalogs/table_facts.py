"""The habits of a table, from its metadata.yaml to the index and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from etl_orchestrator.catalogs.tree import Tree
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import TableFacts


def facts_body(tree: Tree, path: str) -> str:
    """The facts of one metadata.yaml as JSON; for one that cannot be read, why ({"problem": …})."""
    from etl_orchestrator.layout import metadata_yaml  # what it says is mostly kept

    try:
        found = metadata_yaml.read(tree.text(path) or "", path)
    except OrchestratorError as error:
        return json.dumps({"problem": f"{error.message} ({error.at or path})"})
    partitioning = found.time_partitioning
    days = partitioning.expiration_days if partitioning else None
    return json.dumps(
        {
            "owners": found.owners,
            "dag": found.dag,
            "partition_type": partitioning.type if partitioning else "",
            "partition_field": (partitioning.field or "") if partitioning else "",
            "require_partition_filter": partitioning.require_partition_filter if partitioning else None,
            "expiration_days": None if days is None else int(days),
            "clustering": found.clustering,
            "labels": {str(key): _label(value) for key, value in found.labels.items()},
            "monitored": found.monitored,
            "collection": str(found.monitoring.get("collection") or ""),
            "description": (found.description or "").strip(),
        }
    )


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def table_facts(table: TableRef, kind: str, body: str) -> TableFacts:
    """The facts from that JSON; only table and kind are known without it."""
    said: Mapping[str, Any] = json.loads(body) if body else {}
    if not said or "problem" in said:
        return TableFacts(table, kind)
    return TableFacts(table, kind, **{**said, "owners": tuple(said["owners"]), "clustering": tuple(said["clustering"])})
