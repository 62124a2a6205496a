"""The SELECTs of a requirement or of a given query, reduced to what fixtures need: sources, conjuncts, expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.grammar import Node, PlainBigQuery, expression, has_aggregate, path
from etl_orchestrator.proving.outputs import with_outputs
from etl_orchestrator.requirements import Body, Requirements
from etl_orchestrator.table import TableRef


@dataclass(frozen=True, slots=True)
class FrameSource:
    """One range variable: a table, a step or CTE (`step`), or an array."""

    alias: str
    table: TableRef | None = None
    step: str | None = None
    array: Node | None = None
    offset: str | None = None
    join: str = ""
    keys: tuple[Node, ...] = ()  # conjuncts of ON
    filters: tuple[Node, ...] = ()  # conjuncts of the filter before the join


@dataclass(frozen=True, slots=True)
class Frame:
    """One SELECT: `where` are conjuncts, `expressions` everything else that is computed."""

    sources: tuple[FrameSource, ...]
    where: tuple[Node, ...] = ()
    expressions: tuple[Node, ...] = ()
    grouped: bool = False
    name: str = ""  # of the step
    outputs: tuple[tuple[str, Node], ...] = ()
    having: Node | None = None
    refusals: tuple[Node, ...] = ()  # the conditions of refuse_when, with the last SELECT

    @property
    def conjuncts(self) -> tuple[Node, ...]:
        """All conditions that a row must meet to be seen, in the order in which they are best met."""
        found = [*(node for source in self.sources for node in source.filters), *self.where]
        return (*found, *(node for source in self.sources for node in source.keys))

    @property
    def group_keys(self) -> frozenset[str]:
        """The names (lower case) of the columns by which the rows are grouped; none where they are not."""
        nodes = [node for _, node in self.outputs if self.grouped and not has_aggregate(node)]
        return frozenset(names[-1].lower() for node in nodes for names in paths(node))

    @property
    def nodes(self) -> tuple[Node, ...]:
        arrays = [source.array for source in self.sources if source.array is not None]
        return (*self.conjuncts, *self.expressions, *arrays, *self.refusals)


def conjuncts(node: Node | None) -> tuple[Node, ...]:
    """`a AND (b AND c)` as a, b, c."""
    if node is None:
        return ()
    if isinstance(node, exp.Paren):
        return conjuncts(node.this) if isinstance(node.this, (exp.And, exp.Paren)) else (node.this,)
    if isinstance(node, exp.And):
        return (*conjuncts(node.this), *conjuncts(node.expression))
    return (node,)


def frames(requirements: Requirements, offered: frozenset[str] = frozenset()) -> tuple[Frame, ...]:
    """Every SELECT, those that read only tables last (they are solved after what is wanted from them is known).
    `offered` are the names (lower case) of the sources' columns, as far as they are known."""
    request = requirements.request
    if request.query is not None:
        return _of_text(request.query.text, requirements)
    bodies = [("", requirements.body), *((step.name, step.body) for step in reversed(request.steps))]
    found = [_of_body(body, requirements, offered, name) for name, body in bodies if not body.union]
    if found and not requirements.body.union:
        conditions = [node for refusal in request.refuse_when for node in _parsed(refusal.condition)]
        meant = {name.lower(): node for name, node in found[0].outputs if name.lower() not in offered}
        refusals = tuple(with_outputs(node, meant, offered) for node in conditions)
        found[0] = replace(found[0], refusals=refusals)
    return tuple(found)


def members(requirements: Requirements) -> dict[str, str]:
    """For each step that is a union, the first step in it (names in lower case)."""
    return {step.name.lower(): step.body.union[0].lower() for step in requirements.request.steps if step.body.union}


def init_frames(requirements: Requirements) -> tuple[Frame, ...]:
    """The SELECTs of the very first run, where they are others."""
    request = requirements.request
    bodies = [request.on_init, *(step.on_init for step in reversed(request.steps))]
    return tuple(_of_body(body, requirements, frozenset()) for body in bodies if body is not None and not body.union)


def _parsed(text: str | None) -> tuple[Node, ...]:
    if text is None or not text.strip():
        return ()
    try:
        return (expression(text),)
    except CannotTell:
        return ()


def _of_body(body: Body, requirements: Requirements, offered: frozenset[str], name: str = "") -> Frame:
    sources = []
    for source in body.sources:
        table = None
        if source.table and not source.is_step:
            table = TableRef.parse(source.table, requirements.table.project)
        sources.append(
            FrameSource(
                source.alias,
                table,
                source.table if source.is_step else None,
                next(iter(_parsed(source.unnest)), None),
                source.offset,
                (source.join or "").upper(),
                tuple(part for node in _parsed(source.on) for part in conjuncts(node)),
                tuple(part for node in _parsed(source.filter) for part in conjuncts(node)),
            )
        )
    outputs = tuple((column.name, node) for column in body.columns for node in _parsed(column.sql))
    meant = {name.lower(): node for name, node in outputs}
    clauses = [[with_outputs(node, meant, offered) for node in _parsed(text)] for text in (body.having, body.qualify)]
    nodes = (*(node for _, node in outputs), *(node for clause in clauses for node in clause))
    where = tuple(part for node in _parsed(body.where) for part in conjuncts(node))
    grouped = any(has_aggregate(node) for node in nodes) or bool(body.having)
    having = next(iter(clauses[0]), None)
    return Frame(tuple(sources), where, nodes, grouped, name, outputs, having)


_BLOCK = re.compile(r"\{%-?\s*(if|elif|else|endif)\b.*?-?%\}", re.DOTALL)
_SPAN = re.compile(r"\{\{.*?\}\}|\{#.*?#\}|\{%.*?%\}", re.DOTALL)


def without_templates(text: str) -> str:
    """The branch of a later run (`else` of `if is_init()`), other template spans left out. For reading only."""
    kept: list[str] = []
    place, depth, hidden = 0, 0, False
    for match in _BLOCK.finditer(text):
        if not hidden:
            kept.append(text[place : match.start()])
        place = match.end()
        word = match.group(1)
        if word == "if":
            depth, hidden = depth + 1, "is_init" in match.group(0) and "not " not in match.group(0)
        elif word == "endif":
            depth, hidden = depth - 1, False
        else:
            hidden = not hidden
    kept.append(text[place:])
    return _SPAN.sub("", "".join(kept))


def _of_text(text: str, requirements: Requirements) -> tuple[Frame, ...]:
    """The SELECTs of a given query; none when it cannot be read."""
    try:
        trees = sqlglot.parse(without_templates(text), dialect=PlainBigQuery)
    except (SqlglotError, RecursionError):
        return ()
    ctes = {cte.alias.lower() for tree in trees if tree is not None for cte in tree.find_all(exp.CTE)}
    found = [
        _of_select(select, ctes, requirements)
        for tree in trees
        if tree is not None
        for select in tree.find_all(exp.Select)
    ]
    return tuple(found)


def _of_select(select: exp.Select, ctes: set[str], requirements: Requirements) -> Frame:
    start = select.args.get("from_") or select.args.get("from")
    sources = [] if start is None else [_entry(start.this, "", (), ctes, requirements)]
    for join in select.args.get("joins") or ():
        kind = str(join.args.get("side") or join.args.get("kind") or "").upper()
        keys = list(conjuncts(join.args.get("on")))
        entry = _entry(join.this, kind, (), ctes, requirements)
        before = next((source.alias for source in sources if source and source.array is None), None)
        for column in join.args.get("using") or ():
            if entry is not None and before is not None:
                keys.append(exp.column(column.name, table=before).eq(exp.column(column.name, table=entry.alias)))
        sources.append(_entry(join.this, kind, tuple(keys), ctes, requirements))
    where = select.args.get("where")
    nodes = tuple(column.this if isinstance(column, exp.Alias) else column for column in select.expressions)
    clauses = [found.this for key in ("having", "qualify") if (found := select.args.get(key))]
    return Frame(
        tuple(source for source in sources if source is not None),
        conjuncts(where.this if where else None),
        (*nodes, *clauses),
        bool(select.args.get("group")),
        select.parent.alias if isinstance(select.parent, exp.CTE) else "",
        tuple((column.alias_or_name, node) for column, node in zip(select.expressions, nodes, strict=True)),
        found.this if (found := select.args.get("having")) else None,
    )


def _entry(
    node: Node, join: str, keys: tuple[Node, ...], ctes: set[str], requirements: Requirements
) -> FrameSource | None:
    if isinstance(node, exp.Unnest):
        alias = node.args.get("alias")
        names = [*(alias.columns if alias else ()), *([alias.this] if alias and alias.this else ())]
        offset = node.args.get("offset")
        return FrameSource(
            names[0].name if names else "_unnest",
            array=node.expressions[0] if node.expressions else None,
            offset=offset.name if isinstance(offset, exp.Identifier) else None,
            join=join,
            keys=keys,
        )
    if not isinstance(node, exp.Table):
        return None
    name = ".".join(part.name for part in node.parts)
    if name.lower() in ctes:
        return FrameSource(node.alias_or_name, step=name, join=join, keys=keys)
    try:
        table = TableRef.parse(name, requirements.table.project)
    except InvalidInput:
        return None
    if table in requirements.sources:
        return FrameSource(node.alias_or_name, table, join=join, keys=keys)
    parts = [part.name for part in node.parts]
    return FrameSource(node.alias or parts[-1], array=_chain(parts), join=join, keys=keys)


def _chain(names: list[str]) -> Node:
    found: Node = exp.column(names[0]) if len(names) == 1 else exp.column(names[1], table=names[0])
    for name in names[2:]:
        found = exp.Dot(this=found, expression=exp.to_identifier(name))
    return found


def paths(node: Node) -> Iterator[list[str]]:
    """The plain paths (`a.b.c`) in an expression, each once, subqueries included."""
    seen: set[tuple[str, ...]] = set()
    stack: list[Node] = [node]
    while stack:
        part = stack.pop()
        names = path(part) if isinstance(part, (exp.Column, exp.Dot)) else None
        if names is not None:
            if tuple(names) not in seen:
                seen.add(tuple(names))
                yield names
            continue
        stack.extend(reversed(list(part.iter_expressions())))


def names_read(nodes: Iterable[Node]) -> frozenset[str]:
    """Every identifier in the expressions, in lower case: a column that is not among them is not read."""
    return frozenset(item.name.lower() for node in nodes for item in node.find_all(exp.Identifier))


def stars(frame: Frame) -> frozenset[str]:
    """Aliases (lower case) of which all columns are read."""
    found: set[str] = set()
    for node in frame.expressions:
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            found.add(node.table.lower())
        elif isinstance(node, exp.Star):
            found.update(source.alias.lower() for source in frame.sources)
    return frozenset(found)
