"""Runs that must fail: a guard which is evaluated even when the model has no rows.

A condition in WHERE is never evaluated when FROM is empty, and "no rows arrived" is the most frequent reason to refuse.
So the guard is a branch of its own, united with the result: it either fails or adds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from etl_orchestrator.requirements import Body, RefuseWhen
from etl_orchestrator.skills.query_writer.names import quoted
from etl_orchestrator.skills.query_writer.scope import Scope, parsed
from etl_orchestrator.sql import expressions


@dataclass(frozen=True, slots=True)
class Refusals:
    """Conditions by what they speak of: nothing but parameters and subqueries, the rows read, or the rows made."""

    alone: tuple[RefuseWhen, ...] = ()
    read: tuple[RefuseWhen, ...] = ()
    made: tuple[RefuseWhen, ...] = ()


def sorted_refusals(refusals: Sequence[RefuseWhen], body: Body, scope: Scope) -> Refusals:
    """Each condition where it can be evaluated. A bare name is a source's column if one has it, else an output column."""
    groups: dict[str, list[RefuseWhen]] = {"alone": [], "read": [], "made": []}
    names = {column.name.lower() for column in body.columns}
    for refusal in refusals:
        groups[_speaks_of(refusal.condition, names, scope)].append(refusal)
    return Refusals(tuple(groups["alone"]), tuple(groups["read"]), tuple(groups["made"]))


def _speaks_of(condition: str, outputs: set[str], scope: Scope) -> str:
    from sqlglot import exp

    tree = parsed(condition)
    if tree is None:
        return "read"
    aliases = {source.alias.lower() for source in scope.sources}
    inside = [column for column in tree.find_all(exp.Column) if column.find_ancestor(exp.Select)]
    outside = [column for column in tree.find_all(exp.Column) if not column.find_ancestor(exp.Select)]
    if any(column.parts[0].name.lower() in aliases for column in outside):
        return "read"
    read = {name for offered in scope.columns.values() for name in offered or ()}
    bare = {column.parts[0].name.lower() for column in outside}
    if bare - read and bare <= outputs:
        return "made"
    if bare or expressions.is_aggregate(condition) or not scope.sources:
        return "read" if scope.sources else "made"
    correlated = {column.table.lower() for column in inside} & aliases
    defined = {table.alias_or_name.lower() for table in tree.find_all(exp.Table)}
    return "read" if correlated - defined else "alone"


def guard(refusals: Sequence[RefuseWhen], scope: Scope | None, from_where: str) -> str:
    """One row whose only column is FALSE, or an error."""
    whens = []
    for refusal in refusals:
        condition = scope.qualified(refusal.condition) if scope else refusal.condition
        if from_where and not expressions.is_aggregate(condition):
            condition = f"LOGICAL_OR({condition})"
        whens.append(f"WHEN {condition}\nTHEN ERROR({literal(refusal.message)})")
    return f"SELECT\nCASE\n{chr(10).join(whens)}\nELSE FALSE\nEND AS refused\n{from_where}"


def branch(guard_name: str, outputs: Sequence[str]) -> str:
    """A SELECT of no rows that makes the guard be evaluated."""
    nothing = ",\n".join(f"NULL AS {quoted(name)}" for name in outputs)
    return f"UNION ALL\nSELECT\n{nothing}\nFROM\n{guard_name}\nWHERE\nrefused"


def literal(text: str) -> str:
    """A GoogleSQL string, safe inside a Jinja template."""
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "'" + re.sub(r"\{(?=[{%#])", r"\\x7b", text) + "'"
