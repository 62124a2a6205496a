"""One SELECT over small tables, by nested loops: FROM, WHERE, groups, HAVING, windows, QUALIFY, DISTINCT."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlglot import exp

from etl_orchestrator.proving.distance import FAR, distance
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.expressions import Evaluator
from etl_orchestrator.proving.grammar import Node, windows
from etl_orchestrator.proving.outputs import with_outputs
from etl_orchestrator.proving.scopes import Range, Scope
from etl_orchestrator.proving.values import Unknown, group_key
from etl_orchestrator.proving.windows import order_rows, window_values
from etl_orchestrator.tools import ParameterValue, Value


@dataclass(frozen=True, slots=True)
class Relation:
    """Columns in order and rows as lists of values; a cell may be Unknown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...] = ()

    def ranges(self, alias: str) -> list[Range]:
        return [Range(alias, dict(zip(self.columns, row, strict=True)), self.columns) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of FROM: a relation, or an array expression with the name of its offset column."""

    alias: str
    relation: Relation | None = None
    array: Node | None = None
    offset: str | None = None
    filter: Node | None = None
    join: str | None = None
    on: Node | None = None
    fields: tuple[str, ...] | None = None  # of the array's elements, where the schema tells
    one: bool = False  # the requirements say that at most one of its rows matches


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT. `keys`: None where nothing is grouped, () for one group of everything."""

    items: tuple[Item, ...]
    columns: tuple[tuple[str, Node], ...]
    where: Node | None = None
    keys: tuple[Node, ...] | None = None
    having: Node | None = None
    qualify: Node | None = None
    distinct: bool = False


_DOUBLED = "several rows of `{}` match, although the requirements say that at most one does"


class Machine:
    """Works out blocks, and the queries inside of their expressions; `named` are the relations these may read.
    `missed` tells how far every HAVING was from keeping a group that kept none."""

    def __init__(
        self, parameters: Mapping[str, ParameterValue], named: Callable[[str], Relation | None] = lambda name: None
    ) -> None:
        self.evaluator = Evaluator(parameters, self._subquery)
        self._named = named
        self.missed: list[float] = []

    def block(self, block: Block, outer: Scope | None = None) -> Relation:
        """The rows of a block; a cell that cannot be told is Unknown, rows that cannot be told raise CannotTell."""
        scopes, columns = self._scopes(block, outer)
        names = tuple(name for name, _ in columns)
        rows = [tuple(self._cell(node, scope) for _, node in columns) for scope in scopes]
        if block.distinct:
            rows = distinct_rows(rows)
        return Relation(names, tuple(rows))

    def rows_read(self, block: Block) -> list[Scope]:
        """What FROM and WHERE leave."""
        scopes = self._from(block.items, None)
        if block.where is None:
            return scopes
        return [scope for scope in scopes if self.evaluator.condition(block.where, scope)]

    def _scopes(self, block: Block, outer: Scope | None) -> tuple[list[Scope], list[tuple[str, Node]]]:
        scopes = self._from(block.items, outer)
        if block.where is not None:
            scopes = [scope for scope in scopes if self.evaluator.condition(block.where, scope)]
        columns = expand(block)
        having, qualify = (_resolved(node, columns, block.items) for node in (block.having, block.qualify))
        if block.keys is not None:
            scopes = self._groups(block.keys, scopes, outer)
            if having is not None:
                scopes = self._kept(having, scopes, outer)
        self._windows([node for _, node in columns] + ([] if qualify is None else [qualify]), scopes)
        if qualify is not None:
            scopes = [scope for scope in scopes if self.evaluator.condition(qualify, scope)]
        return scopes, columns

    def _kept(self, having: Node, scopes: list[Scope], outer: Scope | None) -> list[Scope]:
        kept = [scope for scope in scopes if self.evaluator.condition(having, scope)]
        if not kept and outer is None:
            self.missed.append(min((distance(self.evaluator, having, scope) for scope in scopes), default=FAR))
        return kept

    def _cell(self, node: Node, scope: Scope) -> Value:
        try:
            return self.evaluator.value(node, scope)
        except QueryFails:
            raise
        except CannotTell as error:
            return Unknown(error.message)

    def _groups(self, keys: Sequence[Node], scopes: list[Scope], outer: Scope | None) -> list[Scope]:
        groups: dict[object, list[Scope]] = {} if keys else {(): []}
        for scope in scopes:
            key = tuple(group_key(self.evaluator.value(node, scope)) for node in keys)
            groups.setdefault(key, []).append(scope)
        return [Scope(group=tuple(rows), outer=outer) for rows in groups.values()]

    def _windows(self, nodes: list[Node], scopes: list[Scope]) -> None:
        """Puts the values of all window calls into the scopes, those inside of others first."""
        for node in nodes:
            for window in reversed(windows(node)):
                try:
                    values = window_values(self.evaluator, window, scopes)
                except QueryFails:
                    raise
                except CannotTell as error:
                    values = [Unknown(error.message)] * len(scopes)
                for scope, value in zip(scopes, values, strict=True):
                    scope.windows[id(window)] = value

    def _from(self, items: Sequence[Item], outer: Scope | None) -> list[Scope]:
        scopes = [Scope(outer=outer)]
        absent: tuple[Range, ...] = ()
        for item in items:
            scopes = self._join(scopes, item, Scope(ranges=absent, outer=outer))
            absent = (*absent, *_missing(item))
        if items and items[0].one:
            _check_first(items[0], scopes)
        return scopes

    def _join(self, lefts: list[Scope], item: Item, absent: Scope) -> list[Scope]:
        """`absent` is the left side of a row that only the right side has."""
        kind = (item.join or "CROSS").upper().replace(" OUTER", "")
        if kind not in ("INNER", "LEFT", "RIGHT", "FULL", "CROSS"):
            raise CannotTell(f"the join {kind} is not covered")
        if item.array is not None and kind in ("RIGHT", "FULL"):
            raise CannotTell(f"{kind} JOIN with an array is not covered")
        found: list[Scope] = []
        matched: set[int] = set()
        fixed = None if item.array is not None else self._candidates(item, Scope(outer=absent.outer))
        for left in lefts:
            rights = self._candidates(item, left) if fixed is None else fixed
            hits = 0
            for place, right in enumerate(rights):
                joined = replace(left, ranges=(*left.ranges, *right), windows={})
                if item.on is None or self.evaluator.condition(item.on, joined):
                    found.append(joined)
                    matched.add(place)
                    hits += 1
            if hits > 1 and item.one and item.join:
                raise CannotTell(_DOUBLED.format(item.alias))
            if not hits and kind in ("LEFT", "FULL"):
                found.append(replace(left, ranges=(*left.ranges, *_missing(item)), windows={}))
        if kind in ("RIGHT", "FULL") and fixed is not None:
            unmatched = [right for place, right in enumerate(fixed) if place not in matched]
            found.extend(replace(absent, ranges=(*absent.ranges, *right), windows={}) for right in unmatched)
        return found

    def _candidates(self, item: Item, left: Scope) -> list[tuple[Range, ...]]:
        """The rows of one item after its filter, each as its range variables."""
        if item.array is None:
            if item.relation is None:
                raise CannotTell(f"nothing is known of `{item.alias}`")
            rows: list[tuple[Range, ...]] = [(entry,) for entry in item.relation.ranges(item.alias)]
            inner = left.outer
        else:
            rows = self._elements(item, left)
            inner = left
        if item.filter is None:
            return rows
        return [row for row in rows if self.evaluator.condition(item.filter, Scope(ranges=row, outer=inner))]

    def _elements(self, item: Item, left: Scope) -> list[tuple[Range, ...]]:
        assert item.array is not None
        array = self.evaluator.value(item.array, left)
        rows: list[tuple[Range, ...]] = []
        for place, element in enumerate(array or ()):
            columns = tuple(element) if isinstance(element, dict) else (item.fields if element is None else ())
            row: tuple[Range, ...] = (Range(item.alias, element, columns),)
            if item.offset:
                row = (*row, Range(item.offset, place, ()))
            rows.append(row)
        return rows

    def _subquery(self, query: exp.Select, outer: Scope) -> tuple[tuple[str, ...], list[list[Value]]]:
        from etl_orchestrator.proving.subqueries import block_of

        outer = replace(outer, group=outer.group)
        block, order, limit = block_of(query, self._named)
        if order is None and limit is None:
            found = self.block(block, outer)
            return found.columns, [list(row) for row in found.rows]
        if block.distinct:
            raise CannotTell("DISTINCT with ORDER BY in a subquery")
        scopes, columns = self._scopes(block, outer)
        rows = [[self._cell(node, scope) for _, node in columns] for scope in scopes]
        return tuple(name for name, _ in columns), self._ordered(rows, scopes, order, limit)

    def _ordered(
        self, rows: list[list[Value]], scopes: list[Scope], order: exp.Order | None, limit: int | None
    ) -> list[list[Value]]:
        places, keys = order_rows(self.evaluator, order.expressions if order else [], scopes)
        for before, after in pairwise(places):
            tied = [group_key(key) for key in keys[before]] == [group_key(key) for key in keys[after]]
            if tied and _content(rows[before]) != _content(rows[after]) and (limit is None or limit < len(rows)):
                raise CannotTell("a tie in ORDER BY of a subquery")
        rows = [rows[place] for place in places]
        return rows if limit is None else rows[:limit]


def _check_first(first: Item, scopes: Sequence[Scope]) -> None:
    """Raises CannotTell when two rows of the first item have the same partners."""
    partners = [tuple(id(entry) for entry in scope.ranges[1:] if entry.value is not None) for scope in scopes]
    known = [found for found in partners if found]
    if len(set(known)) < len(known):
        raise CannotTell(_DOUBLED.format(first.alias))


def _content(row: Sequence[Value]) -> list[object]:
    return [cell if isinstance(cell, Unknown) else group_key(cell) for cell in row]


def distinct_rows(rows: list[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    """Every row once."""
    for row in rows:
        for cell in row:
            if isinstance(cell, Unknown):
                raise CannotTell(cell.reason)
    return list({tuple(group_key(cell) for cell in row): row for row in rows}.values())


def _missing(item: Item) -> tuple[Range, ...]:
    columns = item.relation.columns if item.relation else item.fields
    missing = (Range(item.alias, None, columns),)
    return (*missing, Range(item.offset, None, ())) if item.offset else missing


def expand(block: Block) -> list[tuple[str, Node]]:
    """The columns of a block with stars written out."""
    found: list[tuple[str, Node]] = []
    for name, node in block.columns:
        star = node.this if isinstance(node, exp.Column) and isinstance(node.this, exp.Star) else node
        if not isinstance(star, exp.Star):
            found.append((name, node))
            continue
        alias = node.table.lower() if isinstance(node, exp.Column) else ""
        found.extend(_starred(star, [item for item in block.items if alias in ("", item.alias.lower())]))
    return found


def _starred(star: exp.Star, items: Sequence[Item]) -> list[tuple[str, Node]]:
    left_out = {item.name.lower() for item in star.args.get("except_") or star.args.get("except") or ()}
    replaced = {item.alias.lower(): item.this for item in star.args.get("replace") or ()}
    if star.args.get("rename") or not items:
        raise CannotTell(f"`{star.sql('bigquery')}` is not covered")
    found: list[tuple[str, Node]] = []
    for item in items:
        names = item.relation.columns if item.relation else item.fields
        if names is None:
            raise CannotTell(f"the star of `{item.alias}` has unknown columns")
        for name in names or (item.alias,):
            if name.lower() not in left_out:
                column = exp.column(name, table=item.alias) if names else exp.column(name)
                found.append((name, replaced.get(name.lower(), column)))
        if item.offset:
            found.append((item.offset, exp.column(item.offset)))
    return found


def _resolved(node: Node | None, columns: Sequence[tuple[str, Node]], items: Sequence[Item]) -> Node | None:
    """HAVING or QUALIFY over the columns of FROM alone."""
    if node is None:
        return None
    known = [item.relation.columns if item.relation else item.fields or () for item in items]
    offered = {name.lower() for names in known for name in names}
    return with_outputs(node, {name.lower(): column for name, column in columns}, offered)
