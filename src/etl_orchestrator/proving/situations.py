"""Situations worth a row: neighbour days, missed conditions, strangers in joins, arms, arrays, NULLs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from sqlglot import exp

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.frames import FrameSource, paths
from etl_orchestrator.proving.grammar import Node, unwrap
from etl_orchestrator.proving.pools import default
from etl_orchestrator.proving.witnesses import Row, Slot, Witness, imagined, scaled
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Value

_CONDITIONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.Like, exp.Is, exp.NullSafeEQ,
               exp.NullSafeNEQ)  # fmt: skip
_COMPARISONS = (exp.EQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between)
NUMBERS = ("INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC")
_TIMES = ("DATE", "TIMESTAMP", "DATETIME")


@dataclass(frozen=True, slots=True)
class Variant:
    """Rows to put beside those that fit; `twice` keeps a row that is there already."""

    theme: str  # groups days filters joins arms having
    why: str
    rows: tuple[tuple[TableRef, Row], ...]
    twice: bool = False


Found = Iterator[tuple[Variant, Witness]]
NOTHING: frozenset[str] = frozenset()


def constrained(witness: Witness) -> frozenset[str]:
    """Column names (lower case) that occur in a condition."""
    return frozenset(names[-1].lower() for node in witness.frame.conjuncts for names in paths(node))


def free(witness: Witness, source: FrameSource) -> list[Field]:
    assert source.table is not None
    bound = constrained(witness)
    schema = witness.material.schemas.get(source.table, ())
    return [column for column in schema if column.name.lower() not in bound and column.mode != "REPEATED"]


def groups(witness: Witness) -> Found:
    """For the first table: a second row of the group, an exact copy, one with NULLs, another key, a NULL key."""
    source = next((item for item in witness.frame.sources if item.table is not None), None)
    if source is None or source.table is None or witness.rows.get(source.alias) is None:
        return
    open_columns = free(witness, source)
    schema = witness.material.schemas.get(source.table, ())

    def changed(columns: list[Field], role: str | None, number: int, keep: frozenset[str] = NOTHING) -> Witness:
        other = witness.copy()
        row = other.rows[source.alias]
        assert row is not None
        for column in columns:
            if column.type == "RECORD":
                continue
            value = None if role is None else scaled(default(column, role, number), column, schema)
            row[column.name] = value
        if role is not None:
            _relabelled(other, source, _Label(role, number, role != "a", keep))  # "a" is the group of the first row
        return other

    numbers = [column for column in open_columns if column.type in (*NUMBERS, "TIMESTAMP", "DATETIME")]
    texts = [column for column in open_columns if column.type == "STRING"]
    nullable = [column for column in open_columns if column.mode == "NULLABLE"]
    second = changed(numbers, "a", 1)
    row = second.rows[source.alias] or {}
    yield Variant("groups", "a second row of the same group", ()), second
    yield Variant("groups", "an exact copy: counted twice", ((source.table, row),), twice=True), second
    yield Variant("groups", "another key", ()), changed([*numbers, *texts], "b", 2)
    if names := _partition_names(witness):
        others = [column for column in texts if column.name.lower() not in names]
        yield Variant("groups", "a later row of the same partition", ()), changed([*numbers, *others], "d", 5, names)
    open_numbers = [column for column in numbers if column in nullable and column.type in NUMBERS]
    yield Variant("groups", "NULL where a number is read", ()), changed(open_numbers, None, 0)
    for column in [column for column in texts if column in nullable][:2]:
        other = changed(numbers, "a", 3)
        other_row = other.rows[source.alias]
        assert other_row is not None
        other_row[column.name] = None
        yield Variant("groups", f"NULL in {column.name}", ()), other
    if (names := witness.frame.group_keys) and any(node.find(exp.Ordered) for node in witness.frame.expressions):
        others = [column for column in texts if column.name.lower() not in names]
        yield Variant("groups", "a later row of the same group", ()), changed([*numbers, *others], "e", 6, names)


@dataclass(frozen=True, slots=True)
class _Label:
    """What the values of a row are to tell; `keep` are columns (lower case) that stay as they are."""

    role: str
    number: int
    texts: bool
    keep: frozenset[str]


def _relabelled(witness: Witness, source: FrameSource, label: _Label) -> None:
    """Other values also where conditions read a column, partners included, as long as they hold as before."""
    assert source.table is not None
    row = witness.rows[source.alias]
    assert row is not None
    schema, bound = witness.material.schemas.get(source.table, ()), constrained(witness) - label.keep
    for column in schema:
        fitting = column.type in (*NUMBERS, "STRING") if label.texts else column.type in NUMBERS
        if fitting and column.mode != "REPEATED" and column.name.lower() in bound and row.get(column.name) is not None:
            value = scaled(default(column, label.role, label.number), column, schema)
            witness.relabel(Slot(source.alias, row, column.name, column), value)
            row = witness.rows[source.alias] or {}


def _partition_names(witness: Witness) -> frozenset[str]:
    """Columns of PARTITION BY (lower case), if rows are put in an order somewhere."""
    found = [item for node in witness.frame.expressions for item in node.find_all(exp.Window)]
    keys = [key for window in found if window.args.get("order") for key in window.args.get("partition_by") or ()]
    return frozenset(names[-1].lower() for key in keys for names in paths(key))


def left_out(witness: Witness) -> Found:
    """Rows that miss one condition of WHERE or of a filter, and rows at its edges that still meet it."""
    keys = {id(node) for source in witness.frame.sources for node in source.keys}
    for node in witness.conjuncts():
        if id(node) in keys or witness.met(node) is not True:
            continue
        changes = list(witness.changes(node))
        for slot in witness.slots(node):
            tried = [(value, other) for at, value, other in changes if _same_place(at, slot)]
            theme = "days" if slot.field.type in _TIMES else "filters"
            yield from _misses(node, slot, tried, theme)
            yield from _edges(node, slot, tried, theme)


def _same_place(left: Slot, right: Slot) -> bool:
    return left.alias == right.alias and left.field.name == right.field.name


def _below(value: Value, other: Value) -> bool | None:
    comparable = type(value) is type(other) and isinstance(value, (int, float, date, datetime, str))
    return value < other if comparable else None


def _misses(node: Node, slot: Slot, tried: list[tuple[Value, Witness]], theme: str) -> Found:
    missed = [(value, other) for value, other in tried if value is not None and other.met(node) is False]
    own = slot.get()
    below = [item for item in missed if _below(item[0], own) is True]
    above = [item for item in missed if _below(item[0], own) is False]
    text = _text(node)
    if theme == "days" or slot.field.type in NUMBERS:
        chosen = [*sorted(below, key=lambda item: item[0])[-1:], *sorted(above, key=lambda item: item[0])[:1]]
    else:
        chosen = [*below[:1], *above[:1]] or missed[:2]
    # Nothing is below or above NULL: `closed_on IS NULL` is missed by any value.
    for value, other in chosen or missed[:1]:
        yield Variant(theme, f"{slot.field.name} = {_shown(value)}: left out by {text}", ()), other
    for value, other in tried:
        if value is None and other.met(node) is not True:
            yield Variant("filters", f"{slot.field.name} is NULL: left out by {text}", ()), other


def _edges(node: Node, slot: Slot, tried: list[tuple[Value, Witness]], theme: str) -> Found:
    """The smallest and the greatest value that still meets the condition, where there is something to compare with;
    for a text one in another case."""
    if slot.field.type == "STRING" and isinstance(slot.get(), str):
        for value, other in tried:
            if value == slot.get().swapcase() and other.met(node) is True:
                yield Variant(theme, f"{slot.field.name} = {_shown(value)}: in any case by {_text(node)}", ()), other
    if (
        not isinstance(unwrap(node), _COMPARISONS)
        or slot.field.type not in (*_TIMES, *NUMBERS)
        or slot.field.mode == "REPEATED"
    ):
        return
    kept = sorted(
        [(value, other) for value, other in tried if value is not None and other.met(node) is True],
        key=lambda item: item[0],
    )
    for value, other in [kept[0], kept[-1]] if len(kept) > 1 else kept:
        yield Variant(theme, f"{slot.field.name} = {_shown(value)}: just inside {_text(node)}", ()), other


def joins(witness: Witness) -> Found:
    """Rows without a partner on either side, NULL keys, a second partner."""
    for source in witness.frame.sources:
        if not source.join or source.array is not None:
            continue
        if witness.rows.get(source.alias) is None:
            yield from _matched(witness, source)
            continue
        for node in source.keys:
            for slot in witness.slots(node):
                stranger = witness.copy()
                place = next((at for at in stranger.slots(node) if _same_place(at, slot)), None)
                if place is None:
                    continue
                place.put(_unheard(place, "unused" if slot.alias == source.alias else "alone"))
                if stranger.met(node) is not True:
                    why = f"{slot.field.name} = {_shown(place.get())}: no partner by {_text(node)}"
                    yield Variant("joins", why, ()), stranger.copy()
                if isinstance(place.get(), str):
                    place.put(str(slot.get()).swapcase())
                    if stranger.met(node) is True:
                        again = stranger.copy()
                        yield Variant("joins", f"{slot.field.name} in another case: still a partner", ()), again
                if slot.field.mode == "NULLABLE":
                    nothing = witness.copy()
                    next(at for at in nothing.slots(node) if _same_place(at, slot)).put(None)
                    yield Variant("joins", f"{slot.field.name} is NULL: no partner", ()), nothing
        if source.table is not None:
            yield from _partner(witness, source)


def _matched(witness: Witness, source: FrameSource) -> Found:
    """A partner for a row that is only seen without one, and partners that their own filter leaves out."""
    other = witness.copy()
    if source.table is None:
        other.rows[source.alias] = imagined(source.alias, witness.frame, witness.material)
    else:
        other.rows[source.alias] = other.material.row(other.material.schemas.get(source.table, ()))
    for node in (*source.filters, *source.keys):
        if other.met(node) is not True:
            other.satisfy(node, source.alias)
    for node in source.filters:
        missed = [(slot, value, one) for slot, value, one in other.changes(node) if one.met(node) is False]
        for slot, value, one in missed[:2]:
            _rename(one, source, f"filtered{missed.index((slot, value, one)) + 1}")
            yield Variant("joins", f"{slot.field.name} = {_shown(value)}: no partner by {_text(node)}", ()), one
    _rename(other, source, "known")
    yield Variant("joins", "has a partner here", ()), other


def _rename(witness: Witness, source: FrameSource, role: str) -> None:
    """Another value for the keys of a join, the same on both sides."""
    for node in source.keys:
        slots = witness.slots(node)
        before = [slot.get() for slot in slots]
        for slot in slots:
            slot.put(_unheard(slot, role) if slot.field.type == "STRING" else slot.get())
        if witness.met(node) is not True:
            for slot, value in zip(slots, before, strict=True):
                slot.put(value)


def _partner(witness: Witness, source: FrameSource) -> Found:
    other = witness.copy()
    row = other.rows[source.alias]
    assert row is not None
    assert source.table is not None
    schema = witness.material.schemas.get(source.table, ())
    for column in free(witness, source):
        if column.type != "RECORD":
            row[column.name] = scaled(default(column, "b", 3), column, schema)
    if row == witness.rows[source.alias]:
        yield Variant("joins", "a second partner: the row is doubled", ((source.table, row),), twice=True), other
    else:
        yield Variant("joins", "a second partner: the row is doubled", ()), other


def _unheard(slot: Slot, role: str) -> Value:
    """A value that no other row has."""
    value = slot.get()
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}_{role}"
    if isinstance(value, (int, float)):
        return value + (900 if role == "alone" else 800)
    if isinstance(value, date):
        return value - timedelta(days=3 if role == "alone" else 4)
    return default(slot.field, role, 9)


def arrays(witness: Witness) -> Found:
    """Empty, longer and half matching arrays."""
    arrays = [source.array for source in witness.frame.sources if source.array is not None]
    arrays += [item.expressions[0] for node in witness.frame.nodes for item in node.find_all(exp.Unnest)
               if item.expressions]  # fmt: skip
    seen: set[tuple[str, str]] = set()
    for array in arrays:
        for slot in witness.slots(unwrap(array)):
            if slot.field.mode != "REPEATED" or (slot.alias, slot.field.name) in seen or not slot.get():
                continue
            seen.add((slot.alias, slot.field.name))
            other = witness.copy()
            place = next(at for at in other.slots(unwrap(array)) if _same_place(at, slot))
            first = place.get()[0]
            twin = other.material.row((slot.field,), "b", 2)[slot.field.name][0]
            if isinstance(first, dict):
                bound = constrained(witness)
                twin = {name: first[name] if name.lower() in bound else value for name, value in twin.items()}
            place.put([first, twin])
            yield Variant("arms", f"two elements in {slot.field.name}", ()), other
            empty = witness.copy()
            next(at for at in empty.slots(unwrap(array)) if _same_place(at, slot)).put([])
            yield Variant("arms", f"no element in {slot.field.name}", ()), empty


def arms(witness: Witness) -> Found:
    """One row for each new combination of outcomes of the conditions inside of a column."""
    for column in witness.frame.expressions:
        atoms = [part for part in column.find_all(*_CONDITIONS, exp.Subquery, exp.Exists) if next(paths(part), None)]
        atoms += [part for part in column.find_all(exp.Anonymous) if _called(part) == "ARRAY"]
        flags = [slot.field.name for slot in witness.slots(column) if slot.field.type == "BOOLEAN"]
        if not atoms and not flags:
            yield from _nulls(
                witness, [item for item in column.find_all(exp.Anonymous) if _called(item) in _NULL_AWARE]
            )
            continue
        seen = {tuple(_outcome(witness, atom) for atom in atoms)}
        for slot, value, other in chain(witness.changes(column), witness.pairs(column)):
            outcome = tuple(_outcome(other, atom) for atom in atoms)
            if outcome not in seen or slot.field.name in flags:
                seen.add(outcome)
                yield (
                    Variant("arms", f"{slot.field.name} = {_shown(value)}: another side of {_text(column)}", ()),
                    other,
                )


_NULL_AWARE = ("COALESCE", "IFNULL", "NULLIF", "SAFE_DIVIDE")


def _called(node: Node) -> str:
    return str(node.this).upper()


def _outcome(witness: Witness, atom: Node) -> str:
    """What a part of a column comes to, in rough: TRUE, FALSE, NULL, nothing, something."""
    try:
        value = witness.material.evaluator.value(atom, witness.scope())
    except CannotTell:
        return "?"
    return str(value) if value is None or isinstance(value, bool) else "some" if value else "nothing"


def _nulls(witness: Witness, calls: Sequence[exp.Expr]) -> Found:
    """NULL (and zero) where a column treats it in its own way."""
    for call in calls:
        for slot, value, other in witness.changes(call):
            if value is None:
                yield Variant("arms", f"{slot.field.name} is NULL in {_text(call)}", ()), other
        if str(call.this).upper() != "SAFE_DIVIDE":
            continue
        for slot in witness.slots(call.expressions[-1]):
            if slot.field.type not in NUMBERS:
                continue
            other = witness.copy()
            next(at for at in other.slots(call) if _same_place(at, slot)).put(type(slot.get() or 0)(0))
            yield Variant("arms", f"{slot.field.name} is 0 in {_text(call)}", ()), other


def _text(node: Node) -> str:
    text = node.sql("bigquery", normalize_functions=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _shown(value: Value) -> str:
    if value is None:
        return "NULL"
    return value.isoformat() if isinstance(value, date) else repr(value)
