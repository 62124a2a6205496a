"""Groups on each side of a HAVING: one that only just stays, one that only just goes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.frames import FrameSource, conjuncts
from etl_orchestrator.proving.grammar import Node
from etl_orchestrator.proving.pools import default
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.proving.situations import Variant
from etl_orchestrator.proving.witnesses import Row, Slot, Witness
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Value

#: As many rows as a group may get before its case would be too long.
_LARGEST = 9


def sides(witness: Witness) -> Iterator[Variant]:
    """For each comparison of HAVING, a group of its own that misses it and one that still meets it."""
    source = next((item for item in witness.frame.sources if item.table is not None), None)
    if source is None or witness.rows.get(source.alias) is None:
        return
    for node in conjuncts(witness.frame.having):
        yield from _by_value(witness, source, node)
        yield from _by_size(witness, source, node)


def _stays(witness: Witness, node: Node, size: int = 1) -> bool | None:
    """Whether a group of so many of these rows meets the condition; None when that cannot be told."""
    try:
        return witness.material.evaluator.condition(node, Scope(group=(witness.scope(),) * size)) is True
    except CannotTell:
        return None


def _by_value(witness: Witness, source: FrameSource, node: Node) -> Iterator[Variant]:
    """The values nearest to each other of which one row stays and the other one goes."""
    keyed = [other for other in (_other_key(witness, source, role) for role in ("in", "out")) if other is not None]
    if len(keyed) < 2:
        return
    for place, slot in enumerate(witness.slots(node)):
        values = sorted({value for value in witness.material.candidates(slot.field) if _is_number(value)})
        outcomes = [(value, _outcome(witness, node, place, value)) for value in values]
        # One number twice would not tell two neighbours apart: the last pair with another outcome is the nearest.
        for (low, first), (high, second) in pairwise([item for item in outcomes if item[1] is not None]):
            if first == second:
                continue
            inside, outside = (low, high) if first else (high, low)
            for other, value, word in ((keyed[0], inside, "kept"), (keyed[1], outside, "left out")):
                changed = other.copy()
                changed.slots(node)[place].put(value)
                why = f"{slot.field.name} = {value}: its group is {word} by {_text(node)}"
                yield Variant("having", why, tuple(_rows(witness, changed)))
            break


def _outcome(witness: Witness, node: Node, place: int, value: Value) -> bool | None:
    changed = witness.copy()
    before = [changed.met(other) for other in changed.conjuncts()]
    changed.slots(node)[place].put(value)
    if [changed.met(other) for other in changed.conjuncts()] != before:
        return None
    return _stays(changed, node)


def _by_size(witness: Witness, source: FrameSource, node: Node) -> Iterator[Variant]:
    """The largest group that is too small (or the smallest that is too large)."""
    answers = [_stays(witness, node, size) for size in range(1, _LARGEST + 1)]
    for size, (first, second) in enumerate(pairwise(answers), 1):
        if first is None or second is None or first == second:
            continue
        wanted = size if second else size + 1
        for name in (*sorted(witness.frame.group_keys), None):
            other = _other_key(witness, source, "few" if second else "many", name)
            if other is None:
                continue
            table, row = _first(other, source)
            partners = tuple(item for item in _rows(witness, other) if item != (table, row))
            why = f"{wanted} rows: the group is left out by {_text(node)}"
            yield Variant("having", why, (*((table, row),) * wanted, *partners), twice=True)
            return


def _other_key(witness: Witness, source: FrameSource, role: str, only: str | None = None) -> Witness | None:
    """The same rows under another key, their partners with them; None when the conditions fix the key."""
    keys, other, moved = witness.frame.group_keys, witness.copy(), False
    schema = witness.material.schemas.get(source.table, ()) if source.table else ()
    for column in schema:
        name = column.name.lower()
        if name in keys and column.type == "STRING" and column.mode != "REPEATED" and only in (None, name):
            row = other.rows[source.alias]
            assert row is not None
            moved |= other.relabel(Slot(source.alias, row, column.name, column), default(column, role, 0))
    return other if moved else None


def _rows(witness: Witness, changed: Witness) -> Iterator[tuple[TableRef, Row]]:
    for source in witness.frame.sources:
        row = changed.rows.get(source.alias)
        if source.table is not None and row is not None and row != witness.rows.get(source.alias):
            yield source.table, row


def _first(witness: Witness, source: FrameSource) -> tuple[TableRef, Row]:
    row = witness.rows[source.alias]
    assert source.table is not None
    assert row is not None
    return source.table, row


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(node: Node) -> str:
    return node.sql("bigquery", normalize_functions=False)
