"""Interprets GoogleSQL expressions in plain Python, independently of every engine: three-valued logic, UTC.

What is not covered raises CannotTell; there are no approximations. Queries inside of an expression are worked out by
`relations`, which hands itself in as `select`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.forms import coerce, is_literal
from etl_orchestrator.proving.grammar import Node, has_aggregate, has_window
from etl_orchestrator.proving.operators import HANDLERS
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.proving.values import Unknown, group_key, typed
from etl_orchestrator.table import LEGACY_TYPES
from etl_orchestrator.tools import ParameterValue, Value

#: A query inside of an expression: its rows as lists of values, with the names of its columns.
Select = Callable[[exp.Select, Scope], tuple[tuple[str, ...], list[list[Value]]]]


class Evaluator:
    """Values of expressions under given parameters."""

    def __init__(self, parameters: Mapping[str, ParameterValue], select: Select) -> None:
        self.parameters = {name.lower(): _parameter(name, given) for name, given in parameters.items()}
        self._select = select
        self._grouped: dict[int, tuple[Node, bool]] = {}

    def value(self, node: Node, scope: Scope) -> Value:
        """The value of the expression in the scope."""
        if scope.group is not None and not self._needs_group(node):
            return self._uniform(node, scope)
        handler = HANDLERS.get(type(node))
        if handler is None:
            raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
        return handler(self, node, scope)

    def condition(self, node: Node, scope: Scope) -> bool | None:
        """A BOOL value."""
        found = self.value(node, scope)
        if found is not None and not isinstance(found, bool):
            raise CannotTell(f"`{node.sql('bigquery')}` is no condition")
        return found

    def operands(self, left: Node, right: Node, scope: Scope) -> tuple[Value, Value]:
        """Both sides of a comparison, a string literal in the type of the other side."""
        first, second = self.value(left, scope), self.value(right, scope)
        if isinstance(first, str) and is_literal(left) and second is not None:
            first = coerce(first, second)
        elif isinstance(second, str) and is_literal(right) and first is not None:
            second = coerce(second, first)
        return first, second

    def rows(self, query: exp.Select, scope: Scope) -> tuple[tuple[str, ...], list[list[Value]]]:
        """The rows of a query inside of this expression."""
        return self._select(query, scope)

    def column(self, query: exp.Select, scope: Scope) -> list[Value]:
        """The one column of a query inside of this expression, structs where it is `SELECT AS STRUCT`."""
        names, rows = self._select(query, scope)
        for row in rows:
            for cell in row:
                if isinstance(cell, Unknown):
                    raise CannotTell(cell.reason)
        if str(query.args.get("kind") or "").upper() == "STRUCT":
            return [dict(zip(names, row, strict=True)) for row in rows]
        if len(names) != 1:
            raise CannotTell("a query with several columns where one value is wanted")
        return [row[0] for row in rows]

    def _needs_group(self, node: Node) -> bool:
        known = self._grouped.get(id(node))
        if known is None:
            known = self._grouped[id(node)] = (node, has_aggregate(node) or has_window(node))
        return known[1]

    def _uniform(self, node: Node, scope: Scope) -> Value:
        """The value that an expression without aggregates has in every row of the group."""
        rows = scope.group or (Scope(outer=scope.outer),)
        values = [self.value(node, row) for row in rows]
        if any(group_key(value) != group_key(values[0]) for value in values):
            raise CannotTell(f"`{node.sql('bigquery')}` is neither a group key nor aggregated")
        return values[0]


def _parameter(name: str, given: ParameterValue) -> Value:
    declared = given.type.strip().upper()
    if declared.startswith("ARRAY<") and declared.endswith(">"):
        inner = LEGACY_TYPES.get(declared[6:-1], declared[6:-1])
        return None if given.value is None else [typed(element, inner, name) for element in given.value]
    return typed(given.value, LEGACY_TYPES.get(declared, declared), name)
