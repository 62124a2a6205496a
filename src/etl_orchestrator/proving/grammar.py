"""Reads GoogleSQL expressions into trees where every function keeps the name it was written with."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import SqlglotError
from sqlglot.parsers.bigquery import BigQueryParser

from etl_orchestrator.proving.doubt import CannotTell

Node = exp.Expr


class PlainParser(BigQueryParser):
    """BigQuery's grammar without sqlglot's function classes: they rename arguments and rewrite format strings."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: BigQueryParser.FUNCTION_PARSERS[name] for name in ("CAST", "SAFE_CAST", "EXTRACT")
    }
    NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}


class PlainBigQuery(BigQuery):
    """The dialect that reads with it."""

    Parser = PlainParser


AGGREGATES = frozenset(
    ["SUM", "COUNT", "COUNTIF", "MIN", "MAX", "AVG", "ANY_VALUE", "ARRAY_AGG", "STRING_AGG", "LOGICAL_OR",
     "LOGICAL_AND", "MAX_BY", "MIN_BY", "APPROX_COUNT_DISTINCT", "ARRAY_CONCAT_AGG", "APPROX_QUANTILES",
     "APPROX_TOP_COUNT", "APPROX_TOP_SUM", "BIT_AND", "BIT_OR", "BIT_XOR", "STDDEV", "STDDEV_POP", "STDDEV_SAMP",
     "VARIANCE", "VAR_POP", "VAR_SAMP", "CORR", "COVAR_POP", "COVAR_SAMP", "GROUPING"]
)  # fmt: skip
#: Escapes which sqlglot 30 leaves as written inside a string, so that its value would be wrong.
_ESCAPE = re.compile(r"\\[xXuU0-7abfv?]")


@functools.lru_cache(maxsize=4096)
def expression(text: str) -> Node:
    """The tree of one GoogleSQL expression (or of a star). Do not change it: it is shared."""
    parsed = _statement(f"SELECT {text}\n")
    if len(parsed.expressions) != 1 or any(parsed.args.get(key) for key in ("from_", "where", "group", "order")):
        raise CannotTell(f"`{text}` is not one expression")
    found: Node = parsed.expressions[0]
    return found


def _statement(text: str) -> exp.Select:
    try:
        parsed = sqlglot.parse(text, dialect=PlainBigQuery)
    except (SqlglotError, RecursionError) as error:
        raise CannotTell(f"`{text.strip()}` could not be read: {str(error).splitlines()[0]}") from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Select):
        raise CannotTell(f"`{text.strip()}` is not one expression")
    for literal in parsed[0].find_all(exp.Literal):
        if literal.is_string and _ESCAPE.search(literal.this):
            raise CannotTell(f"an escape in {literal.sql()} is not covered")
    return parsed[0]


def function_name(node: Node) -> str:
    """The upper-case name of a call, "" for anything else."""
    return str(node.this).upper() if isinstance(node, exp.Anonymous) else ""


def outer_parts(node: Node, *, windows: bool = True) -> Iterator[Node]:
    """The node and its parts, subqueries left out (their aggregates are their own); parts of windows on demand."""
    yield node
    for part in node.iter_expressions():
        if isinstance(part, (exp.Select, exp.Subquery, exp.SetOperation)):
            continue
        if isinstance(part, exp.Window) and not windows:
            continue
        yield from outer_parts(part, windows=windows)


def has_aggregate(node: Node) -> bool:
    """Whether a call needs a group: `SUM(x)` does, `SUM(x) OVER ()` does not, `SUM(SUM(x)) OVER ()` does."""
    called = {id(window_call(part)) for part in outer_parts(node) if isinstance(part, exp.Window)}
    return any(function_name(part) in AGGREGATES and id(part) not in called for part in outer_parts(node))


def has_window(node: Node) -> bool:
    return any(isinstance(part, exp.Window) for part in outer_parts(node))


def windows(node: Node) -> list[exp.Window]:
    """The window calls of an expression."""
    return [part for part in outer_parts(node) if isinstance(part, exp.Window)]


def window_call(window: exp.Window) -> Node:
    """The function call of a window, IGNORE NULLS behind the parenthesis taken off."""
    call: Node = window.this
    return call.this if isinstance(call, (exp.IgnoreNulls, exp.RespectNulls)) else call


def path(node: Node) -> list[str] | None:
    """The names of `a.b.c`, or None when the node is not a plain path."""
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
        return [part.name for part in node.parts]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        head = path(node.this)
        return None if head is None else [*head, node.expression.name]
    if isinstance(node, exp.Identifier):
        return [node.name]
    return None


def unwrap(node: Node) -> Node:
    """The node without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
