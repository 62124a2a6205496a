"""What a condition of `refuse_when` comes to on given rows: of the result, of what is read, or by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from etl_orchestrator.proving.distance import FAR, distance
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.expressions import Evaluator
from etl_orchestrator.proving.grammar import Node, expression, has_aggregate, outer_parts, path
from etl_orchestrator.proving.relations import Item, Relation
from etl_orchestrator.proving.scopes import Scope


@dataclass(frozen=True, slots=True)
class Guard:
    """`fires` is None when it cannot be told; `to_pass` and `to_fire` are distances, 0 where it does so already."""

    message: str
    fires: bool | None
    to_pass: float = FAR
    to_fire: float = FAR


def guard(
    evaluator: Evaluator,
    condition: str,
    message: str,
    result: Relation,
    read: tuple[Sequence[Item], Sequence[Scope]] | None,
) -> Guard:
    """`read` are the sources of the last SELECT and the rows that its FROM and WHERE leave, None for a union."""
    node = expression(condition)
    rows = [Scope(ranges=(entry,)) for entry in result.ranges("")]
    if read is not None:
        speaks = _speaks_of(node, {name.lower() for name in result.columns}, read[0])
        rows = {"read": list(read[1]), "made": rows, "alone": [Scope()]}[speaks]
    scopes = [Scope(group=tuple(rows))] if has_aggregate(node) else rows
    try:
        met = [evaluator.condition(node, scope) is True for scope in scopes]
    except QueryFails:
        raise
    except CannotTell:
        return Guard(message, None)
    return Guard(
        message,
        True in met,
        sum(distance(evaluator, node, scope, wanted=False) for scope in scopes),
        min((distance(evaluator, node, scope) for scope in scopes), default=FAR),
    )


def _speaks_of(node: Node, outputs: set[str], items: Sequence[Item]) -> str:
    """A name is a source's column if one has it, else an output column; what names nothing is counted over the rows
    that are read, or asked by itself."""
    outside = [part for part in outer_parts(node) if isinstance(part, exp.Column)]
    aliases = {item.alias.lower() for item in items}
    firsts = {names[0].lower() for part in outside if (names := path(part))}
    offered = {
        name.lower() for item in items for name in (item.relation.columns if item.relation else item.fields or ())
    }
    if firsts & aliases:
        return "read"
    if firsts - offered and firsts <= outputs:
        return "made"
    inside = {names[0].lower() for part in node.find_all(exp.Column) if (names := path(part)) and len(names) > 1}
    return "read" if firsts or has_aggregate(node) or inside & aliases else "alone"
