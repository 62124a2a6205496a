"""Rows added and values changed until conditions on many rows hold: HAVING keeps a group, `refuse_when` lets a run pass.

Walks downhill on the distance which the evaluation of the requirement tells; bounded, the same way every time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from etl_orchestrator.proving.frames import Frame, FrameSource
from etl_orchestrator.proving.grammar import Node
from etl_orchestrator.proving.pools import candidates, default, gather
from etl_orchestrator.proving.situations import NUMBERS
from etl_orchestrator.proving.variants import repeats
from etl_orchestrator.proving.witnesses import Material, Row, Slot, Witness
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Value

#: As many rows as are added at most: what needs more is no readable test.
MOST = 40
_TRIES = 1500
_COUNTS = (1, 2, 4, 8, 16)
_ROLES = "bcdefghijklmnopq"

Ground = list[tuple[TableRef, Row]]
_Undo = Callable[[], None]


def demands(frame: Frame) -> tuple[Node, ...]:
    """The conditions of a SELECT that concern more than one row."""
    return (*(() if frame.having is None else (frame.having,)), *frame.refusals)


@dataclass(slots=True)
class Growth:
    """One walk over the rows of `witnesses` and the rows on the `ground`, both changed in place. `judge` tells how far
    there is to go, None where that cannot be told."""

    witnesses: Sequence[Witness]
    material: Material
    ground: Ground
    judge: Callable[[], float | None]
    tries: int = 0

    def run(self) -> float | None:
        """The distance that is left; where the goal is not reached, everything is as it was."""
        rows, ground = [copy.deepcopy(witness.rows) for witness in self.witnesses], list(self.ground)
        best = self.judge()
        while best and self.tries < _TRIES:
            nearer = self._nearest(best)
            if nearer is None:
                break
            best = nearer
        if best != 0:
            self.ground[:] = ground
            for witness, before in zip(self.witnesses, rows, strict=True):
                witness.rows = before
        return best

    def _nearest(self, best: float) -> float | None:
        """Makes the move that comes nearest to the goal, the first of equal ones; None where none comes nearer."""
        chosen: Callable[[], _Undo | None] | None = None
        nearest = best
        for move in self._moves():
            undo = move()
            if undo is None:
                continue
            self.tries += 1
            reached = self.judge()
            if reached == 0:
                return 0.0
            undo()
            if reached is not None and reached < nearest:
                chosen, nearest = move, reached
            if self.tries > _TRIES:
                break
        if chosen is None:
            return None
        chosen()
        return nearest

    def _moves(self) -> Iterator[Callable[[], _Undo | None]]:
        constants = self._constants()
        for witness in self.witnesses:
            for count in _COUNTS:
                for rows in self._additions(witness, count, constants):
                    if rows and len(self.ground) + len(rows) <= MOST:
                        yield lambda rows=rows: self._add(rows)  # type: ignore[misc]
        for witness in self.witnesses:
            for holder, key, column in witness.places():
                for value in self._values(column, holder[key], constants):
                    yield lambda w=witness, h=holder, k=key, v=value: self._put(w, h, k, v)  # type: ignore[misc]

    def _constants(self) -> list[Value]:
        nodes = [node for witness in self.witnesses for node in demands(witness.frame)]
        found = gather(nodes, self.material.evaluator)
        return [value for values in found.values() for value in values]

    def _values(self, column: Field, before: Value, constants: Sequence[Value]) -> list[Value]:
        values = self.material.candidates(replace(column, mode="NULLABLE"))
        if column.type in NUMBERS:
            values = [*candidates(column, constants), *values]
            if isinstance(before, (int, float)) or hasattr(before, "as_tuple"):
                values += [before * 10, before * 1000, before * 0]
        return [value for value in dict.fromkeys(values) if value != before]

    def _put(self, witness: Witness, holder: dict[str, Value], key: str, value: Value) -> _Undo | None:
        """Changes a value unless a condition of WHERE or of a join then comes to something else."""
        before, outcomes = holder[key], [witness.met(node) for node in witness.conjuncts()]
        holder[key] = value
        if [witness.met(node) for node in witness.conjuncts()] != outcomes:
            holder[key] = before
            return None

        def undo() -> None:
            holder[key] = before

        return undo

    def _add(self, rows: Ground) -> _Undo:
        before = len(self.ground)
        self.ground.extend(rows)

        def undo() -> None:
            del self.ground[before:]

        return undo

    def _additions(self, witness: Witness, count: int, constants: Sequence[Value]) -> Iterator[Ground]:
        """So many more rows: exact copies, other numbers, other keys with their partners; one row with another value."""
        source = first_table(witness)
        if source is None or source.table is None:
            return
        row = witness.rows[source.alias]
        assert row is not None
        yield [(source.table, copy.deepcopy(row)) for _ in range(count)]
        if count < len("bcdefghijkl"):
            yield repeats(witness, count, new_keys=False)
        yield [item for number in range(count) for item in strangers(witness, source, _ROLES[number], number + 1)]
        read = [slot for node in demands(witness.frame) for slot in witness.slots(node) if slot.alias == source.alias]
        for slot in read if count == 1 and slot_is_plain(read, row) else ():
            for value in self._values(slot.field, slot.get(), constants):
                yield [(source.table, {**copy.deepcopy(row), slot.key: value})]


def slot_is_plain(slots: Sequence[Slot], row: Row) -> bool:
    """Whether the places are columns of the row itself."""
    return all(slot.holder is row for slot in slots)


def first_table(witness: Witness) -> FrameSource | None:
    """The first source of the SELECT that is a table and has a row."""
    return next(
        (item for item in witness.frame.sources if item.table is not None and witness.rows.get(item.alias) is not None),
        None,
    )


def strangers(witness: Witness, source: FrameSource, role: str, number: int) -> Ground:
    """The same rows with other texts, wherever every condition then holds as before, partners included."""
    other = witness.copy()
    schema = witness.material.schemas.get(source.table, ()) if source.table else ()
    for column in schema:
        row = other.rows[source.alias] or {}
        if column.type == "STRING" and column.mode != "REPEATED" and row.get(column.name) is not None:
            other.relabel(Slot(source.alias, row, column.name, column), default(column, role, number))
    found: Ground = []
    for item in witness.frame.sources:
        changed = other.rows.get(item.alias)
        if item.table is not None and changed is not None and changed != witness.rows.get(item.alias):
            found.append((item.table, changed))
    return found
