"""A request with everything in it that follows from the rest: nothing here is a choice a person would want to make."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake.asking import place_of
from etl_orchestrator.intake.reading import Place, Reading, subquery_only
from etl_orchestrator.requirements import Body, Column, Request, Source
from etl_orchestrator.sql import expressions
from etl_orchestrator.tools import Task, Tools


def resolved(request: Request, tools: Tools) -> Request:
    """The request with its last step as the source where none is named, and with expressions for the columns that are
    given in words, as far as the author has any. Doing it twice changes nothing."""
    body = request.body
    if request.steps and not body.sources and not body.union and request.query is None and request.python is None:
        last = request.steps[-1].name
        request = replace(request, body=replace(body, sources=(Source(last, last),)))
    if request.query is not None or request.python is not None:
        return request
    return _written(request, tools)


def _written(request: Request, tools: Tools) -> Request:
    """Columns in words, written by the author; what is not one expression is not taken."""
    reading = Reading(request, tools)
    place = reading.place("")
    offers = reading.offers(place)
    columns: list[Column] = []
    for column in request.body.columns:
        unknown = any(offer is None for offer in offers.values())
        wanted = column.expression is None and column.notes and not unknown and not reading.holders(place, column.name)
        text = tools.author.write(_task(request, reading, place, column)) if wanted else None
        columns.append(_with(request, column, text) if text else column)
    return replace(request, body=replace(request.body, columns=tuple(columns)))


def _task(request: Request, reading: Reading, place: Place, column: Column) -> Task:
    known = "\n".join(
        f"{alias}: {', '.join(offer)}" for alias, offer in reading.offers(place).items() if offer is not None
    )
    context = {
        "column": column.name,
        "words": column.notes or "",
        "description": column.description or "",
        "type": column.type or "",
        "sources": known,
        "notes": "\n".join([request.notes or "", *(prose.text for prose in request.prose)]).strip(),
    }
    return Task("expression", f"Write the one GoogleSQL expression of the column {column.name}.", context)


def _with(request: Request, column: Column, text: str) -> Column:
    try:
        expressions.check_expression(text, place_of(request, f"columns.{column.name}"))
    except InvalidInput:
        return column  # it stays a question
    return replace(column, expression=text.strip())


def joined(request: Request, reading: Reading) -> Request:
    """The request as the query is written from it: join keys as conditions, and no source in FROM that only subqueries
    read."""
    steps = []
    for step in request.steps:
        body = _body(request, reading, reading.place(f"steps.{step.name}"))
        first = step.on_init and _body(request, reading, reading.place(f"steps.{step.name}.on_init"))
        steps.append(replace(step, body=body, on_init=first))
    first = request.on_init and _body(request, reading, reading.place("on_init"))
    return replace(request, body=_body(request, reading, reading.place("")), steps=tuple(steps), on_init=first)


def _body(request: Request, reading: Reading, place: Place) -> Body:
    skipped = subquery_only(request, place)
    sources = [
        replace(source, on=reading.condition(place, number) if number else None)
        for number, source in enumerate(place.body.sources)
        if number not in skipped
    ]
    return replace(place.body, sources=tuple(sources))
