"""Joins that would make several rows of one: whether at most one row of the joined source matches.

Known from a step's own groups, or evident from a table's names; else a question, which the person's word settles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_orchestrator.intake.asking import ask
from etl_orchestrator.intake.grain import group_keys, is_grouped, keys_of, singular
from etl_orchestrator.intake.reading import Place, Reading
from etl_orchestrator.requirements import Body, Question, Request, Source
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import Schema

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

#: Tables with rows for each period: there an entity is not alone.
_PERIODIC = re.compile(
    r"(?:^|_)(?:daily|days?|weekly|monthly|hourly|hours?|months?|history|last_seen|snapshots?)(?:_|$)"
)
_TIMES = ("DATE", "TIMESTAMP", "DATETIME")
_ENDINGS = ("id", "code", "key", "name", "uuid")


@dataclass(frozen=True, slots=True)
class Match:
    """What is known of one join: `fixed` are the columns of the source that one row before it settles; `reason` why at
    most one row matches, "" where nothing tells."""

    number: int
    source: Source
    fixed: tuple[str, ...]
    reason: str


def match_questions(request: Request, reading: Reading) -> list[Question]:
    """A question for each join of which nobody knows whether it keeps the grain."""
    asked = []
    for match in matches(request, reading):
        if match.reason:
            continue
        by = ", ".join(match.fixed) or "nothing of its own"
        grain = request.grain if isinstance(request.grain, str) else f"one row per {', '.join(request.grain or ())}"
        text = (
            f"`{match.source.alias}` is joined by `{by}`: can several of its rows match? one: at most one does. many: they "
            f"do, and the rows are meant to multiply, against the grain “{grain}”. (Otherwise aggregate it in a step.)"
        )
        asked.append(ask(request, f"sources.{match.number}.matches", text, ("one", "many")))
    return asked


def matches(request: Request, reading: Reading) -> Iterator[Match]:
    """The joins of the last SELECT, where its rows are not put together afterwards and the grain is known."""
    body, keys = request.body, keys_of(request).names
    if request.query or request.python or body.union or body.distinct or body.qualify or is_grouped(body) or not keys:
        return
    place = reading.place("")
    for number, source in enumerate(body.sources):
        if not number or source.table is None or source.join in (None, "CROSS") or source.matches is not None:
            continue
        if source.on is None or reading.columns_of(source, {}, place) is None:
            continue  # asked about already
        yield match_of(reading, place, number, frozenset(keys))


def match_of(reading: Reading, place: Place, number: int, grain: frozenset[str]) -> Match:
    """What is known of one source of a SELECT whose rows are told apart by the columns `grain`."""
    source = place.body.sources[number]
    fixed = _fixed(reading, place, number, grain)
    key, why = _key(reading, place, source)
    told = bool(key) and key <= {name.lower() for name in fixed}
    return Match(number, source, fixed, why if told else "")


def _fixed(reading: Reading, place: Place, number: int, grain: frozenset[str]) -> tuple[str, ...]:
    """Columns set equal by the join (of the first source: by those to it), held to one value by a filter, or part of the
    grain."""
    source = place.body.sources[number]
    joins = [number] if number else range(1, len(place.body.sources))
    conditions = [(reading.condition(place, join), False) for join in joins]
    conditions += [(source.filter, True), (place.body.where, False)]
    found: dict[str, None] = {}
    for text, own in conditions:
        for part in _conjuncts(text):
            found.update(dict.fromkeys(_equated(reading, place, source, part, own)))
    for column in place.body.columns:
        held = _own_column(reading, place, source, _parsed(column.sql), False) if column.name in grain else None
        if held:
            found[held] = None
    return tuple(found)


def _parsed(text: str) -> Expr | None:
    return expressions.parsed(text)


def _conjuncts(text: str | None) -> list[Expr]:
    from sqlglot import exp

    tree = _parsed(text) if text else None
    if tree is None:
        return []
    return list(tree.flatten()) if isinstance(tree, exp.And) else [tree]


def _equated(reading: Reading, place: Place, source: Source, part: Expr, own: bool) -> list[str]:
    """The columns of the source that an equality sets to something that is not the source's."""
    from sqlglot import exp

    part = part.unnest()
    if not isinstance(part, exp.EQ):
        return []
    found = []
    for side, other in ((part.this, part.expression), (part.expression, part.this)):
        name = _own_column(reading, place, source, side, own)
        theirs = [_own_column(reading, place, source, column, own) for column in other.find_all(exp.Column)]
        if name and not any(theirs):
            found.append(name)
    return found


def _own_column(reading: Reading, place: Place, source: Source, node: Expr | None, own: bool) -> str | None:
    """The name, when the node is a plain column of the source; in its own filter every bare name is."""
    from sqlglot import exp

    if not isinstance(node, exp.Column) or len(node.parts) > 2:
        return None
    if node.table:
        return node.name if node.table.lower() == source.alias.lower() else None
    return node.name if own or reading.holders(place, node.name) == [source.alias.lower()] else None


def _key(reading: Reading, place: Place, source: Source) -> tuple[frozenset[str], str]:
    """Columns (lower case) of which the source has at most one row each, with the reason; none where nothing tells."""
    if source.table is None:
        return frozenset(), ""
    if reading.is_own(source.table):
        return _lower(list(keys_of(reading.request).names)), "the grain of this table"
    if not source.is_step:
        found = reading.found(source.table)
        short = source.table.rpartition(".")[2]
        key = _evident(short, found) if isinstance(found, tuple) else frozenset()
        return key, f"`{', '.join(sorted(key))}` names a row of `{short}`"
    step = reading.place(f"steps.{source.table}") if source.table in place.before else None
    if step is None or step.body.union:
        return frozenset(), ""
    body, name = step.body, source.table
    if is_grouped(body):
        return _lower(group_keys(body)), f"the step `{name}` has one row for each group"
    if body.distinct:
        return _lower([column.name for column in body.columns]), f"the step `{name}` is distinct"
    if partition := _ranked(body):
        return partition, f"the step `{name}` keeps one row for each"
    if len(body.sources) != 1:
        return frozenset(), ""
    inner, why = _key(reading, step, body.sources[0])
    passed = {column.sql.rpartition(".")[2].lower(): column.name.lower() for column in body.columns}
    starred = any(column.is_star for column in body.columns)
    if not starred and not inner <= passed.keys():
        return frozenset(), ""
    return frozenset(passed.get(one, one) for one in inner), why


def _lower(names: list[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _ranked(body: Body) -> frozenset[str]:
    """The columns by which QUALIFY ROW_NUMBER() OVER (PARTITION BY …) = 1 keeps one row each."""
    from sqlglot import exp

    for part in _conjuncts(body.qualify):
        window = part.this if isinstance(part, exp.EQ) and part.expression.sql() == "1" else None
        if isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber):
            keys = window.args.get("partition_by") or []
            if keys and all(isinstance(key, exp.Column) for key in keys):
                return frozenset(key.name.lower() for key in keys)
    return frozenset()


def _evident(table: str, schema: Schema) -> frozenset[str]:
    """The column named after the table (`city_code` of `cities_v1`), with its day where there are rows for each; else
    all REQUIRED columns, where some of them are no times."""
    stem = re.sub(r"_v\d+\Z", "", table.lower())
    words = stem.split("_")
    stems = {singular(stem), singular(words[0]), singular(words[-1]), "_".join([*words[:-1], singular(words[-1])])}
    names = {column.name.lower(): column for column in schema if column.mode != "REPEATED"}
    wanted = [
        *(f"{one}_{end}" for one in sorted(stems, key=len, reverse=True) for end in _ENDINGS),
        "id",
        "code",
        *stems,
    ]
    named = next((name for name in wanted if name in names), None)
    times = [name for name, column in names.items() if column.type == "DATE"]
    if named is not None:
        return frozenset([named, *(times[:1] if _PERIODIC.search(stem) else [])])
    required = {name for name, column in names.items() if column.mode == "REQUIRED"}
    return frozenset(required) if any(names[name].type not in _TIMES for name in required) else frozenset()
