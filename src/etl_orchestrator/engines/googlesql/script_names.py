"""The tables that a text of one or many statements names, before any schema is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etl_orchestrator.engines.googlesql.session import Session
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql import script
from etl_orchestrator.sql import script_nodes as nodes

_MAKING = ("CREATE TABLE", "CREATE VIEW")


def names_of(session: Session, sql: str) -> list[tuple[str, ...]]:
    """The paths, CTEs and what the text itself makes left out. Raises Refusal where it does not parse."""
    found = session.table_names(sql)
    try:
        body = script.parse(sql)
    except InvalidInput:
        return found
    if len(body) == 1 and isinstance(body[0], nodes.Statement) and not body[0].body:
        return [*found, *_altered(body[0])]
    made: set[str] = set()
    ordered: list[tuple[str, ...]] = []
    for statement, span in _spans(body):
        text = span.of(sql)
        names = session.table_names(text if statement else f"SELECT {text}")
        if statement:
            names.extend(_altered(statement))
        ordered.extend(name for name in names if not _is_made(name, made))
        if statement and statement.kind in _MAKING:
            made.add(".".join(statement.name).lower())
    return ordered


def _altered(statement: nodes.Statement) -> list[tuple[str, ...]]:
    """ALTER TABLE needs the columns of its table as every other statement does, but the engine does not count it."""
    return [statement.name] if statement.kind == "ALTER TABLE" and statement.name else []


def _is_made(name: Sequence[str], made: set[str]) -> bool:
    dotted = ".".join(name).lower().removeprefix("_session.")
    return any(f".{dotted}".endswith(f".{other}") or f".{other}".endswith(f".{dotted}") for other in made)


def _spans(body: Sequence[nodes.Node]) -> Iterator[tuple[nodes.Statement | None, nodes.Span]]:
    """The statements and expressions of a script in order, expressions without a statement."""
    for node in body:
        if isinstance(node, nodes.Statement):
            if node.body:
                yield from _spans((node.body,))
            else:
                yield node, node.span
        else:
            yield from ((None, span) for span in _expressions(node))
            yield from _spans(_below(node))


def _expressions(node: nodes.Node) -> list[nodes.Span]:
    match node:
        case nodes.Declare():
            return [node.default] if node.default else []
        case nodes.Assign():
            return [node.value]
        case nodes.If():
            return [span for span in (node.operand, *(branch.condition for branch in node.branches)) if span]
        case nodes.Loop():
            return [node.condition] if node.condition else []
        case nodes.Call():
            return list(node.arguments)
        case nodes.Raise():
            return [node.message] if node.message else []
        case nodes.Execute():
            return [node.text, *(span for span, _ in node.using)]
    return []


def _below(node: nodes.Node) -> tuple[nodes.Node, ...]:
    match node:
        case nodes.If():
            return tuple(inner for branch in node.branches for inner in branch.body)
        case nodes.Loop():
            return node.body
        case nodes.Block():
            return (*node.body, *(node.handler or ()))
    return ()
