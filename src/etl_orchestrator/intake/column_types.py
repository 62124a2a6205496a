"""The types of output columns, as far as the analyzer can tell them before there is a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from etl_orchestrator.errors import EngineError, InvalidInput
from etl_orchestrator.intake.reading import Place, Reading, subquery_only
from etl_orchestrator.requirements import Column, Source
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import Field, Schema, TableRef

#: Where steps pretend to be tables for the analyzer.
_STEPS = ("steps-of-this-model", "steps")
#: Expressions asked one by one when they cannot be asked together.
_MOST = 12


class ColumnTypes:
    """Asks the analyzer about expressions over the FROM of their SELECT: those that aggregate together, the others
    together, so that no grouping is needed. What it cannot tell has no type; nothing is guessed."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._steps: dict[str, Schema | None] = {}
        parameters = {parameter.name: parameter.type for parameter in reading.request.parameters}
        self._parameters = {"submission_date": "DATE", **parameters}

    def of(self, place: Place, columns: Sequence[Column]) -> dict[str, Field]:
        """The fields of these columns of a SELECT, by name; a column without an expression has the type of its source."""
        found: dict[str, Field] = {}
        asked: list[Column] = []
        for column in columns:
            if column.expression is not None:
                asked.append(column)
            elif field := self._reading.copied(place, column.name):
                found[column.name] = field
        if not asked or place.body.union:
            return found
        origin = self._from(place)
        if origin is None:
            return found
        for aggregated in (False, True):
            group = [column for column in asked if expressions.is_aggregate(column.sql) is aggregated]
            found.update(self._told(group, *origin))
        return found

    def _told(self, columns: Sequence[Column], from_: str, schemas: dict[TableRef, Schema]) -> dict[str, Field]:
        if not columns:
            return {}
        together = self._analyzed([column.sql for column in columns], from_, schemas)
        if together is not None:
            return {column.name: field for column, field in zip(columns, together, strict=True)}
        found = {}
        for column in columns[:_MOST] if len(columns) > 1 else ():
            alone = self._analyzed([column.sql], from_, schemas)
            if alone is not None:
                found[column.name] = alone[0]
        return found

    def _analyzed(self, texts: list[str], from_: str, schemas: dict[TableRef, Schema]) -> Schema | None:
        # Each on lines of its own, so that a comment in one cannot swallow the next.
        selected = ",\n".join(f"(\n{text}\n) AS c{number}" for number, text in enumerate(texts))
        used = {name for text in (*texts, from_) for name in expressions.parameters(text)}
        if not used <= set(self._parameters):
            return None
        parameters = {name: self._parameters[name] for name in sorted(used)}
        try:
            analysis = self._reading.tools.analyzer.analyze(f"SELECT\n{selected}\n{from_}", schemas, parameters)
        except (EngineError, InvalidInput):
            return None
        if analysis.problem is not None or len(analysis.columns) != len(texts):
            return None
        return analysis.columns

    def _from(self, place: Place) -> tuple[str, dict[TableRef, Schema]] | None:
        """FROM with all sources side by side, and their schemas; None when one is not known."""
        schemas: dict[TableRef, Schema] = {}
        parts: list[str] = []
        skipped = subquery_only(self._reading.request, place)
        for number, source in enumerate(place.body.sources):
            if number in skipped:
                continue
            if source.unnest is not None:
                offset = f" WITH OFFSET AS `{source.offset}`" if source.offset else ""
                parts.append(f"UNNEST({source.unnest}) AS `{source.alias}`{offset}")
                continue
            table, schema = self._table(source)
            if schema is None:
                return None
            schemas[table] = schema
            parts.append(f"`{table}` AS `{source.alias}`")
        for name in self._reading.listed:
            known = self._reading.found(name)
            if isinstance(known, tuple):
                schemas.setdefault(TableRef.parse(name), known)
        return ("FROM " + "\nCROSS JOIN ".join(parts) if parts else ""), schemas

    def _table(self, source: Source) -> tuple[TableRef, Schema | None]:
        name = source.table or ""
        if source.is_step:
            return TableRef(*_STEPS, name), self._step(name)
        if self._reading.is_own(name):
            return TableRef.parse(name), None
        schema = source.schema or self._reading.found(name)
        return TableRef.parse(name), schema if isinstance(schema, tuple) else None

    def _step(self, name: str) -> Schema | None:
        """The schema of a step, None when any of its columns is not known."""
        if name not in self._steps:
            self._steps[name] = None  # a step that reads itself has none
            place = next((one for one in self._reading.places if one.where == f"steps.{name}"), None)
            self._steps[name] = self._outputs(place) if place else None
        return self._steps[name]

    def _outputs(self, place: Place) -> Schema | None:
        body = place.body
        if body.union:
            schemas = [self._step(name) for name in body.union]
            return schemas[0] if schemas and all(_alike(schemas[0], other) for other in schemas) else None
        if any(column.is_star for column in body.columns):
            return self._starred(place)
        told = self.of(place, body.columns)
        fields = [replace(told[column.name], name=column.name) for column in body.columns if column.name in told]
        return tuple(fields) if len(fields) == len(body.columns) else None

    def _starred(self, place: Place) -> Schema | None:
        """The schema of a step whose only column is a star."""
        if len(place.body.columns) != 1:
            return None
        offer = self._reading.columns_of(Source("step", place.where.split(".")[1]), {}, _behind(place))
        if offer is None or any(field is None for field in offer.values()):
            return None
        return tuple(field for field in offer.values() if field is not None)


def _behind(place: Place) -> Place:
    """A place that may read this step."""
    return Place("", place.body, (*place.before, place.where.split(".")[1]))


def _alike(one: Schema | None, other: Schema | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    return all(
        (a.type, a.mode == "REPEATED") == (b.type, b.mode == "REPEATED") for a, b in zip(one, other, strict=True)
    )
