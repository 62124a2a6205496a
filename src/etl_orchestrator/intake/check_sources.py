"""Questions about sources: which table, how joined, what a subquery reads."""

from __future__ import annotations

from collections.abc import Sequence

from etl_orchestrator.errors import EngineError, InvalidInput, Unavailable
from etl_orchestrator.intake.asking import ask
from etl_orchestrator.intake.elements import JOINS
from etl_orchestrator.intake.reading import Place, Reading, subquery_only, texts, without_jinja
from etl_orchestrator.requirements import Question, Request, Source
from etl_orchestrator.sql import expressions
from etl_orchestrator.sql.near_names import nearest
from etl_orchestrator.sql.templates import has_template, render
from etl_orchestrator.table import TableRef


def source_questions(request: Request, reading: Reading) -> list[Question]:
    """All questions about sources of all SELECTs."""
    if request.query is not None:
        return _adopted(request, reading)
    body = request.body
    if not body.sources and not body.union and request.python is None and not _stands_alone(request):
        return [ask(request, "sources", "Which tables does it read? Name each as dataset.table.")]
    asked = _twice(request, [step.name for step in request.steps], "steps", "step")
    for place in reading.places:
        skipped = subquery_only(request, place)
        for number, source in enumerate(place.body.sources):
            asked += _table(request, reading, place, number, source)
            if number in skipped:
                asked += _filter_of_subquery(request, place, number, source)
            elif request.python is None:
                asked += _join(request, reading, place, number, source)
        aliases = [source.alias for n, source in enumerate(place.body.sources) if n not in skipped]
        asked += _twice(request, aliases, place.element("sources"), "source", "alias")
        asked += _union(request, reading, place)
        for text in texts(place.body):
            asked += _unlisted(request, reading, place, text)
    for refusal in request.refuse_when:
        asked += _unlisted(request, reading, reading.place(""), refusal.condition)
    return asked


def _stands_alone(request: Request) -> bool:
    """Whether every column is given by an expression that reads no row: literals, parameters, subqueries."""
    columns = request.body.columns
    return bool(columns) and all(
        column.expression
        and expressions.parsed(column.expression) is not None
        and not expressions.columns(column.expression)
        for column in columns
    )


def _twice(request: Request, names: list[str], element: str, what: str, part: str = "name") -> list[Question]:
    """A question for every name that is taken."""
    asked = []
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name.lower() in seen:
            text = f"Two {what}s are called `{name}`. What is the {part} of the second one?"
            key = element if element == "steps" else f"{element}.{number}.{part}"
            asked.append(ask(request, key, text))
        seen.add(name.lower())
    return asked


def _table(request: Request, reading: Reading, place: Place, number: int, source: Source) -> list[Question]:
    element = place.element(f"sources.{number}.table")
    if source.table is None or source.schema is not None or reading.is_own(source.table):
        return []
    if source.is_step:
        if source.table in place.before:
            return []
        later = source.table in {step.name for step in request.steps}
        itself = place.where.split(".")[1:2] == [source.table]
        why = "is neither dataset.table nor an earlier step"
        if later:
            why = "is that step itself" if itself else "is a step that is defined only later"
        candidates = place.before[::-1][:3] if later else nearest(source.table, [*place.before, *reading.known_tables])
        return [ask(request, element, f"`{source.table}`{place.words} {why}. Which one is meant?", candidates)]
    return _known(request, reading, element, source.table)


def _known(request: Request, reading: Reading, element: str, table: str) -> list[Question]:
    """Nothing when the schema of the table is known."""
    found = reading.found(table)
    if isinstance(found, tuple):
        return []
    exists = table in reading.known_tables
    if isinstance(found, Unavailable) or exists:
        why = found.message if isinstance(found, Unavailable) else "it stands in the repository without a schema"
        part = element.removesuffix(".table") + ".schema"
        return [ask(request, part, f"Which columns does `{table}` have? ({why}) Write `name TYPE, name TYPE`.")]
    text = f"No table `{table}` is known. Which one is meant?"
    return [ask(request, element, text, nearest(table, reading.known_tables))]


def _join(request: Request, reading: Reading, place: Place, number: int, source: Source) -> list[Question]:
    element = place.element(f"sources.{number}")
    asked: list[Question] = []
    if number == 0:
        if source.join or source.on:
            text = (
                f"`{source.alias}` is the first source{place.words} and cannot be joined. Which source comes before it?"
            )
            asked.append(ask(request, f"{element}.{'join' if source.join else 'on'}", text, ("none",)))
        return asked
    if source.join is None:
        rows = "rows whose array is empty" if source.unnest else "rows without a match"
        text = f"How is `{source.alias}` joined{place.words}: do {rows} stay (LEFT) or go ({'CROSS' if source.unnest else 'INNER'})?"
        asked.append(ask(request, f"{element}.join", text, ("LEFT", "CROSS") if source.unnest else JOINS))
    if source.join == "CROSS" and source.on:
        text = f"`{source.alias}` is joined by CROSS and yet on a condition. Which kind of join is meant?"
        asked.append(ask(request, f"{element}.join", text, JOINS[:-1]))
    if source.on is None and source.unnest is None and source.join != "CROSS":
        text = f"On which condition is `{source.alias}` joined{place.words}?"
        asked.append(ask(request, f"{element}.on", text, reading.keys_shared(place, number)))
    return asked


def _filter_of_subquery(request: Request, place: Place, number: int, source: Source) -> list[Question]:
    if source.filter is None:
        return []
    text = (
        f"`{source.table}` is read in a subquery only, so its filter `{source.filter}` has to stand there. Is it joined as "
        "well (how?), or does the filter go?"
    )
    return [ask(request, place.element(f"sources.{number}.filter"), text, ("none",))]


def _union(request: Request, reading: Reading, place: Place) -> list[Question]:
    union, element = place.body.union, place.element("union")
    asked = []
    for name in union:
        if name not in place.before:
            text = f"The union{place.words} names `{name}`, which is no earlier step. Which one is meant?"
            asked.append(ask(request, element, text, nearest(name, place.before)))
    if union and place.body.sources:
        asked.append(
            ask(request, element, f"The SELECT{place.words} is a union and has sources too. Which of them counts?")
        )
    if asked or not union:
        return asked
    names = {name: reading.columns_of(Source(name, name), {}, place) for name in union}
    first = names[union[0]]
    for name in union[1:]:
        other = names[name]
        if first is not None and other is not None and list(first) != list(other):
            different = sorted(set(first) ^ set(other)) or ["their order"]
            text = f"`{union[0]}` and `{name}` are put together by position but differ in {', '.join(different)}. Which is right?"
            asked.append(ask(request, f"steps.{name}.columns", text))
    return asked


def _unlisted(request: Request, reading: Reading, place: Place, text: str) -> list[Question]:
    """Tables that subqueries of an expression read and no source names."""
    aliases = {source.alias.lower() for source in place.body.sources}
    arrays = {name for offer in reading.offers(place).values() for name in offer or ()}
    steps = {step.name.lower() for step in request.steps}
    asked = []
    for name in expressions.subquery_tables(text):
        first, _, rest = name.lower().partition(".")
        if first in aliases and rest and name.count(".") < 2:
            continue  # an array of a source: FROM rides.segments
        if not rest and (first in steps or first in arrays):
            continue
        if _is_listed(reading, name):
            continue
        if not rest:
            words = f"A subquery{place.words} reads `{name}`, which is neither dataset.table nor a step. Which one is meant?"
            asked.append(
                ask(request, "sources", words, nearest(name, [*(s.name for s in request.steps), *reading.listed]))
            )
            continue
        words = f"A subquery{place.words} reads `{name}`, which is not among the sources. Is it to be one of them?"
        asked.append(
            ask(request, place.element("sources"), words, (name,) if reading.found(_full(reading, name)) else ())
        )
    return asked


def _full(reading: Reading, name: str) -> str:
    try:
        return str(TableRef.parse(name, reading.project))
    except InvalidInput as error:
        raise InvalidInput(error.message, at=reading.request.origin, fix=error.fix) from None


def _is_listed(reading: Reading, name: str) -> bool:
    return "." in name and (_full(reading, name) in reading.listed or reading.is_own(_full(reading, name)))


def renderings(request: Request, reading: Reading) -> tuple[str, ...]:
    """The SQL of an adopted query: its template as in a usual run, and as in the very first one where that differs.

    Raises InvalidInput for a template that is malformed; of one that cannot be rendered here the Jinja is blanked."""
    query = request.query
    if query is None:
        return ()
    if not has_template(query.text):
        return (query.text,)
    try:
        found = [
            render(query.text, reading.tools.catalog.text, is_init=first, at=query.origin) for first in (False, True)
        ]
    except Unavailable:
        return (without_jinja(query.text),)
    return tuple(dict.fromkeys(found))


def tables_of_query(request: Request, reading: Reading) -> tuple[TableRef, ...]:
    """The tables that an adopted query reads, in either rendering. Raises InvalidInput for one that does not parse."""
    found: dict[TableRef, None] = {}
    for sql in renderings(request, reading):
        for name in _references(request, reading, sql):
            if isinstance(name, TableRef):
                found[name] = None
            elif name.count(".") in (1, 2):
                found[TableRef.parse(name, reading.project)] = None
    return tuple(sorted(found))


def _references(request: Request, reading: Reading, sql: str) -> Sequence[TableRef | str]:
    try:
        return reading.tools.analyzer.references(sql)
    except InvalidInput as error:
        origin = request.query.origin if request.query else ""
        at = request.origin if origin == "inline" else origin
        raise InvalidInput(f"the query does not parse: {error.message}", at=at, fix=error.fix) from None
    except EngineError:
        return expressions.tables_read(sql)


def _adopted(request: Request, reading: Reading) -> list[Question]:
    """An adopted query: its tables are known, and where sources are listed, they are all listed."""
    asked = []
    for number, source in enumerate(request.body.sources):
        if source.table and not source.is_step and source.schema is None and not reading.is_own(source.table):
            asked += _known(request, reading, f"sources.{number}.table", source.table)
    for table in tables_of_query(request, reading):
        name = str(table)
        if name in reading.listed or reading.is_own(name):
            continue
        if reading.listed:
            text = f"The query reads `{name}`, which is not among the sources. Is it to be one of them?"
            asked.append(ask(request, "sources", text, (name,)))
        elif not isinstance(reading.found(name), tuple):
            text = f"The query reads `{name}`, whose schema is not known. List it with `schema:` under sources."
            asked.append(ask(request, "sources", text, nearest(name, reading.known_tables)))
    return asked
