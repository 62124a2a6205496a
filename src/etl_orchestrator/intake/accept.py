"""The only way from a `Request` to `Requirements`."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.errors import EngineError, InvalidInput
from etl_orchestrator.intake.asking import NeedsAnswers, RankDags
from etl_orchestrator.intake.check import questions
from etl_orchestrator.intake.check_sources import renderings, tables_of_query
from etl_orchestrator.intake.grain import is_grouped, keys_of
from etl_orchestrator.intake.multiplied import sure_matches
from etl_orchestrator.intake.reading import Reading, parameters_used, subquery_only
from etl_orchestrator.intake.resolving import joined, resolved
from etl_orchestrator.intake.thresholds import lifted
from etl_orchestrator.intake.uniqueness import matches
from etl_orchestrator.requirements import Column, Parameter, Partitioning, Request, Requirements, Schedule
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Tools

#: Headings whose words could change the result: shown when no rule understood them.
_TELLING = ("logic", "transformation", "filter", "rows to keep", "grain", "steps")


def accept(request: Request, tools: Tools, rank_dags: RankDags | None = None) -> Requirements:
    """The request with everything settled. Raises NeedsAnswers with all open questions, InvalidInput for what is refused."""
    whole = resolved(request, tools)
    asked = questions(whole, tools, rank_dags)
    if asked or whole.table is None:
        raise NeedsAnswers(asked, request.answers)
    reading = Reading(whole, tools)
    keys = _keys(whole, reading)
    description, assumptions = _description(whole)
    partitioning, more = _partitioning(whole.partitioning or Partitioning(False))
    final, thresholds = lifted(joined(whole, reading))
    parameters = _parameters(final)
    assumptions += [
        *more,
        *_of_grain(whole, keys),
        *_of_sources(request, whole, reading),
        *(f"at most one row of `{one.source.alias}` matches: {one.reason}" for one in matches(whole, reading)),
        *(f"at most one row of `{one.source.alias}` matches: {one.reason}" for one in sure_matches(whole, reading)),
        *_of_columns(request, whole),
        *_of_prose(whole),
        *thresholds,
    ]
    if len(parameters) > len(final.parameters):
        assumptions.append("@submission_date is the DATE of the run")
    tables = {TableRef.parse(name) for name in reading.listed} | set(tables_of_query(whole, reading))
    return Requirements(
        request=final,
        table=whole.table,
        description=description,
        body=final.body,
        keys=keys,
        sources=tuple(sorted(tables)),
        partitioning=partitioning,
        schedule=whole.schedule or Schedule(),
        schemas=reading.declared,
        assumptions=tuple(dict.fromkeys(assumptions)),
        parameters=parameters,
    )


def _keys(request: Request, reading: Reading) -> tuple[str, ...]:
    """The columns of the grain; those of an adopted query are the analyzer's, none where it cannot tell them."""
    if request.query is None:
        return keys_of(request).names
    schemas: dict[TableRef, Schema] = {}
    for table in tables_of_query(request, reading):
        known = reading.found(str(table))
        if isinstance(known, tuple):
            schemas[table] = known
    types = {parameter.name: parameter.type for parameter in _parameters(request)}
    try:
        analysis = reading.tools.analyzer.analyze(renderings(request, reading)[0], schemas, types)
    except (EngineError, InvalidInput):
        return ()
    columns = tuple(Column(field.name) for field in analysis.columns)
    return keys_of(replace(request, body=replace(request.body, columns=columns))).names


def _description(request: Request) -> tuple[str, list[str]]:
    if request.description:
        return request.description, []
    name = request.table.name if request.table else ""
    title = request.friendly_name or name.rpartition("_v")[0].replace("_", " ").capitalize() or name
    grain = request.grain if isinstance(request.grain, str) else f"one row per {', '.join(request.grain or ())}"
    text = f"{title}: {grain.strip('. ')}." if request.grain else f"{title}."
    return text, ["the description is made of the table's name and grain"]


def _partitioning(told: Partitioning) -> tuple[Partitioning, list[str]]:
    if told.type is None and (told.field or told.ingestion_time):
        return replace(told, type="day"), ["the table is partitioned by day"]
    return told, []


def _parameters(request: Request) -> tuple[Parameter, ...]:
    """Those declared, and submission_date where it is used without a word about it."""
    declared = {parameter.name for parameter in request.parameters}
    if "submission_date" in set(parameters_used(request)) - declared:
        return (*request.parameters, Parameter("submission_date", "DATE", "{{ds}}"))
    return request.parameters


def _of_grain(request: Request, keys: tuple[str, ...]) -> list[str]:
    if isinstance(request.grain, str) and keys:
        return [f"the grain is read as {', '.join(keys)}"]
    if request.grain and not keys and request.body.columns and not is_grouped(request.body):
        return [f"the grain “{request.grain}” names no column, so no column is taken to be unique"]
    return []


def _of_sources(request: Request, whole: Request, reading: Reading) -> list[str]:
    found = []
    if whole.body.sources != request.body.sources:
        found.append(f"the columns are read from the last step, `{whole.body.sources[0].table}`")
    for place in reading.places:
        for number in sorted(subquery_only(whole, place)):
            found.append(f"`{place.body.sources[number].table}` is read by subqueries only and not joined")
        for number, source in enumerate(place.body.sources):
            condition = reading.condition(place, number)
            if number and condition != source.on:
                found.append(f"`{source.alias}`{place.words} is joined on {condition}")
    return found


def _of_columns(request: Request, whole: Request) -> list[str]:
    return [
        f"`{new.name}` is written by the author from words: {new.expression}"
        for old, new in zip(request.body.columns, whole.body.columns, strict=True)
        if old.expression != new.expression
    ]


def _of_prose(request: Request) -> list[str]:
    """Words on the logic that no rule understood: a person should know that only an author reads them."""
    return [
        f"kept for the author, not understood by rule: “{prose.text}” ({prose.where}, line {prose.line})"
        for prose in request.prose
        if any(word in prose.where.lower() for word in _TELLING)
    ]
