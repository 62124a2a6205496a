"""Arrays and structs are groupable in GROUP BY and SELECT DISTINCT only; the engine groups them everywhere.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#groupable_data_types
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from etl_orchestrator.engines.googlesql.protocol import TypeKind
from etl_orchestrator.engines.googlesql.resolved import concrete, inherited, kind

_NAMES = {TypeKind.TYPE_ARRAY: "ARRAY", TypeKind.TYPE_STRUCT: "STRUCT"}
_CALLS = frozenset({"AggregateFunctionCall", "AnalyticFunctionCall"})


class Refused(NamedTuple):
    """What is wrong, in the engine's words for types that it does not group, and the byte where it stands."""

    message: str
    start: int


def ungroupable(nodes: Iterable[Any]) -> Refused | None:
    """The first of the nodes that BigQuery refuses for the type it would group by."""
    for node in nodes:
        name = kind(node)
        if name == "WindowPartitioning":
            parts: Iterable[Any] = node.partition_by_list
            message = "Partitioning by expressions of type {} is not allowed"
        elif name in _CALLS and inherited(node, "distinct"):
            parts = inherited(node, "argument_list")
            message = "Aggregate functions with DISTINCT cannot be used with arguments of type {}"
        else:
            continue
        for part in parts:
            given = _NAMES.get(inherited(concrete(part), "type").type_kind)
            if given:
                return Refused(message.format(given), inherited(node, "parse_location_range").start)
    return None
