"""Questions about columns: where they come from, which names they use, whether their declared types can be."""

from __future__ import annotations

from etl_orchestrator.intake.asking import ask
from etl_orchestrator.intake.column_types import ColumnTypes
from etl_orchestrator.intake.reading import PSEUDO, Offer, Place, Reading, subquery_only
from etl_orchestrator.requirements import Column, Question, Request
from etl_orchestrator.sql import expressions
from etl_orchestrator.sql.near_names import nearest
from etl_orchestrator.table import Field


def column_questions(request: Request, reading: Reading) -> list[Question]:
    """All questions about the columns of all SELECTs."""
    body = request.body
    if request.query is not None:
        return []
    if not body.columns and not body.union:
        return [ask(request, "columns", "Which columns does it have, and how is each of them made?")]
    asked = []
    types = ColumnTypes(reading)
    for place in reading.places:
        asked += _twice(request, place)
        if request.python is not None:
            continue
        for number, column in enumerate(place.body.columns):
            if not column.is_star:
                asked += _column(request, reading, place, number, column)
        asked += _conditions(request, reading, place)
        asked += _types(request, types, place)
    return asked


def _twice(request: Request, place: Place) -> list[Question]:
    seen: set[str] = set()
    asked = []
    for number, column in enumerate(place.body.columns):
        if column.name.lower() in seen and not column.is_star:
            text = f"Two columns{place.words} are called `{column.name}`. What is the name of the second one?"
            asked.append(ask(request, place.element(f"columns.{number}.name"), text))
        seen.add(column.name.lower())
    return asked


def _column(request: Request, reading: Reading, place: Place, number: int, column: Column) -> list[Question]:
    element = place.element(f"columns.{column.name}")
    if column.expression is None:
        return [] if place.body.union else _copied(request, reading, place, column, element)
    words = f"`{column.name}`{place.words}"
    return _names(request, reading, place, column.expression, (element, words), frozenset())


def _copied(request: Request, reading: Reading, place: Place, column: Column, element: str) -> list[Question]:
    """A column without an expression is the source column of its name."""
    key = column.name.lower()
    offers = reading.offers(place)
    own = {source.alias.lower() for source in place.body.sources if source.unnest}
    own |= {source.offset.lower() for source in place.body.sources if source.offset}
    if key in own or key in PSEUDO:
        return []
    holders = reading.holders(place, column.name)
    if len(holders) > 1:
        if _one_of(reading, place, holders, key):
            return []
        text = f"More than one source{place.words} has a column `{column.name}`. Which one is meant?"
        names = {source.alias.lower(): source.alias for source in place.body.sources}
        return [ask(request, element, text, [f"{names[holder]}.{column.name}" for holder in holders[:3]])]
    if holders or any(offer is None for offer in offers.values()):
        return []
    if column.notes:
        text = f"How is `{column.name}`{place.words} computed? It is given in words only: “{column.notes}”. Write an expression."
        return [ask(request, element, text)]
    text = f"Where does `{column.name}`{place.words} come from? No source has a column of that name."
    return [ask(request, element, text, _qualified(place, offers, column.name))]


def _one_of(reading: Reading, place: Place, holders: list[str], key: str) -> bool:
    """Whether it makes no difference which one is taken: inner joins set all of them equal."""
    equal: list[set[str]] = []
    for number, source in enumerate(place.body.sources):
        condition = reading.condition(place, number) if number else None
        equal += _equalities(condition, key) if condition and source.join == "INNER" else []
    joined = {holders[0]}
    while grown := {alias for pair in equal if pair & joined for alias in pair} - joined:
        joined |= grown
    outer = any(source.join in ("RIGHT", "FULL") for source in place.body.sources)
    return joined >= set(holders) and not outer


def _equalities(condition: str, key: str) -> list[set[str]]:
    """Pairs of aliases whose columns of this name a condition sets equal."""
    from sqlglot import exp

    tree = expressions.parsed(condition)
    pairs = []
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        sides = [part.this, part.expression] if isinstance(part, exp.EQ) else []
        if sides and all(isinstance(side, exp.Column) and side.name.lower() == key for side in sides):
            pairs.append({side.table.lower() for side in sides})
    return pairs


def _qualified(place: Place, offers: dict[str, Offer], name: str) -> tuple[str, ...]:
    """The three columns of the sources whose names look most like this one."""
    aliases = {source.alias.lower(): source.alias for source in place.body.sources}
    one = len(place.body.sources) == 1
    known = {
        field.name if field else key: aliases[alias]
        for alias, offer in reversed(offers.items())
        for key, field in (offer or {}).items()
    }
    return tuple(close if one else f"{known[close]}.{close}" for close in nearest(name, known))


def _conditions(request: Request, reading: Reading, place: Place) -> list[Question]:
    """The names that filters, joins and conditions use."""
    asked = []
    body = place.body
    outputs = frozenset(column.name.lower() for column in body.columns)
    skipped = subquery_only(request, place)
    for number, source in enumerate(body.sources):
        if number in skipped:
            continue
        where = place.element(f"sources.{number}")
        if source.filter:
            words = f"The filter of `{source.alias}`{place.words}"
            asked += _names(request, reading, place, source.filter, (f"{where}.filter", words), frozenset())
        if condition := (reading.condition(place, number) if number else None):
            words = f"The join of `{source.alias}`{place.words}"
            strange = _names(request, reading, place, condition, (f"{where}.on", words), frozenset())
            asked += (
                strange if condition == source.on else strange[:1]
            )  # of a list of keys both sides lack the same name
        if source.unnest:
            asked += _array(request, reading, place, number, source.unnest)
    for part, text in (("where", body.where), ("having", body.having), ("qualify", body.qualify)):
        if text:
            known = frozenset() if part == "where" else outputs
            asked += _names(request, reading, place, text, (place.element(part), f"`{part}`{place.words}"), known)
    return asked


def _array(request: Request, reading: Reading, place: Place, number: int, text: str) -> list[Question]:
    """The names that an array uses, and its base, which has to be one of the sources before it."""
    element, words = (
        place.element(f"sources.{number}.unnest"),
        f"The array `{place.body.sources[number].alias}`{place.words}",
    )
    asked = _names(request, reading, place, text, (element, words), frozenset())
    before = {
        source.alias.lower(): reading.offers(place).get(source.alias.lower()) for source in place.body.sources[:number]
    }
    if asked or not before or any(offer is None for offer in before.values()):
        return asked
    names = {name for offer in before.values() for name in offer or ()}
    for qualifier, name in expressions.columns(text):
        first = (qualifier or name).lower()
        if first not in before and first not in names:
            shown = f"{qualifier}.{name}" if qualifier else name
            holders = [
                one.alias for one in place.body.sources[:number] if name.lower() in (before[one.alias.lower()] or ())
            ]
            text_ = (
                f"{words} is `{shown}`, but no source before it is called `{first}` or has it. Which array is meant?"
            )
            asked.append(ask(request, element, text_, [f"{alias}.{name}" for alias in holders]))
    return asked


def _names(
    request: Request, reading: Reading, place: Place, text: str, spoken: tuple[str, str], outputs: frozenset[str]
) -> list[Question]:
    """A question for every name in an expression that surely does not exist."""
    element, words = spoken
    if expressions.parsed(text) is None:
        return []
    offers = reading.offers(place)
    own = set(offers) | {source.offset.lower() for source in place.body.sources if source.offset}
    complete = bool(offers) and all(offer is not None for offer in offers.values())
    every = {name for offer in offers.values() for name in offer or ()}
    asked = []
    for qualifier, name in expressions.columns(text):
        first = (qualifier or name).lower()
        offer = offers.get(first)
        is_row = any(source.unnest and source.alias.lower() == first for source in place.body.sources)
        if qualifier and offer is not None and name.lower() not in offer and name.lower() not in PSEUDO:
            if is_row and not offer:
                continue  # an element that is no record, or one whose parts are not known
            text_ = f"{words} uses `{qualifier}.{name}`, which does not exist. Which column is meant?"
            asked.append(ask(request, element, text_, [f"{qualifier}.{close}" for close in nearest(name, offer)]))
        elif first not in own and first not in every and first not in outputs and first not in PSEUDO and complete:
            shown = f"{qualifier}.{name}" if qualifier else name
            text_ = f"{words} uses `{shown}`, but no source has `{qualifier or name}`. Which column is meant?"
            candidates = _qualified(place, offers, name)
            if element.endswith("where") and first in {column.name.lower() for column in place.body.columns}:
                candidates = ()
                text_ = (
                    f"{words} uses `{shown}`, which is an output column: it does not exist yet there. Which condition on "
                    "the sources is meant? (One on a window belongs under `qualify`, on an aggregate under `having`.)"
                )
            asked.append(ask(request, element, text_, candidates))
    return asked


def _types(request: Request, types: ColumnTypes, place: Place) -> list[Question]:
    """Declared types that the expressions surely do not have."""
    declared = [
        c for c in place.body.columns if c.type and not c.is_star and (c.expression or "").strip().upper() != "NULL"
    ]
    if not declared:
        return []
    told = types.of(place, declared)
    asked = []
    for column in declared:
        given = told.get(column.name)
        if given is None or column.type is None or _agree(given, column):
            continue
        is_, wanted = _shown(given.type, given.mode), _shown(column.type, column.mode or "NULLABLE")
        text = f"`{column.name}`{place.words} is declared {wanted}, but {_made(column)} is {is_}. Which type is right?"
        candidates = (f"type {is_}", *((f"CAST({column.sql} AS {_standard(wanted)})",) if "," not in wanted else ()))
        asked.append(ask(request, place.element(f"columns.{column.name}"), text, candidates))
    return asked


def _agree(given: Field, column: Column) -> bool:
    repeated = (given.mode == "REPEATED", (column.mode or "NULLABLE") == "REPEATED")
    return given.type == column.type and repeated[0] == repeated[1]


def _shown(type_: str, mode: str) -> str:
    return f"{type_}, REPEATED" if mode == "REPEATED" else type_


def _standard(type_: str) -> str:
    """A type as CAST spells it."""
    return {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}.get(type_, type_)


def _made(column: Column) -> str:
    return f"its expression `{column.expression}`" if column.expression else "the source column"
