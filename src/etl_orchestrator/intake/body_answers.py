"""Answers about one SELECT: its sources, columns and conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements, phrases, sql_block, yaml_text
from etl_orchestrator.requirements import Body, Column, Source
from etl_orchestrator.sql import scan
from etl_orchestrator.table import Schema

BODY_ELEMENTS = ("sources", "columns", "where", "having", "qualify", "distinct", "union")
_SOURCE_PARTS = ("table", "alias", "join", "on", "filter", "unnest", "offset", "schema", "notes", "matches")
_COLUMN_PARTS = ("expression", "name", "description", "type", "mode", "notes")


def body_with(body: Body, path: Sequence[str], text: str, project: str, at: str) -> Body:
    """The body with one element changed. Raises InvalidInput for an element that it does not have."""
    first, rest = path[0], list(path[1:])
    if first == "sources":
        return _source_part(body, rest, text, project, at) if rest else _sources(body, text, project, at)
    if first == "columns":
        return _column_part(body, rest, text, at) if rest else _columns(body, text, at)
    if first in ("where", "having", "qualify") and not rest:
        return replace(body, **{first: _expression(text, at)})  # type: ignore[arg-type]
    if first == "distinct" and not rest:
        return replace(body, distinct=text.lower() in ("true", "yes", "distinct"))
    if first == "union" and not rest:
        return replace(body, union=phrases.names(text, "step", at))
    raise InvalidInput(f"there is no element `{'.'.join(path)}`", at=at, fix=elements.suggestion(first, BODY_ELEMENTS))


def _expression(text: str, at: str) -> str | None:
    bare = text.strip()
    if bare.startswith("`") and bare.endswith("`") and bare.count("`") == 2 and not re.fullmatch(r"`[\w.-]+`", bare):
        bare = bare[1:-1]
    return None if bare.lower() in ("", "none", "-") else elements.expression(bare, at)


def _sources(body: Body, text: str, project: str, at: str) -> Body:
    """Sources by table: known ones are replaced, others added behind."""
    found = list(body.sources)
    parts = _source_texts(text)
    for part in parts:
        told = elements.source(part, project or None, at)
        place = next((n for n, one in enumerate(found) if told.table == one.table), None)
        if place is None:
            found.append(told)
        else:
            old = found[place]
            found[place] = replace(
                old, filter=told.filter or old.filter, join=told.join or old.join, on=told.on or old.on
            )
    if not parts:
        raise InvalidInput("the answer names no source", at=at, fix="write dataset.table AS alias")
    return replace(body, sources=tuple(found))


def _source_texts(text: str) -> list[str]:
    """The sources between semicolons, lines or, where they are bare names, commas."""
    parts = [part.strip() for part in re.split(r";|\n", text) if part.strip()]
    if len(parts) == 1 and re.fullmatch(
        r"[\w.`*-]+(?:\s+(?:as\s+)?\w+)?(?:\s*,\s*[\w.`*-]+(?:\s+(?:as\s+)?\w+)?)*", parts[0], re.I
    ):
        parts = [part.strip() for part in parts[0].split(",")]
    return parts


def _place(items: Sequence[str], reference: str, what: str, at: str) -> int:
    """The number of a source or column by number or name."""
    if reference.isdigit() and int(reference) < len(items):
        return int(reference)
    for number, name in enumerate(items):
        if name.lower() == reference.lower():
            return number
    raise InvalidInput(
        f"there is no {what} `{reference}`", at=at, fix=elements.suggestion(reference, items) if items else None
    )


def _source_part(body: Body, rest: list[str], text: str, project: str, at: str) -> Body:
    place = _place([source.alias for source in body.sources], rest[0], "source", at)
    part = rest[1] if len(rest) > 1 else "table"
    if part not in _SOURCE_PARTS or len(rest) > 2:
        raise InvalidInput(f"a source has no `{part}`", at=at, fix=elements.suggestion(part, _SOURCE_PARTS))
    new = _source_with(body.sources[place], part, text, project, at)
    return replace(body, sources=(*body.sources[:place], new, *body.sources[place + 1 :]))


def _source_with(source: Source, part: str, text: str, project: str, at: str) -> Source:
    nothing = text.strip().lower() in ("", "none", "-")
    if part == "table":
        return replace(source, table=elements.table_or_step(text, project or None, at), unnest=None)
    if part in ("alias", "offset"):
        return replace(source, **{part: elements.name(text, part, at)})  # type: ignore[arg-type]
    if part == "join":
        return replace(source, join=None if nothing else elements.join(text, at))
    if part == "on":
        return replace(source, on=None if nothing else elements.on(text, at))
    if part == "matches":
        return replace(source, matches=elements.matches(text, at))
    if part == "schema":
        return replace(source, schema=_schema(text, project, at))
    if part == "notes":
        return replace(source, notes=text or None)
    if part == "unnest":
        return replace(source, unnest=_expression(text, at), table=None)
    return replace(source, filter=_expression(text, at))


def _schema(text: str, project: str, at: str) -> Schema:
    """`name TYPE, name TYPE`, or the YAML of a schema."""
    if not re.match(r"\s*[-\[{]", text):
        return elements.schema(text, at)
    from etl_orchestrator.intake.yaml_form import Reader, validated
    from etl_orchestrator.intake.yaml_keys import SourceKeys

    document = yaml_text.read(text, at)
    keys = validated(SourceKeys, {"table": "given", "schema": document.value}, document, ("sources", 0))
    return Reader(document, project).schema(keys.schema_ or [], ())


def _columns(body: Body, text: str, at: str) -> Body:
    """Columns as in a SELECT list: known ones are replaced, others added behind."""
    found = list(body.columns)
    for part in scan.split(text):
        told = sql_block.column(part, at)
        place = next((n for n, one in enumerate(found) if one.name.lower() == told.name.lower()), None)
        if place is None:
            found.append(told)
        else:
            found[place] = replace(found[place], expression=told.expression)
    return replace(body, columns=tuple(found))


def _column_part(body: Body, rest: list[str], text: str, at: str) -> Body:
    place = _place([column.name for column in body.columns], rest[0], "column", at)
    part = rest[1] if len(rest) > 1 else "expression"
    if len(rest) == 1 and (told := re.match(r"type:?\s+(?!=)", text, re.IGNORECASE)):
        part, text = "type", text[told.end() :]  # `type INTEGER`: no expression begins so
    if part not in _COLUMN_PARTS or len(rest) > 2:
        raise InvalidInput(f"a column has no `{part}`", at=at, fix=elements.suggestion(part, _COLUMN_PARTS))
    new = _column_with(body.columns[place], part, text, at)
    return replace(body, columns=(*body.columns[:place], new, *body.columns[place + 1 :]))


def _column_with(column: Column, part: str, text: str, at: str) -> Column:
    if part == "expression":
        return replace(column, expression=_expression(text, at))
    if part == "name":
        return replace(column, name=elements.name(text, "column", at))
    if part == "type":
        if text.lower() in ("", "none"):
            return replace(column, type=None, mode=None)
        return elements.typed(replace(column, type=None, mode=None), text.strip("`"), None, at)
    if part == "mode":
        return elements.typed(column, column.type, text, at)
    return replace(column, **{part: text or None})  # type: ignore[arg-type]
