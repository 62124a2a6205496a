"""A SELECT that stands inside of an expression, as a block: `(SELECT … FROM UNNEST(x))`, or over a declared table."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.grammar import Node, has_aggregate, has_window
from etl_orchestrator.proving.relations import Block, Item, Relation

_READ = {"expressions", "from_", "joins", "where", "group", "having", "qualify", "distinct", "order", "limit", "kind"}


def block_of(query: exp.Select, named: Callable[[str], Relation | None]) -> tuple[Block, exp.Order | None, int | None]:
    """The block, its ORDER BY and its LIMIT; clauses that are not covered are refused."""
    unread = [key for key, found in query.args.items() if found and key not in _READ]
    if unread:
        raise CannotTell(f"{unread[0].upper()} in a subquery is not covered")
    items = _items(query, named)
    columns: list[tuple[str, Node]] = []
    for place, column in enumerate(query.expressions):
        node = column.this if isinstance(column, exp.Alias) else column
        columns.append((column.alias_or_name or f"_field_{place + 1}", node))
    limit = query.args.get("limit")
    if limit is not None and not (isinstance(limit.expression, exp.Literal) and str(limit.expression.this).isdigit()):
        raise CannotTell("LIMIT with something that is no number")
    clauses: dict[str, Node | None] = {
        key: found.this if (found := query.args.get(key)) else None for key in ("where", "having", "qualify")
    }
    block = Block(
        items,
        tuple(columns),
        where=clauses["where"],
        keys=_keys(query, columns),
        having=clauses["having"],
        qualify=clauses["qualify"],
        distinct=bool(query.args.get("distinct")),
    )
    return block, _order(query, columns), int(str(limit.expression.this)) if limit is not None else None


def _order(query: exp.Select, columns: list[tuple[str, Node]]) -> exp.Order | None:
    """ORDER BY with output names and places replaced by what they stand for."""
    order = query.args.get("order")
    if order is None:
        return None
    order = order.copy()
    outputs = {name.lower(): node for name, node in columns}
    for item in order.expressions:
        bare = item.this
        if isinstance(bare, exp.Literal) and str(bare.this).isdigit():
            item.set("this", columns[int(str(bare.this)) - 1][1].copy())
        elif isinstance(bare, exp.Column) and not bare.table and bare.name.lower() in outputs:
            item.set("this", outputs[bare.name.lower()].copy())
    found: exp.Order = order
    return found


def _keys(query: exp.Select, columns: list[tuple[str, Node]]) -> tuple[Node, ...] | None:
    group = query.args.get("group")
    if group is None:
        return () if any(has_aggregate(node) for _, node in columns) or query.args.get("having") else None
    if any(found for key, found in group.args.items() if key != "expressions"):
        if group.args.get("all") is True:
            return tuple(node for _, node in columns if not has_aggregate(node) and not has_window(node))
        raise CannotTell("GROUPING SETS, ROLLUP and CUBE are not covered")
    outputs = {name.lower(): node for name, node in columns}
    keys: list[Node] = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and str(key.this).isdigit():
            keys.append(columns[int(str(key.this)) - 1][1])
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in outputs:
            keys.append(outputs[key.name.lower()])
        else:
            keys.append(key)
    return tuple(keys)


def _items(query: exp.Select, named: Callable[[str], Relation | None]) -> tuple[Item, ...]:
    start = query.args.get("from_") or query.args.get("from")
    if start is None:
        return ()
    items = [_item(start.this, None, None, named)]
    for join in query.args.get("joins") or ():
        if join.args.get("using") or join.args.get("method"):
            raise CannotTell("JOIN USING in a subquery is not covered")
        kind = str(join.args.get("side") or join.args.get("kind") or "").upper()
        kind = kind or ("INNER" if join.args.get("on") else "CROSS")
        items.append(_item(join.this, kind, join.args.get("on"), named))
    return tuple(items)


def _item(node: Node, join: str | None, on: Node | None, named: Callable[[str], Relation | None]) -> Item:
    if node.args.get("joins") or node.args.get("pivots") or node.args.get("sample"):
        raise CannotTell(f"`{node.sql('bigquery')}` in a subquery is not covered")
    if isinstance(node, exp.Unnest):
        alias = node.args.get("alias")
        names = [*(alias.columns if alias else ()), *([alias.this] if alias and alias.this else ())]
        offset = node.args.get("offset")
        if len(node.expressions) != 1:
            raise CannotTell("UNNEST of several arrays is not covered")
        offset_name = offset.name if isinstance(offset, exp.Identifier) else ("offset" if offset else None)
        return Item(names[0].name if names else "_unnest", None, node.expressions[0], offset_name, None, join, on)
    if isinstance(node, exp.Table):
        name = ".".join(part.name for part in node.parts)
        relation = named(name)
        if relation is not None:
            return Item(node.alias_or_name, relation, join=join, on=on)
        if "." in name:  # FROM t.array is short for UNNEST(t.array)
            array = exp.column(node.parts[-1].name, table=node.parts[-2].name) if len(node.parts) == 2 else None
            if array is not None:
                return Item(node.alias or node.name, None, array, None, None, join, on)
    raise CannotTell(f"`{node.sql('bigquery')}` in a subquery is not covered")
