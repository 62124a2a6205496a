"""Small changes to rows that fit: each makes one condition matter, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlglot import exp

from etl_orchestrator.proving.frames import FrameSource, paths, stars
from etl_orchestrator.proving.grammar import path, unwrap
from etl_orchestrator.proving.groupings import sides
from etl_orchestrator.proving.pools import default
from etl_orchestrator.proving.situations import NUMBERS, Variant, arms, arrays, free, groups, joins, left_out
from etl_orchestrator.proving.witnesses import Row, Witness, scaled
from etl_orchestrator.table import TableRef


def variants(witness: Witness) -> Iterator[Variant]:
    """All variants of one SELECT, the most telling first."""
    numbers = iter(range(1, 1000))
    for found in (groups(witness), left_out(witness), joins(witness), arrays(witness), arms(witness)):
        for variant, changed in found:
            made = _different(witness, changed, variant, next(numbers) % 10 + 1)
            if made is not None:
                yield made
    yield from sides(witness)


def _different(witness: Witness, changed: Witness, variant: Variant, number: int) -> Variant | None:
    """The variant with the rows of `changed` that differ, their free numbers made ones of their own."""
    if variant.twice:
        return variant
    rows: list[tuple[TableRef, Row]] = []
    for source in witness.frame.sources:
        row = changed.rows.get(source.alias)
        if row is None or row == witness.rows.get(source.alias):
            continue
        if source.table is None:
            rows.extend(_traced(witness, source, row, number))
            continue
        if variant.theme != "groups":
            _mark(changed, source, number, witness.rows.get(source.alias))
        if variant.theme in ("days", "filters"):
            _name(changed, source, number, witness.rows.get(source.alias))
        _shift(changed, source, number)
        rows.append((source.table, row))
    return Variant(variant.theme, variant.why, tuple(rows)) if rows else None


def _traced(witness: Witness, source: FrameSource, wanted: Row, number: int) -> list[tuple[TableRef, Row]]:
    """Rows of tables that make a step give such a row: only what it passes on unchanged can be asked for."""
    origin = witness.material.steps.get((source.step or "").lower())
    if origin is None:
        return []
    before = witness.rows.get(source.alias) or {}
    outputs = {name.lower(): unwrap(node) for name, node in origin.frame.outputs}
    other = origin.copy()
    for name, value in wanted.items():
        if value != before.get(name):
            node = outputs.get(name.lower(), exp.column(name) if stars(origin.frame) else None)
            slots = other.slots(node) if node is not None and path(node) is not None else []
            if not slots:
                return []
            slots[0].put(value)
    conditions = origin.conjuncts()
    if [other.met(node) for node in conditions] != [origin.met(node) for node in conditions]:
        other.solve()
    rows: list[tuple[TableRef, Row]] = []
    for inner in origin.frame.sources:
        row = other.rows.get(inner.alias)
        if row is None or row == origin.rows.get(inner.alias):
            continue
        if inner.table is None:
            rows.extend(_traced(origin, inner, row, number))
        else:
            _mark(other, inner, number, origin.rows.get(inner.alias))
            rows.append((inner.table, row))
    return rows


def _mark(witness: Witness, source: FrameSource, number: int, before: Row | None) -> None:
    """Numbers of their own for the columns that nothing depends on and nobody changed."""
    row = witness.rows[source.alias]
    assert row is not None
    assert source.table is not None
    schema = witness.material.schemas.get(source.table, ())
    for column in free(witness, source):
        untouched = before is not None and before.get(column.name) == row.get(column.name)
        if column.type in NUMBERS and untouched:
            row[column.name] = scaled(default(column, "a", number), column, schema)


def _name(witness: Witness, source: FrameSource, number: int, before: Row | None) -> None:
    """Texts of its own for such a row, so that it is seen wherever it is wrongly kept or wrongly left out."""
    row = witness.rows[source.alias]
    assert row is not None
    for column in free(witness, source):
        if column.type == "STRING" and before is not None and before.get(column.name) == row.get(column.name):
            row[column.name] = default(column, f"v{number}", 0)


def _shift(witness: Witness, source: FrameSource, number: int) -> None:
    """Times by which rows are ordered are moved by minutes, so that no tie is left, if every condition stays as it is."""
    row = witness.rows[source.alias]
    assert row is not None
    ordered = [item for node in witness.frame.expressions for item in node.find_all(exp.Ordered)]
    measures = [item for node in witness.frame.expressions for item in node.find_all(exp.Anonymous)
                if str(item.this).upper() in ("MAX_BY", "MIN_BY")]  # fmt: skip
    names = {found[-1].lower() for node in [*ordered, *measures] for found in paths(node)}
    conditions = witness.conjuncts()
    before = [witness.met(node) for node in conditions]
    for name, value in list(row.items()):
        if name.lower() in names and isinstance(value, datetime):
            row[name] = value + timedelta(minutes=number)
            if [witness.met(node) for node in conditions] != before:
                row[name] = value


def repeats(witness: Witness, count: int, *, new_keys: bool) -> list[tuple[TableRef, Row]]:
    """More rows of the first table like the one that fits: other numbers, on demand other texts."""
    source = next((item for item in witness.frame.sources if item.table is not None), None)
    if source is None or source.table is None or witness.rows.get(source.alias) is None:
        return []
    schema = witness.material.schemas.get(source.table, ())
    made: list[tuple[TableRef, Row]] = []
    for number in range(1, count + 1):
        other = witness.copy()
        row = other.rows[source.alias] or {}
        for column in free(witness, source):
            if column.type in (*NUMBERS, "TIMESTAMP", "DATETIME") or (new_keys and column.type == "STRING"):
                row[column.name] = scaled(default(column, "abcdefghijkl"[number], number), column, schema)
        _shift(other, source, number)
        made.append((source.table, row))
    return made
