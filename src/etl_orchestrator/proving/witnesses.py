"""One row of each source of a SELECT that meet its conditions together, and the small changes that break one of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations, islice, product
from typing import Any

from sqlglot import exp

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.expressions import Evaluator
from etl_orchestrator.proving.frames import Frame, FrameSource, paths
from etl_orchestrator.proving.grammar import Node, path, unwrap
from etl_orchestrator.proving.places import Row, Slot, descend, inside
from etl_orchestrator.proving.pools import Pools, candidates, default
from etl_orchestrator.proving.scopes import Range, Scope
from etl_orchestrator.proving.values import load
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Value

_TRIES = 600
_PAIR_VALUES = 8


@dataclass(slots=True)
class Material:
    """What rows are made of: schemas cut down to the columns read, constants by column name, wishes of later SELECTs."""

    schemas: Mapping[TableRef, Schema]
    pools: Pools
    evaluator: Evaluator
    wishes: dict[str, list[Value]] = field(default_factory=dict)
    steps: dict[str, Witness] = field(default_factory=dict)  # by name in lower case, as they are solved

    def field(self, name: str) -> Field | None:
        """A column of this name in any table, as the type of a step's column."""
        for schema in self.schemas.values():
            for column in schema:
                if column.name.lower() == name.lower() and column.mode != "REPEATED":
                    return column
        return None

    def candidates(self, column: Field) -> list[Value]:
        name = column.name.lower()
        values = candidates(column, self.pools.get(name, ()), self.wishes.get(name, ()))
        return [[value] for value in values] if column.mode == "REPEATED" else values

    def row(self, schema: Schema, role: str = "a", number: int = 0) -> Row:
        """A plausible row; numbers of different columns differ by a factor of ten."""
        made: Row = {}
        for column in schema:
            value = self._value(column, role, number, schema)
            made[column.name] = [value] if column.mode == "REPEATED" else value
        return made

    def _value(self, column: Field, role: str, number: int, schema: Schema) -> Value:
        if column.type == "RECORD":
            return self.row(column.fields, role, number)
        wished = self.wishes.get(column.name.lower())
        fitting = candidates(column, wished or (), ())[:1] if wished else []
        return fitting[0] if fitting else scaled(default(column, role, number), column, schema)


#: Numbers of successive columns are told apart by these factors: no 1 2 4 8 of one is that of another.
_FACTORS = (1, 10, 3, 30, 7, 70)


def scaled(value: Value, column: Field, schema: Schema) -> Value:
    """A number or time that tells its column, too: the second number is ten times the first, later columns are later."""
    place = schema.index(column)
    if isinstance(value, datetime):
        return value + timedelta(minutes=10 * (place % 30))
    if isinstance(value, (str, bytes, bool)) or not isinstance(value, (int, float)):
        return value
    numbers = [
        other for other in schema if isinstance(default(other, "a", 0), (int, float)) and other.type != "BOOLEAN"
    ]
    return value * _FACTORS[numbers.index(column) % len(_FACTORS)]


@dataclass(slots=True)
class Witness:
    """Rows by alias; None for a source that has no row here (the unmatched side of a join)."""

    frame: Frame
    material: Material
    rows: dict[str, Row | None]

    def copy(self) -> Witness:
        return replace(self, rows=copy.deepcopy(self.rows))

    def source(self, alias: str) -> FrameSource:
        return next(source for source in self.frame.sources if source.alias == alias)

    def scope(self, only: str | None = None) -> Scope:
        """What the conditions see: all sources, or for a filter before the join its own one."""
        ranges: list[Range] = []
        for source in self.frame.sources:
            if only is not None and source.array is None and source.alias != only:
                continue
            if source.array is None:
                ranges.append(self._range(source))
                continue
            try:
                array = self.material.evaluator.value(source.array, Scope(ranges=tuple(ranges)))
            except CannotTell:
                array = None
            element = array[0] if array else None
            ranges.append(Range(source.alias, element, tuple(element) if isinstance(element, dict) else ()))
            if source.offset:
                ranges.append(Range(source.offset, 0 if array else None, ()))
        return Scope(ranges=tuple(ranges))

    def _range(self, source: FrameSource) -> Range:
        row = self.rows.get(source.alias)
        if source.table is None:
            return Range(source.alias, row, tuple(row or ()))
        schema = self.material.schemas.get(source.table, ())
        columns = tuple(column.name for column in schema)
        return Range(source.alias, None if row is None else load(row, schema), columns)

    def met(self, node: Node) -> bool | str | None:
        """TRUE, FALSE, NULL, or "?" for what cannot be told."""
        try:
            return self.material.evaluator.condition(node, self.scope(self._owner(node)))
        except CannotTell:
            return "?"

    def _owner(self, node: Node) -> str | None:
        """The source whose filter this is."""
        for source in self.frame.sources:
            if source.table is not None and any(part is node for part in source.filters):
                return source.alias
        return None

    def conjuncts(self) -> list[Node]:
        """The conditions that concern the rows that are there."""
        found: list[Node] = list(self.frame.where)
        for source in self.frame.sources:
            if source.array is not None or self.rows.get(source.alias) is not None:
                found = [*source.filters, *found, *source.keys]
        return found

    def broken(self) -> list[Node]:
        return [node for node in self.conjuncts() if self.met(node) not in (True, "?")]

    def slots(self, node: Node) -> list[Slot]:
        """The places that the condition reads, elements of arrays included."""
        arrays = {unnest.alias: unnest.expressions[0] for unnest in node.find_all(exp.Unnest) if unnest.expressions}
        for unnest in node.find_all(exp.Unnest):
            alias = unnest.args.get("alias")
            names = alias.columns if alias else []
            if names:
                arrays[names[0].name] = unnest.expressions[0]
        found: dict[tuple[int, Any], Slot] = {}
        owner = self._owner(node)
        for names in paths(node):
            bare = owner is not None and names[0].lower() != owner.lower() and names[0] not in arrays
            slot = self._slot([owner, *names] if bare and owner else names, arrays)
            if slot is not None:
                found.setdefault((id(slot.holder), slot.key), slot)
        return list(found.values())

    def _slot(self, names: list[str], arrays: Mapping[str, Node], depth: int = 0) -> Slot | None:
        arrays = {**{source.alias: source.array for source in self.frame.sources if source.array is not None}, **arrays}
        array = next((node for alias, node in arrays.items() if alias.lower() == names[0].lower()), None)
        if array is not None:
            parent_names = path(unwrap(array))
            parent = self._slot(parent_names, {}, depth + 1) if parent_names and depth < 4 else None
            if parent is None or not parent.get():
                return None
            element = Slot(parent.alias, parent.get(), 0, replace(parent.field, mode="NULLABLE"))
            return descend(element, names[1:])
        for source in self.frame.sources:
            row = self.rows.get(source.alias)
            if source.array is not None or row is None:
                continue
            rest = names[1:] if source.alias.lower() == names[0].lower() else names
            found = self._column(source, row, rest) if rest else None
            if found is not None:
                return found
        return None

    def _column(self, source: FrameSource, row: Row, names: list[str]) -> Slot | None:
        if source.table is None:
            key = next((key for key in row if key.lower() == names[0].lower()), None)
            column = self.material.field(names[0]) or _typed_by_pool(names[0], self.material.pools)
            return Slot(source.alias, row, key, column) if key and column and len(names) == 1 else None
        schema = self.material.schemas.get(source.table, ())
        return descend(Slot(source.alias, {"": row}, "", Field("row", "RECORD", fields=schema)), names)

    def places(self) -> Iterator[tuple[Any, Any, Field]]:
        """Where a value can be put in the rows of tables: columns, parts of records, the first element of arrays."""
        for source in self.frame.sources:
            row = self.rows.get(source.alias)
            if source.table is not None and row is not None:
                yield from inside(row, self.material.schemas.get(source.table, ()))

    def solve(self) -> Witness:
        """The witness changed until its conditions hold, as far as a bounded search gets."""
        self._mend()
        optional = [source.alias for source in self.frame.sources if source.join in ("LEFT", "FULL")]
        if not self.broken() or not optional:
            return self
        best = self
        for alias in optional:
            other = self.copy()
            other.rows[alias] = None
            other._mend()
            if len(other.broken()) < len(best.broken()):
                best = other
        return best

    def _mend(self) -> None:
        held: list[Node] = []
        for node in self.conjuncts():
            if self.met(node) not in (True, "?"):
                self._satisfy(node, held)
            held.append(node)

    def satisfy(self, node: Node, alias: str) -> None:
        """Makes one condition hold by changing the row of one source only, if that is possible."""
        others = [slot.get() for slot in self.slots(node)]
        for slot in self.slots(node):
            before = slot.get()
            for value in [*others, *self.material.candidates(slot.field)] if slot.alias == alias else ():
                slot.put(value)
                if self.met(node) is True:
                    return
            slot.put(before)

    def _satisfy(self, node: Node, held: Sequence[Node]) -> bool:
        kept = [other for other in held if self.met(other) is True]
        slots = self.slots(node)
        values = [slot.get() for slot in slots]
        choices = [_unique([*self.material.candidates(slot.field), *values, None]) for slot in slots]
        for size in (1, 2):
            for chosen in combinations(range(len(slots)), size):
                before = [slots[place].get() for place in chosen]
                for combination in islice(product(*(choices[place] for place in chosen)), _TRIES):
                    for place, value in zip(chosen, combination, strict=True):
                        slots[place].put(value)
                    if self.met(node) is True and all(self.met(other) is True for other in kept):
                        return True
                for place, value in zip(chosen, before, strict=True):
                    slots[place].put(value)
        return False

    def changes(self, node: Node, *, also_broken: bool = False) -> Iterator[tuple[Slot, Value, Witness]]:
        """For each place the condition reads and each value worth trying: the changed witness, if all other
        conditions hold as before."""
        others = {id(other): self.met(other) for other in self.conjuncts() if other is not node}
        for place, slot in enumerate(self.slots(node)):
            for value in [*self.material.candidates(slot.field), None]:
                if value == slot.get() and type(value) is type(slot.get()):
                    continue
                if value is None and slot.field.mode != "NULLABLE":
                    continue
                changed = self.copy()
                changed.slots(node)[place].put(value)
                same = all(
                    changed.met(other) == others[id(other)] for other in changed.conjuncts() if id(other) in others
                )
                if same or also_broken:
                    yield slot, value, changed
                elif value is not None:
                    partners = self.copy()
                    if partners.relabel(partners.slots(node)[place], value, without=node):
                        yield slot, value, partners

    def relabel(self, slot: Slot, value: Value, *, without: Node | None = None) -> bool:
        """Puts a value in a place and in all that must equal it by the keys of joins, if every condition (but one)
        then holds as before. A row of the same table that has the value already takes the place of the changed one."""
        watched = [node for node in self.conjuncts() if node is not without]
        before, rows = [self.met(node) for node in watched], copy.deepcopy(self.rows)
        for place in self._linked(slot):
            twin = self._twin(place, value)
            if twin is None:
                place.put(value)
            else:
                place.holder.clear()
                place.holder.update(copy.deepcopy(twin))
        if [self.met(node) for node in watched] == before:
            return self.rows != rows
        self.rows = rows
        return False

    def _linked(self, slot: Slot) -> list[Slot]:
        """The place and all that are equal to it by the keys of joins."""
        found = [slot]
        for _ in self.frame.sources:
            for source in self.frame.sources:
                for node in source.keys:
                    ends = self.slots(node) if isinstance(unwrap(node), exp.EQ) else []
                    known = {(id(place.holder), place.key) for place in found}
                    if len(ends) == 2 and any((id(end.holder), end.key) in known for end in ends):
                        found += [end for end in ends if (id(end.holder), end.key) not in known]
        return found

    def _twin(self, slot: Slot, value: Value) -> Row | None:
        """The row of another alias of the same table with this value in the same column."""
        own = self.source(slot.alias)
        for other in self.frame.sources:
            row = self.rows.get(other.alias)
            same = other.table is not None and other.table == own.table and other.alias != own.alias
            if same and row is not None and self.rows.get(own.alias) is slot.holder and row.get(slot.key) == value:
                return row
        return None

    def pairs(self, node: Node) -> Iterator[tuple[Slot, Value, Witness]]:
        """Like changes, of two places at once; names the first one."""
        slots = self.slots(node)
        before = [self.met(other) for other in self.conjuncts()]
        for first, second in combinations(range(len(slots)), 2):
            choices = [self.material.candidates(slots[place].field)[:_PAIR_VALUES] for place in (first, second)]
            for one, two in product(*choices):
                changed = self.copy()
                places = changed.slots(node)
                if len(places) != len(slots):
                    continue
                places[first].put(one)
                places[second].put(two)
                if [changed.met(other) for other in changed.conjuncts()] == before:
                    yield slots[first], one, changed


def _unique(values: Sequence[Value]) -> list[Value]:
    return list({repr(value): value for value in values}.values())


def _typed_by_pool(name: str, pools: Pools) -> Field | None:
    for value in pools.get(name.lower(), ()):
        for cls, legacy in ((bool, "BOOLEAN"), (int, "INTEGER"), (float, "FLOAT"), (str, "STRING")):
            if isinstance(value, cls):
                return Field(name, legacy)
    return None


def start(frame: Frame, material: Material) -> Witness:
    """A first row for every source, not yet made to fit."""
    rows: dict[str, Row | None] = {}
    met: list[TableRef] = []
    for source in frame.sources:
        if source.table is not None:
            again = met.count(source.table)
            rows[source.alias] = material.row(material.schemas.get(source.table, ()), "abcdefgh"[again % 8], again)
            met.append(source.table)
        elif source.step is not None:
            rows[source.alias] = imagined(source.alias, frame, material)
    return Witness(frame, material, rows)


def imagined(alias: str, frame: Frame, material: Material) -> Row:
    """A row of a step: only what this SELECT reads of it, values as tables would have them."""
    names = [found for node in frame.nodes for found in paths(node)]
    mine = {item[1] for item in names if len(item) > 1 and item[0].lower() == alias.lower()}
    tables = [source for source in frame.sources if source.table is not None]
    if not tables:
        mine |= {item[0] for item in names if len(item) == 1}
    made: Row = {}
    for name in sorted(mine):
        column = material.field(name) or _typed_by_pool(name, material.pools)
        made[name] = None if column is None else material.row((column,))[column.name]
    return made


__all__ = ["Material", "Row", "Slot", "Witness", "scaled", "start"]
