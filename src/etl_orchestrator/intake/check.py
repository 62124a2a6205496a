"""The requirements check: every question that must be answered before any work, all at once, and no other.

Asked is what is missing, unclear or contradictory. What can be inferred is not asked; an expression that is not one
GoogleSQL expression is not asked about either, it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.intake.reading import Bodies, Reading, nearest, own_tables
from etl_orchestrator.requirements import Body, Column, Example, Question, Request, Source
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Tools

#: Names of DAGs with the evidence for each, best first.
RankDags = Callable[[Request], Sequence[tuple[str, str]]]


def questions(request: Request, tools: Tools, rank_dags: RankDags | None = None) -> tuple[Question, ...]:
    """In the order of the format page; empty when the requirements are complete.

    Raises InvalidInput for an expression that is not exactly one, or that could reach out of its place.
    """
    check_expressions(request)
    reading = Reading(request, tools)
    asked: list[Question] = []
    for element in (_table, _sources, _columns, _grain, _partitioning, _examples, _parameters):
        asked += element(request, reading)
    asked += _schedule(request, tools, rank_dags)
    return tuple({(question.element, question.text): question for question in asked}.values())


def check_expressions(request: Request) -> None:
    """Nothing, when every expression is exactly one; raises InvalidInput at the first that is not."""
    for where, body in Bodies(request).named():
        at = f"{request.at(where.partition('.')[0])} ({where})" if where else request.origin
        for source in body.sources:
            for text in (source.unnest, source.filter, source.on):
                if text:
                    expressions.check_expression(text, f"{at}, source {source.alias}")
        for column in body.columns:
            if column.is_star:
                expressions.check_star(column.sql, f"{at}, column {column.name}")
            elif column.expression:
                expressions.check_expression(column.expression, f"{at}, column {column.name}")
        for text in (body.where, body.having, body.qualify):
            if text:
                expressions.check_expression(text, at)
    for refusal in request.refuse_when:
        expressions.check_expression(refusal.condition, request.at("refuse_when"))


def _table(request: Request, reading: Reading) -> list[Question]:
    if request.table is not None:
        return []
    return [Question("table", "What is the table to be called? Write dataset.table_v1.", (), request.origin)]


# --- sources ----------------------------------------------------------------------------------------------------------


def _sources(request: Request, reading: Reading) -> list[Question]:
    at = request.at("sources")
    if request.query is not None:
        return _adopted_sources(request, reading)
    if request.python is not None and not request.body.sources:
        return []
    if not request.body.sources and not request.body.union:
        return [Question("sources", "Which tables does it read? Name each as dataset.table.", (), at)]
    asked: list[Question] = []
    for where, body in reading.bodies.named():
        for number, source in enumerate(body.sources):
            asked += _one_source(request, reading, where, number, source)
        asked += _unlisted(request, reading, where, body)
        unknown = [name for name in body.union if name not in reading.bodies.steps_before(where)]
        asked += [
            Question(
                "steps",
                f"The union names `{name}`, which is no earlier step. Which is meant?",
                reading.bodies.steps,
                at,
            )
            for name in unknown
        ]
    return asked


def _adopted_sources(request: Request, reading: Reading) -> list[Question]:
    """The tables that the given query reads; each must be known."""
    asked = []
    for table in own_tables(request, reading.tools):
        if isinstance(table, TableRef):
            asked += _known(request, reading, table, request.at("query"))
    return asked


def _one_source(request: Request, reading: Reading, where: str, number: int, source: Source) -> list[Question]:
    at, key = request.at(where.partition(".")[0] or "sources"), f"sources.{number}"
    asked: list[Question] = []
    if source.table is not None and source.is_step:
        if source.table not in reading.bodies.steps_before(where):
            text = f"`{source.table}` is neither dataset.table nor an earlier step. Which table is meant?"
            asked.append(Question("sources", text, nearest(source.table, reading.names()), at))
    elif source.table is not None and source.schema is None:
        asked += _known(request, reading, TableRef.parse(source.table), at)
    if number == 0 or source.unnest is not None:
        return asked
    if source.join is None:
        text = f"How is `{source.alias}` joined: INNER, LEFT, RIGHT, FULL or CROSS? What becomes of unmatched rows?"
        asked.append(Question(f"{key}.join", text, ("INNER", "LEFT", "RIGHT", "FULL", "CROSS"), at))
    if source.on is None and source.join != "CROSS":
        text = f"On which condition is `{source.alias}` joined?"
        asked.append(Question(f"{key}.on", text, reading.shared_keys(where, source), at))
    return asked


def _known(request: Request, reading: Reading, table: TableRef, at: str) -> list[Question]:
    """Nothing when the table's schema is known, it is this table, or it is declared inline."""
    if table == request.table or str(table) in reading.declared:
        return []
    try:
        if reading.tools.catalog.schema(table) is not None:
            return []
    except Unavailable as error:
        text = f"Which columns has `{table}`? {error.message}; declare them as `schema:` of the source."
        return [Question("sources", text, (), at)]
    text = f"`{table}` is not known. Which table is meant?"
    return [Question("sources", text, nearest(str(table), reading.names()), at)]


def _unlisted(request: Request, reading: Reading, where: str, body: Body) -> list[Question]:
    """Tables read in subqueries of expressions that no source names."""
    listed = {source.alias for source in body.sources} | {name.rpartition(".")[2] for name in reading.listed}
    listed |= reading.listed | set(reading.bodies.steps)
    asked = []
    for text in Bodies.texts(body):
        for table in expressions.subquery_tables(text):
            first = table.partition(".")[0]
            full = table if table.count(".") != 1 else f"{reading.project}.{table}"
            if table not in listed and full not in listed and not (first in listed and table.count(".") < 2):
                words = f"A subquery reads `{table}`, which is not among the sources. Is it to be one of them?"
                asked.append(Question("sources", words, (), request.at(where.partition(".")[0] or "sources")))
    return asked


# --- columns ----------------------------------------------------------------------------------------------------------


def _columns(request: Request, reading: Reading) -> list[Question]:
    at = request.at("columns")
    if request.query is not None:
        return []
    if not request.body.columns and not request.body.union:
        return [Question("columns", "Which columns does it have, and how is each made?", (), at)]
    asked = []
    names = [column.name.lower() for column in request.body.columns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        asked.append(Question("columns", f"Two columns are called `{name}`. What are their names?", (), at))
    if request.python is not None:
        return asked
    for where, body in reading.bodies.named():
        for column in body.columns:
            asked += _one_column(request, reading, where, body, column)
    return asked


def _one_column(request: Request, reading: Reading, where: str, body: Body, column: Column) -> list[Question]:
    if column.is_star:
        return []
    at, key = request.at(where.partition(".")[0] or "columns"), f"columns.{column.name}"
    scope = reading.scope(where, body)
    if column.expression is None:
        return _plain_column(request, reading, scope, column, at)
    asked = []
    for qualifier, name in expressions.columns(column.expression):
        known = scope.get(qualifier) if qualifier else None
        if known is not None and name.lower() not in {field.name.lower() for field in known}:
            words = f"`{column.name}` uses `{qualifier}.{name}`, which does not exist. Which column is meant?"
            asked.append(Question(key, words, nearest(name, [field.name for field in known]), at))
        elif qualifier is None and all(fields is not None for fields in scope.values()):
            outputs = {other.name.lower() for other in body.columns if other is not column}
            every = [field.name for fields in scope.values() for field in fields or ()]
            known_names = {other.lower() for other in every} | {alias.lower() for alias in scope} | outputs
            if every and name.lower() not in known_names:
                words = f"`{column.name}` uses `{name}`, which no source has. Which column is meant?"
                asked.append(Question(key, words, nearest(name, every), at))
    return asked + _declared_type(request, reading, scope, body, column)


def _plain_column(
    request: Request, reading: Reading, scope: dict[str, Schema | None], column: Column, at: str
) -> list[Question]:
    """A column without an expression is the source column of its name."""
    key = f"columns.{column.name}"
    having = [alias for alias, fields in scope.items() if fields and column.name in {field.name for field in fields}]
    if len(having) == 1 or (not having and any(fields is None for fields in scope.values())):
        return []
    if len(having) > 1:
        words = f"More than one source has a column `{column.name}`. Which is meant?"
        return [Question(key, words, tuple(f"{alias}.{column.name}" for alias in having), at)]
    if column.notes or column.description:
        if reading.tools.author.name != "rules" and column.notes:
            return []
        words = f"How is `{column.name}` computed? No source has a column of that name; give an expression."
        return [Question(key, words, (), at)]
    every = [f"{alias}.{field.name}" for alias, fields in scope.items() for field in fields or ()]
    words = f"Where does `{column.name}` come from? No source has a column of that name."
    return [Question(key, words, nearest(column.name, every), at)]


def _declared_type(
    request: Request, reading: Reading, scope: dict[str, Schema | None], body: Body, column: Column
) -> list[Question]:
    """Asked only where the analyzer is sure: an expression over known tables gives another type than the declared one."""
    if column.type is None or column.expression is None or column.expression.strip().upper() == "NULL":
        return []
    given = reading.type_of(body, scope, column)
    wanted = Field(column.name, column.type, column.mode or (given.mode if given else "NULLABLE"))
    if given is None or (given.type, given.mode == "REPEATED") == (wanted.type, wanted.mode == "REPEATED"):
        return []
    words = f"`{column.name}` is declared {wanted.type}, its expression gives {given.type}. Which is right?"
    return [
        Question(
            f"columns.{column.name}", words, (f"type {given.type}", f"CAST to {wanted.type}"), request.at("columns")
        )
    ]


# --- what a row means -------------------------------------------------------------------------------------------------


def _grain(request: Request, reading: Reading) -> list[Question]:
    at = request.at("grain")
    if request.query is not None or request.python is not None or not request.body.columns:
        missing = request.grain is None and request.query is None and request.python is None
        return [Question("grain", "What does one row mean?", (), at)] if missing else []
    grouped = reading.is_grouped(request.body)
    groups = reading.group_columns(request.body)
    if request.grain is None:
        candidates = (", ".join(groups),) if grouped and groups else ()
        return [Question("grain", "What does one row mean: which columns identify it?", candidates, at)]
    outputs = {column.name for column in request.body.columns}
    keys = reading.keys()
    if isinstance(request.grain, tuple):
        for key in request.grain:
            if key not in outputs:
                words = f"The grain names `{key}`, which is no output column. Which is meant?"
                return [Question("grain", words, nearest(key, outputs), at)]
    if grouped:
        for key in keys:
            if key not in groups:
                words = f"The grain names `{key}`, which is an aggregate. Which columns are the keys?"
                return [Question("grain", words, (", ".join(groups),), at)]
        if groups and not keys:
            words = f"Which columns are the keys of `{request.grain}`? The columns that are no aggregates are {', '.join(groups)}."
            return [Question("grain", words, (", ".join(groups),), at)]
        if not keys and isinstance(request.grain, tuple):
            return []
    return []


def _partitioning(request: Request, reading: Reading) -> list[Question]:
    at, partitioning = request.at("partitioning"), request.partitioning
    names = tuple(column.name for column in request.body.columns if not column.is_star)
    if partitioning is None:
        days = tuple(f"incremental, daily on {name}" for name in names if re.search(r"date|day", name))[:2]
        words = "Is it incremental (each run writes one partition: by which field?) or a full refresh?"
        return [Question("partitioning", words, (*days, "full refresh"), at)]
    if partitioning.field is None:
        if partitioning.incremental and not partitioning.ingestion_time and partitioning.write in (None, "partition"):
            words = "By which column are the rows of an incremental table partitioned?"
            return [Question("partitioning", words, tuple(n for n in names if re.search(r"date|day|time", n)), at)]
        return []
    if names and partitioning.field not in names:
        words = f"It is to be partitioned by `{partitioning.field}`, which is no output column. Which is meant?"
        return [Question("partitioning", words, nearest(partitioning.field, names), at)]
    return []


def _schedule(request: Request, tools: Tools, rank_dags: RankDags | None) -> list[Question]:
    at, schedule = request.at("schedule"), request.schedule
    known = {dag.name for dag in tools.catalog.dags()}
    ranked = [f"{name}  ({why})" for name, why in (rank_dags(request) if rank_dags and request.table else ())][:3]
    if schedule is None or not (schedule.dag or schedule.frequency or schedule.product or schedule.none):
        return [
            Question("schedule", "In which DAG does it run, or how often and for which product?", tuple(ranked), at)
        ]
    if schedule.dag is not None and schedule.dag not in known:
        words = f"There is no DAG `{schedule.dag}` in dags.yaml. Which is meant?"
        return [Question("schedule", words, tuple(dict.fromkeys((*nearest(schedule.dag, known), *ranked)))[:3], at)]
    if schedule.dag is None and schedule.none is None and rank_dags and request.table and not ranked:
        return [
            Question("schedule", "No DAG fits these hints. In which DAG does it run?", tuple(sorted(known))[:3], at)
        ]
    return []


# --- examples and parameters ------------------------------------------------------------------------------------------


def _examples(request: Request, reading: Reading) -> list[Question]:
    return [question for example in request.examples for question in _one_example(request, reading, example)]


def _one_example(request: Request, reading: Reading, example: Example) -> list[Question]:
    at = request.at("examples")
    asked = []
    for name, rows in example.given.items():
        full = name if name.count(".") == 2 else f"{reading.project}.{name}"
        if full not in reading.listed:
            words = f"The example `{example.name}` gives rows of `{name}`, which is no source. Which is meant?"
            asked.append(Question("examples", words, nearest(full, reading.listed), at))
            continue
        asked += _strange(example, name, rows, reading.schema(full), at)
    outputs = tuple(Field(column.name, "STRING") for column in request.body.columns)
    return asked + (_strange(example, "expect", example.expect, outputs, at) if outputs else [])


def _strange(example: Example, where: str, rows: Iterable[object], schema: Schema | None, at: str) -> list[Question]:
    if schema is None:
        return []
    names = {field.name for field in schema}
    used = dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row)
    words = "The example `{}` names `{}` in {}, which has no such column. Which is meant?"
    return [
        Question("examples", words.format(example.name, key, where), nearest(key, names), at)
        for key in used
        if key not in names
    ]


def _parameters(request: Request, reading: Reading) -> list[Question]:
    declared = {parameter.name for parameter in request.parameters} | {"submission_date"}
    used = dict.fromkeys(name for text in Bodies(request).all_texts() for name in expressions.parameters(text))
    words = "What are the type and the value of the parameter `@{}`?"
    return [
        Question("parameters", words.format(name), (), request.at("parameters"))
        for name in used
        if name not in declared
    ]


__all__ = ["InvalidInput", "RankDags", "check_expressions", "questions"]
