"""The requirements check: every question that must be answered before any work, all at once, and no other.

Asked is what is missing, unclear or contradictory. What can be inferred is not asked; an expression that is not one
GoogleSQL expression is not asked about either, it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.intake.asking import RankDags, ask, place_of
from etl_orchestrator.intake.check_columns import column_questions
from etl_orchestrator.intake.check_functions import function_questions
from etl_orchestrator.intake.check_sources import source_questions
from etl_orchestrator.intake.elements import key_names
from etl_orchestrator.intake.grain import group_keys, is_constant, is_grouped, keys_of
from etl_orchestrator.intake.markdown_draft import UNCLEAR
from etl_orchestrator.intake.multiplied import multiplied_questions
from etl_orchestrator.intake.reading import Reading, parameters_used, places
from etl_orchestrator.intake.resolving import resolved
from etl_orchestrator.intake.uniqueness import match_questions
from etl_orchestrator.requirements import Cell, Example, Partitioning, Question, Request, Row
from etl_orchestrator.sql import expressions
from etl_orchestrator.sql.near_names import nearest
from etl_orchestrator.tools import Tools

_DATE = re.compile(r"(?:^|_)(?:date|day|timestamp|time|hour|month)(?:_|$)", re.IGNORECASE)
_CLUSTERED = 4  # BigQuery's limit
_FEW_DAGS = 5  # so few are all named when nothing speaks for one of them


def questions(request: Request, tools: Tools, rank_dags: RankDags | None = None) -> tuple[Question, ...]:
    """In the order of the format page; empty when the requirements are complete.

    Raises InvalidInput for an expression that is not exactly one, or that could reach out of its place.
    """
    request = resolved(request, tools)
    check_expressions(request)
    reading = Reading(request, tools)
    asked: list[Question] = []
    if request.table is None:
        asked.append(_table(request, reading))
    asked += source_questions(request, reading)
    asked += column_questions(request, reading)
    asked += function_questions(request, reading)
    asked += match_questions(request, reading)
    joins = [question.element.rpartition(".")[0] for question in asked]
    asked += [one for one in multiplied_questions(request, reading) if one.element.rpartition(".")[0] not in joins]
    asked += _grain(request, {question.element for question in asked})
    asked += _partitioning(request)
    asked += _schedule(request, tools, rank_dags)
    asked += _examples(request, reading)
    asked += _parameters(request)
    asked += _unclear(request, asked)
    return tuple({(question.element, question.text): question for question in asked}.values())


def check_expressions(request: Request) -> None:
    """Nothing, when every expression is exactly one; raises InvalidInput at the first that is not."""
    for place in places(request):
        for number, source in enumerate(place.body.sources):
            for part, text in (("unnest", source.unnest), ("filter", source.filter), ("on", source.on)):
                if text and not (part == "on" and key_names(text)):
                    expressions.check_expression(text, place_of(request, place.element(f"sources.{number}.{part}")))
        for column in place.body.columns:
            at = place_of(request, place.element(f"columns.{column.name}.expression"))
            if column.is_star:
                expressions.check_star(column.sql, at)
            elif column.expression:
                expressions.check_expression(column.expression, at)
        for part, text in (("where", place.body.where), ("having", place.body.having), ("qualify", place.body.qualify)):
            if text:
                expressions.check_expression(text, place_of(request, place.element(part)))
    for refusal in request.refuse_when:
        expressions.check_expression(refusal.condition, place_of(request, "refuse_when"))


def _table(request: Request, reading: Reading) -> Question:
    """The candidate is made of the model's title and of the datasets that hold what is derived from the sources."""
    title = re.sub(r"\W+", "_", (request.friendly_name or "").lower()).strip("_")
    families = {name.split(".")[1].removesuffix("_external").removesuffix("_stable") for name in reading.listed}
    datasets = sorted({name.split(".")[1] for name in reading.known_tables})
    fitting = [one for one in datasets if one.endswith("_derived") and one.removesuffix("_derived") in families]
    candidates = [f"{dataset}.{title}_v1" for dataset in fitting[:3]] if title and title[0].isalpha() else []
    return ask(request, "table", "What is the table called? Write dataset.name_v1.", candidates)


def _grain(request: Request, open_elements: set[str]) -> list[Question]:
    body, grain = request.body, request.grain
    if request.query is not None and grain is None:
        return []
    grouped = is_grouped(body)
    groups = group_keys(body) if body.columns else []
    candidates = (", ".join(groups),) if grouped and groups else ()
    if grain is None:
        return [ask(request, "grain", "What does one row mean: which columns identify it?", candidates)]
    if not body.columns:
        return []
    keys = keys_of(request)
    said = grain if isinstance(grain, str) else ", ".join(grain)
    named = [column.name for column in body.columns if not column.is_star]
    if keys.strange and (keys.names or grouped or isinstance(grain, tuple)):
        word = keys.strange[0]
        close = nearest(word.replace(" ", "_"), named) if isinstance(grain, tuple) else ()
        text = f"The grain “{said}” names `{word}`, which is no output column. Which columns identify a row?"
        return [ask(request, "grain", text, candidates or close or ((", ".join(keys.names),) if keys.names else ()))]
    if not grouped:
        return []
    aggregated = [key for key in keys.names if key not in groups]
    if aggregated:
        text = f"The grain “{said}” names `{aggregated[0]}`, which is an aggregate. Which columns identify a row?"
        return [ask(request, "grain", text, candidates)]
    # Of a column that is asked about anyway nobody knows yet whether it will be an aggregate.
    settled = [column for column in body.columns if f"columns.{column.name}" not in open_elements]
    varying = [column.name for column in settled if column.name in groups and not is_constant(column)]
    more = [name for name in varying if name not in keys.names and not expressions.has_window(_sql(request, name))]
    if more and not (isinstance(grain, str) and not keys.names and not keys.strange and not varying):
        text = (
            f"`{', '.join(more)}` {'is' if len(more) == 1 else 'are'} neither aggregated nor in the grain “{said}”. Which "
            "columns identify a row? (Otherwise aggregate it, for example with ANY_VALUE.)"
        )
        return [ask(request, "grain", text, candidates)]
    return []


def _sql(request: Request, name: str) -> str:
    return next(column.sql for column in request.body.columns if column.name == name)


def _partitioning(request: Request) -> list[Question]:
    told = request.partitioning
    names = [column.name for column in request.body.columns if not column.is_star]
    dates = [
        column.name
        for column in request.body.columns
        if _DATE.search(column.name) and column.type in (None, "DATE", "TIMESTAMP", "DATETIME")
    ]
    asked = []
    if told is None:
        text = "Does each run write one partition (incremental: which column?) or the whole table (full refresh)?"
        asked.append(ask(request, "partitioning", text, [*(f"daily on {name}" for name in dates[:2]), "full refresh"]))
    elif told.field is None and told.incremental and not told.ingestion_time and told.write in (None, "partition"):
        text = "By which column is the table partitioned?"
        asked.append(ask(request, "partitioning", text, [_words(told, name) for name in dates[:3]]))
    elif told.field and names and told.field.lower() not in {name.lower() for name in names}:
        text = f"The table is to be partitioned by `{told.field}`, which is no output column. Which one is meant?"
        close = dates[:3] or nearest(told.field, names)
        asked.append(ask(request, "partitioning", text, [_words(told, name) for name in close]))
    strange = [name for name in request.clustering if names and name.lower() not in {one.lower() for one in names}]
    for name in strange:
        text = f"The table is to be clustered by `{name}`, which is no output column. Which columns are meant?"
        asked.append(ask(request, "clustering", text, nearest(name, names)))
    if len(request.clustering) > _CLUSTERED:
        text = f"BigQuery clusters by at most {_CLUSTERED} columns. Which ones?"
        asked.append(ask(request, "clustering", text, (", ".join(request.clustering[:_CLUSTERED]),)))
    return asked


def _words(told: Partitioning, column: str) -> str:
    """The answer that keeps everything but the column."""
    kind = {"hour": "hourly", "month": "monthly", "year": "yearly"}.get(told.type or "day", "daily")
    return f"{'' if told.incremental else 'full refresh, '}{kind} on {column}"


def _schedule(request: Request, tools: Tools, rank_dags: RankDags | None) -> list[Question]:
    told = request.schedule
    if told is not None and told.none:
        return []
    try:
        known = [dag.name for dag in tools.catalog.dags()]
        if told is not None and told.dag and (told.dag in known or not known):
            return []
        ranked = list(rank_dags(request))[:3] if rank_dags else []
    except Unavailable:
        known, ranked = [], []
        if told is not None and told.dag:
            return []
    names = [*(name for name, _ in ranked), *(known if len(known) <= _FEW_DAGS else ())]
    evidence = "".join(f"\n  {name}: {why}" for name, why in ranked)
    if told is not None and told.dag:
        text = f"There is no DAG `{told.dag}`. Which one is meant?{evidence}"
        return [ask(request, "schedule", text, _three([*nearest(told.dag, known, 1), *names]))]
    if told is None or not (told.frequency or told.product):
        return [ask(request, "schedule", f"In which DAG does it run?{evidence}", _three(names))]
    if rank_dags and not ranked:
        hints = ", ".join(filter(None, (told.frequency, told.product)))
        return [
            ask(request, "schedule", f"No DAG can be found from “{hints}”. In which one does it run?", _three(names))
        ]
    return []


def _three(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))[:3]


def _examples(request: Request, reading: Reading) -> list[Question]:
    asked = []
    for example in request.examples:
        for name, rows in example.given.items():
            asked += _given(request, reading, example, name, rows)
        outputs = [column.name for column in request.body.columns if not column.is_star]
        if outputs and not any(column.is_star for column in request.body.columns):
            asked += _strange(request, f"The example “{example.name}” expects", example.expect, outputs)
        declared = (
            {parameter.name for parameter in request.parameters} | {"submission_date"} | set(parameters_used(request))
        )
        for name in example.parameters:
            if name not in declared:
                text = (
                    f"The example “{example.name}” sets the parameter `{name}`, which nothing uses. Which one is meant?"
                )
                asked.append(ask(request, "examples", text, nearest(name, declared)))
    return asked


def _given(request: Request, reading: Reading, example: Example, name: str, rows: tuple[Row, ...]) -> list[Question]:
    read = reading.listed | ({str(request.table)} if reading.is_own(str(request.table)) else set())
    if not request.query and not any(_covers(one, name) for one in read):
        text = f"The example “{example.name}” gives rows of `{name}`, which is no source. Which table is meant?"
        return [ask(request, "examples", text, nearest(name, read))]
    schema = reading.found(name) if "." in name and not reading.is_own(name) else None
    if not isinstance(schema, tuple):
        return []
    start = f"The example “{example.name}” gives `{name}`"
    return _strange(request, start, rows, [field.name for field in schema])


def _covers(source: str, name: str) -> bool:
    """Whether a source is this table, or a wildcard that holds it."""
    return source == name or (source.endswith("*") and name.startswith(source[:-1]))


def _strange(request: Request, start: str, rows: tuple[Row, ...], names: list[str]) -> list[Question]:
    """Fields of rows that do not exist."""
    known = {name.lower() for name in names} | {"_table_suffix", "_partitiontime", "_partitiondate"}
    used: dict[str, Cell] = {}
    for row in rows:
        used.update(row)
    return [
        ask(
            request,
            "examples",
            f"{start} a field `{key}`, which does not exist. Which one is meant?",
            nearest(key, names),
        )
        for key in used
        if key.lower() not in known
    ]


def _parameters(request: Request) -> list[Question]:
    declared = {parameter.name for parameter in request.parameters} | {"submission_date"}
    text = "Which type and value does the parameter `@{}` have? Write `TYPE value`."
    return [
        ask(request, f"parameters.{name}", text.format(name), ("DATE {{ds}}",))
        for name in parameters_used(request)
        if name not in declared
    ]


def _unclear(request: Request, asked: list[Question]) -> list[Question]:
    """What was said of an element in words that no rule understands, or twice and differently."""
    covered = {question.element for question in asked}
    found = []
    for prose in request.prose:
        element = prose.where.removesuffix(UNCLEAR)
        if element == prose.where:
            continue
        if element in covered or any(one.startswith(f"{element}.") for one in covered):
            continue
        text = f"What does “{prose.text}” mean for `{element}`?"
        at = f"{request.origin}:{prose.line}" if prose.line else request.origin
        found.append(Question(element, text, (), at))
    return found


__all__ = ["RankDags", "check_expressions", "questions"]
