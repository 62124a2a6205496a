"""HAVING, QUALIFY and refuse_when with the output names in them replaced by what these stand for."""

from __future__ import annotations

from collections.abc import Mapping, Set

from sqlglot import exp

from etl_orchestrator.proving.grammar import AGGREGATES, Node, function_name, path, window_call


def with_outputs(node: Node, outputs: Mapping[str, Node], offered: Set[str]) -> Node:
    """`outputs` and `offered` (what the sources have) by name in lower case.

    GoogleSQL takes the name of the SELECT list first. The written query names the source inside of an aggregate, where
    that would make a sum of sums: there a name which a source has is the source's.
    """

    def put(part: Node) -> Node:
        names = path(part) if isinstance(part, exp.Column) else None
        if not names or len(names) != 1 or names[0].lower() not in outputs:
            return part
        if names[0].lower() in offered and _in_aggregate(part):
            return part
        return exp.Paren(this=outputs[names[0].lower()].copy())

    changed: Node = node.copy().transform(put)
    return changed


def _in_aggregate(node: Node) -> bool:
    """Whether an aggregate is above the node that is no window call."""
    above = node.parent
    while above is not None:
        windowed = isinstance(above.parent, exp.Window) and window_call(above.parent) is above
        if function_name(above) in AGGREGATES and not windowed:
            return True
        above = above.parent
    return False
