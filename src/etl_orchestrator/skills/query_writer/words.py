"""Columns whose logic is given only in words: an author is asked for the expression, a rule judges its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.requirements import Body, Column, Requirements
from etl_orchestrator.skills.query_writer.scope import Columns, columns_of
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import Schema
from etl_orchestrator.tools import Author, Task


def with_expressions(
    requirements: Requirements, schemas: Mapping[str, Schema], author: Author, kept: Mapping[str, str]
) -> tuple[Requirements, dict[str, str]]:
    """The requirements with the author's expressions, and these by column. `kept` are those of an earlier visit, used
    again so that a return does not ask twice. What the author leaves open, or writes unreadably, stays open."""
    if requirements.request.query is not None:
        return requirements, {}
    written: dict[str, str] = {}
    columns = []
    for column in requirements.body.columns:
        if _only_words(column, requirements.body, schemas):
            text = kept.get(column.name) or _asked(column, requirements, schemas, author)
            if text:
                written[column.name] = text
                column = replace(column, expression=text)
        columns.append(column)
    return replace(requirements, body=replace(requirements.body, columns=tuple(columns))), written


def _only_words(column: Column, body: Body, schemas: Mapping[str, Schema]) -> bool:
    if column.expression is not None or column.is_star or not (column.notes or column.description):
        return False
    offered: list[Columns] = [
        columns_of(schemas[source.table]) if source.table and source.table in schemas else None
        for source in body.sources
    ]
    return bool(body.sources) and not any(known is None or column.name.lower() in known for known in offered)


def _asked(column: Column, requirements: Requirements, schemas: Mapping[str, Schema], author: Author) -> str | None:
    aliases = {source.table: source.alias for source in requirements.body.sources if source.table}
    fields = "\n".join(
        f"{aliases.get(table, table)}.{field.name} {field.type} {field.mode}"
        for table, schema in sorted(schemas.items())
        for field in schema
    )
    words = column.notes or column.description or ""
    task = Task(
        "expression",
        f"One GoogleSQL expression for the column `{column.name}`: {words}",
        {"column": column.name, "words": words, "type": column.type or "", "fields": fields},
    )
    text = author.write(task)
    if text is None:
        return None
    try:
        expressions.check_expression(text, column.name)
    except InvalidInput:
        return None
    return text.strip()
