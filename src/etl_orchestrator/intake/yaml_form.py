"""The YAML form of the requirements: text to `Request`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import ValidationError

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements, yaml_faults, yaml_text
from etl_orchestrator.intake.yaml_keys import (
    SCHEDULING,
    BodyKeys,
    ColumnKeys,
    ExampleKeys,
    Keys,
    PartitioningKeys,
    RequirementsKeys,
    ScheduleKeys,
    SchemaFieldKeys,
    SourceKeys,
    StepKeys,
)
from etl_orchestrator.intake.yaml_text import Document, Path
from etl_orchestrator.requirements import (
    Body,
    Column,
    Example,
    Partitioning,
    Prose,
    Query,
    RefuseWhen,
    Request,
    Schedule,
    Source,
    Step,
)
from etl_orchestrator.sql.expressions import check_star
from etl_orchestrator.table import Field, Schema

Model = TypeVar("Model", bound=Keys)

PARTITION_TYPES = ("hour", "day", "month", "year")
WRITES = ("partition", "table", "append")
FREQUENCIES = ("hourly", "daily", "weekly", "monthly")


def read_yaml(text: str, origin: str, digest: str, project: str, read_query: Callable[[str, str], Query]) -> Request:
    """The request that a YAML text makes. `read_query(text, at)` reads the file that `query:` names.

    Raises InvalidInput for everything that is malformed, unknown or unsafe; what is missing stays open."""
    document = yaml_text.read(text, origin)
    if not isinstance(document.value, dict):
        raise InvalidInput("the file holds no keys", at=document.at(), fix="begin with `table: dataset.name_v1`")
    try:
        keys = RequirementsKeys.model_validate(document.value)
    except ValidationError as error:
        raise yaml_faults.refusal(error, document) from None
    return Reader(document, project).request(keys, digest, read_query)


class Reader:
    """Turns validated keys into the nouns, each with its place in the document."""

    def __init__(self, document: Document, project: str) -> None:
        self.document = document
        self.project = project
        self.at = document.at

    def request(self, keys: RequirementsKeys, digest: str, read_query: Callable[[str, str], Query]) -> Request:
        partitioning, prose = self.partitioning(keys.partitioning)
        return Request(
            origin=self.document.origin,
            digest=digest,
            table=elements.table(keys.table, self.project, self.at(("table",))) if keys.table else None,
            friendly_name=keys.friendly_name,
            description=keys.description and keys.description.strip(),
            grain=tuple(keys.grain) if isinstance(keys.grain, list) else keys.grain,
            body=self.body(keys, ()),
            steps=tuple(self.step(step, ("steps", number)) for number, step in enumerate(keys.steps)),
            on_init=self.body(keys.on_init, ("on_init",), in_step=True) if keys.on_init else None,
            query=read_query(keys.query, self.at(("query",))) if keys.query else None,
            python=keys.python,
            partitioning=partitioning,
            clustering=tuple(elements.name(name, "column", self.at(("clustering",))) for name in keys.clustering),
            schedule=self.schedule(keys.schedule),
            owners=tuple(keys.owners),
            tier=elements.tier(keys.tier, self.at(("tier",))),
            consumers=tuple(keys.consumers),
            monitoring=self._monitoring(keys),
            labels=keys.labels,
            examples=self.examples(keys.examples, ("examples",)),
            parameters=tuple(
                elements.parameter(one.name, one.type, one.value, self.at(("parameters", number)))
                for number, one in enumerate(keys.parameters)
            ),
            refuse_when=tuple(
                RefuseWhen(self._expression(one.condition, ("refuse_when", number, "condition")) or "TRUE", one.message)
                for number, one in enumerate(keys.refuse_when)
            ),
            notes=keys.notes,
            prose=prose,
            lines=self._lines(),
            project=self.project,
        )

    def _monitoring(self, keys: RequirementsKeys) -> str | tuple[dict[str, object], ...]:
        if isinstance(keys.monitoring, list):
            return tuple(keys.monitoring)
        return (
            elements.choice(keys.monitoring, ("auto", "none"), "way of monitoring", self.at(("monitoring",))) or "auto"
        )

    def body(self, keys: BodyKeys, path: Path, in_step: bool = False) -> Body:
        union = tuple(keys.union)
        if isinstance(keys.union_distinct, list):
            if union:
                raise InvalidInput(
                    "`union` and `union_distinct` both name steps", at=self.at((*path, "union_distinct"))
                )
            union = tuple(keys.union_distinct)
        sources = tuple(self.source(one, (*path, "sources", number)) for number, one in enumerate(keys.sources))
        return Body(
            sources=tuple(_spoken_of(source, one, keys) for source, one in zip(sources, keys.sources, strict=True)),
            columns=tuple(self.column(one, (*path, "columns", n), in_step) for n, one in enumerate(keys.columns)),
            where=self._expression(keys.where, (*path, "where")),
            distinct=keys.distinct,
            having=self._expression(keys.having, (*path, "having")),
            qualify=self._expression(keys.qualify, (*path, "qualify")),
            union=tuple(elements.name(name, "step", self.at((*path, "union"))) for name in union),
            union_distinct=bool(keys.union_distinct),
        )

    def step(self, keys: StepKeys, path: Path) -> Step:
        first = self.body(keys.on_init, (*path, "on_init"), in_step=True) if keys.on_init else None
        return Step(
            elements.name(keys.name, "step", self.at(path)), self.body(keys, path, in_step=True), first, keys.notes
        )

    def source(self, keys: SourceKeys, path: Path) -> Source:
        at = self.at(path)
        if bool(keys.table) == bool(keys.unnest):
            raise InvalidInput("a source is either a `table` or an `unnest`", at=at, fix="give exactly one of them")
        if keys.unnest and not keys.alias:
            raise InvalidInput("an `unnest` needs an `alias`", at=at, fix="name its elements: `alias: event`")
        full = elements.table_or_step(keys.table, self.project, self.at((*path, "table"))) if keys.table else None
        alias = elements.name(keys.alias or elements.default_alias(full or ""), "alias", self.at((*path, "alias")))
        return Source(
            alias=alias,
            table=full,
            unnest=self._expression(keys.unnest, (*path, "unnest")),
            offset=elements.name(keys.offset, "column", self.at((*path, "offset"))) if keys.offset else None,
            filter=self._expression(keys.filter, (*path, "filter")),
            join=elements.join(keys.join, self.at((*path, "join"))),
            on=elements.on(keys.on, self.at((*path, "on"))),
            matches=elements.matches(keys.matches, self.at((*path, "matches"))),
            schema=self.schema(keys.schema_, (*path, "schema")) if keys.schema_ else None,
            notes=keys.notes,
        )

    def schema(self, keys: Sequence[SchemaFieldKeys], path: Path) -> Schema:
        fields = []
        for number, one in enumerate(keys):
            here = (*path, number)
            at = self.at(here)
            told = elements.field(one.type, at, elements.name(one.name, "column", at), one.mode)
            parts = self.schema(one.fields, (*here, "fields")) if one.fields else told.fields
            fields.append(Field(told.name, told.type, told.mode, one.description, parts))
        return elements.unique_fields(tuple(fields), self.at(path))

    def column(self, keys: ColumnKeys, path: Path, in_step: bool) -> Column:
        at = self.at(path)
        if "*" in keys.name:
            star = keys.expression or keys.name
            if not in_step:
                raise InvalidInput("a star stands in steps only", at=at, fix="name the columns of the table one by one")
            check_star(star, at)
            return Column("*", star, notes=keys.notes)
        place = (*path, "expression")
        bare = Column(
            elements.name(keys.name, "column", at),
            expression=self._expression(keys.expression, place)
            or ("NULL" if place in self.document.capital_nulls else None),
            description=keys.description and keys.description.strip(),
            fields=tuple(self.column(one, (*path, "fields", n), False) for n, one in enumerate(keys.fields)),
            notes=keys.notes,
        )
        return elements.typed(bare, keys.type, keys.mode, self.at((*path, "type")))

    def partitioning(self, keys: PartitioningKeys | None) -> tuple[Partitioning | None, tuple[Prose, ...]]:
        """Without a word on incremental or not it stays open, and what was said is kept for the question."""
        if keys is None:
            return None, ()
        at = self.at(("partitioning",))
        type_ = elements.choice(keys.type, PARTITION_TYPES, "type of partitioning", self.at(("partitioning", "type")))
        field = elements.name(keys.field, "column", self.at(("partitioning", "field"))) if keys.field else None
        write = elements.choice(keys.write, WRITES, "way of writing", self.at(("partitioning", "write")))
        if keys.incremental is None:
            told = ", ".join(f"{key}: {value}" for key, value in keys.model_dump(exclude_defaults=True).items())
            return None, (Prose("partitioning: unclear", told, int(at.rsplit(":", 1)[-1])),)
        days, required = keys.expiration_days, keys.require_filter
        return Partitioning(keys.incremental, field, type_, days, required, write, keys.ingestion_time), ()

    def schedule(self, keys: ScheduleKeys | None) -> Schedule | None:
        if keys is None:
            return None
        options = {key: yaml_text.native(value) for key, value in (keys.model_extra or {}).items()}
        dag = keys.dag
        if "dag_name" in options:  # what the repository calls it
            dag = dag or str(options.pop("dag_name"))
        for key in options:
            if key not in SCHEDULING:
                known = (*ScheduleKeys.model_fields, *SCHEDULING)
                raise yaml_faults.unknown_key(key, known, self.at(("schedule", key)))
        frequency = elements.choice(keys.frequency, FREQUENCIES, "frequency", self.at(("schedule", "frequency")))
        return Schedule(dag, frequency, keys.product, keys.none, options)

    def examples(self, keys: Sequence[ExampleKeys], path: Path) -> tuple[Example, ...]:
        found = []
        for number, one in enumerate(keys):
            given = {
                self._given_name(name, (*path, number, "given", name)): tuple(rows or ())
                for name, rows in one.given.items()
            }
            parameters = {name: str(value) for name, value in one.parameters.items()}
            found.append(
                Example(one.name or f"example {number + 1}", given, tuple(one.expect), parameters, one.ordered)
            )
        return tuple(found)

    def _given_name(self, name: str, path: Path) -> str:
        """The full name of a table; an alias or step stays as it is, the check will ask about it."""
        return elements.table_or_step(name, self.project, self.at(path))

    def _expression(self, text: str | None, path: Path) -> str | None:
        return elements.expression(text, self.at(path))

    def _lines(self) -> dict[str, int]:
        """The line of every element; steps and columns by number and by name."""
        found: dict[str, int] = {}
        for path, line in self.document.lines.items():
            if not path or (path[0] == "examples" and len(path) > 2):
                continue
            found[".".join(map(str, path))] = line
            found.setdefault(".".join(self._named(path)), line)
        return found

    def _named(self, path: Path) -> list[str]:
        """The path with the names of steps and columns instead of their numbers."""
        words: list[str] = []
        value = self.document.value
        for part in path:
            value = value[part] if isinstance(value, list | dict) else None  # type: ignore[index]
            by_name = isinstance(part, int) and words and words[-1] in ("steps", "columns", "fields")
            name = value.get("name") if by_name and isinstance(value, dict) else None
            words.append(str(name or part))
        return words


def _spoken_of(source: Source, keys: SourceKeys, body: BodyKeys) -> Source:
    """A source without an alias, under the whole name of its table where the expressions call it so."""
    if keys.alias or not source.table:
        return source
    whole = source.table.rsplit(".", 1)[-1]
    texts = [body.where, body.having, body.qualify, *(column.expression for column in body.columns)]
    texts += [text for one in body.sources for text in (one.filter, one.on, one.unnest)]
    spoken = any(text and re.search(rf"(?<![\w.`]){re.escape(whole)}`?\s*\.", text) for text in texts)
    return replace(source, alias=whole) if spoken else source


def validated(model: type[Model], value: yaml_text.Value, document: Document, under: Path) -> Model:
    """A part of the form that stands in a document of its own (a fenced block)."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise yaml_faults.refusal(error, document, under) from None
