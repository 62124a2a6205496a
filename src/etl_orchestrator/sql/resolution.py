"""What the names in a SQL text stand for: the schema of every table, the body of every routine.

A view is what its view.sql gives, not what a schema.yaml beside it says; a table is what its schema.yaml says, else what
its query gives. Nothing is guessed: what cannot be known is `Unavailable`, by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from etl_orchestrator.errors import EngineError, InvalidInput, OrchestratorError, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.sql import information_schema, parameters, routines, templates
from etl_orchestrator.sql.called_routines import CalledRoutines
from etl_orchestrator.sql.self_reading import fixed_point, shape
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.sql.watched import Record, Watched
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import (
    Analysis,
    Analyzer,
    Answers,
    BaseField,
    Catalog,
    Dag,
    KnownSchema,
    Routine,
    Settings,
    TableFacts,
)

#: The label of a table that is written to the project for everybody.
_PUBLIC = re.compile(r"^ +public_bigquery: *true\b", re.MULTILINE)
_VIEW_FILES = (paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL)


class Circle(Unavailable):
    """Raised when a table is made from itself, so that its columns cannot be told."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The schema of a table, or why there is none, and what it was made from."""

    found: KnownSchema | OrchestratorError | None
    record: Record


class Resolved:
    """Plays Catalog over a repository's own: `schema` knows views and queries too."""

    def __init__(
        self,
        catalog: Catalog,
        analyzer: Analyzer,
        settings: Settings,
        answers: Answers | None = None,
        frozen: bool = False,
    ) -> None:
        """`answers` keeps what the analyzer said between runs; `frozen` as in `Watched`."""
        self.watched = Watched(catalog, frozen)
        self._answers = answers
        self._analyzer = analyzer
        self._settings = settings
        self._kept: dict[TableRef, _Kept] = {}
        self._making: list[TableRef] = []
        self._circles = 0

    # --- the questions of Catalog -------------------------------------------------------------------------------

    def schema(self, table: TableRef) -> KnownSchema | None:
        """None for a table that the repository does not have; raises Unavailable when its columns cannot be known."""
        kept = self._kept.get(table)
        if kept is None or not self.watched.holds(kept.record):
            kept = self._made(table)
        self.watched.add(kept.record)
        if isinstance(kept.found, OrchestratorError):
            raise kept.found
        return kept.found

    def tables(self) -> Sequence[TableFacts]:
        return self.watched.tables()

    def dags(self) -> Sequence[Dag]:
        return self.watched.dags()

    def base_fields(self, dataset: str) -> Sequence[BaseField]:
        return self.watched.base_fields(dataset)

    def description(self, field_name: str) -> tuple[str, int] | None:
        return self.watched.description(field_name)

    def text(self, path: str) -> str | None:
        return self.watched.text(path)

    def paths(self, folder: str) -> Sequence[str]:
        return self.watched.paths(folder)

    # --- schemas ------------------------------------------------------------------------------------------------

    def _made(self, table: TableRef) -> _Kept:
        found: KnownSchema | OrchestratorError | None
        with self.watched.recording() as record, self._being_made(table):
            try:
                found = self._schema(table)
            except (Unavailable, InvalidInput, EngineError) as error:
                found = error
        kept = _Kept(found, record)
        # Inside a circle the answer depends on where one came in.
        if not isinstance(found, Circle) or not self._making:
            self._kept[table] = kept
        return kept

    @contextmanager
    def _being_made(self, table: TableRef) -> Iterator[None]:
        if table in self._making:
            self._circles += 1
            circle = [str(part) for part in (*self._making[self._making.index(table) :], table)]
            raise Circle(f"`{table}` is made from itself: {' -> '.join(circle)}")
        self._making.append(table)
        try:
            yield
        finally:
            self._making.pop()

    def _schema(self, table: TableRef) -> KnownSchema | None:
        if table.is_information_schema:
            return self._information_schema(table)
        if table.is_wildcard:
            return self._wildcard(table)
        for name in _VIEW_FILES:
            path = f"{paths.table_folder(table)}/{name}"
            if self.text(path) is not None:
                return KnownSchema(self._columns_of(path, table), path)
        try:
            known = self.watched.schema(table)
        except Unavailable as unavailable:
            return self._unwritten(table, unavailable)
        if known is not None:
            return known
        source = self.published_from(table)
        return self.schema(source) if source is not None else None

    def _information_schema(self, table: TableRef) -> KnownSchema:
        schema = information_schema.schema_of(table)
        if schema is None:
            raise Unavailable(f"the columns of {table.name} are not known here (`{table}`)")
        return KnownSchema(schema, "BigQuery's documentation")

    def _unwritten(self, table: TableRef, unavailable: Unavailable) -> KnownSchema:
        """A table without schema.yaml is what its query gives; one that is loaded from data.csv has a header of names
        and nothing but strings."""
        path = paths.query_sql(table)
        text = self.text(path)
        if text is not None:
            return KnownSchema(self._columns_of(path, table), path)
        path = f"{paths.table_folder(table)}/{paths.DATA_CSV}"
        data = self.text(path)
        if data is not None:
            names = data.split("\n", 1)[0].strip().split(",")
            return KnownSchema(tuple(Field(name, "STRING") for name in names), path)
        raise unavailable

    def published_from(self, table: TableRef) -> TableRef | None:
        """The table or view of the default project whose published copy this is; None for another project's table."""
        section = self._settings.extra.get("default")
        names = section if isinstance(section, dict) else {}
        source = TableRef(self._settings.project, table.dataset, table.name)
        if table.project == source.project:
            return None
        if table.project == names.get("public_project"):
            labels = self.text(paths.metadata_yaml(source)) or ""
            return source if _PUBLIC.search(labels) else None
        return source if table.project == names.get("user_facing_project") else None

    def _wildcard(self, table: TableRef) -> KnownSchema | None:
        """The columns that all tables of the family have, when it stands in the repository. BigQuery takes those of the
        table made last, and which one that is no file tells; so where they differ the family is not known."""
        prefix = table.name.removesuffix("*")
        names = {
            found.name
            for path in self.paths(f"sql/{table.project}/{table.dataset}")
            if (found := paths.table_of(path)) is not None and found.name.startswith(prefix)
        }
        members = [self.schema(TableRef(table.project, table.dataset, name)) for name in sorted(names)]
        known = [member.schema for member in members if member is not None]
        if not known:
            return self.watched.schema(table)
        if any(shape(schema) != shape(known[0]) for schema in known):
            raise Unavailable(
                f"the tables of `{table}` differ in their columns, and which was made last is not known",
                fix="name the table that is meant",
            )
        return KnownSchema(known[-1], f"{len(known)} tables of the repository")

    def kept(self, key: str) -> Any | None:
        """What an earlier run found, if everything that it asked is still answered so."""
        text = self._answers.recall(key) if self._answers is not None else None
        if text is not None:
            found = json.loads(text)
            if self.watched.holds(found["asked"]):
                self.watched.add(found["asked"])
                return found["answer"]
        return None

    def remembered(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, a value of JSON, or what is kept of it."""
        kept = self.kept(key)
        if kept is not None:
            return kept
        circles = self._circles
        with self.watched.recording() as record:
            answer = make()
        # Where a circle was met, the answer may depend on where one came in.
        if self._answers is not None and (circles == self._circles or len(self._making) < 2):
            self._answers.keep(key, json.dumps({"asked": record, "answer": answer}))
        return answer

    def _columns_of(self, path: str, table: TableRef) -> Schema:
        """The columns that a SQL file of the repository gives; raises Unavailable when it is refused itself."""
        return unpacked(self.remembered(f"columns {path}", lambda: packed(self._columns_now(path, table))))

    def _columns_now(self, path: str, table: TableRef) -> Schema:
        text = self.text(path) or ""
        circles = self._circles
        try:
            analysis = self.analyze(self.template(path, table, text).render(), table)
        except Circle:
            analysis = self._of_itself(path, table, text)
            self._circles = circles  # solved
        if analysis.problem is not None:
            line = f":{analysis.problem.line}" if analysis.problem.line else ""
            raise Unavailable(
                f"the columns of `{table}` are not known, for its {path.rpartition('/')[2]} is refused:"
                f" {analysis.problem.message}",
                at=f"{path}{line}",
            )
        return analysis.columns

    def _of_itself(self, path: str, table: TableRef, text: str) -> Analysis:
        """A query that reads the table it makes: its first run, or what its columns must be if it gives them itself."""
        if "is_init" in text:
            with suppress(Circle):
                return self.analyze(self.template(path, table, text, is_init=True).render(), table, is_init=True)
        sql = self.template(path, table, text).render()
        others = self.schemas(sql, table, without=table)
        return fixed_point(table, others.values(), lambda own: self._asked(sql, table, {**others, table: own}))

    # --- texts --------------------------------------------------------------------------------------------------

    def analyze(self, sql: str, home: TableRef, is_init: bool = False) -> Analysis:
        """What the analyzer says of a rendered text that belongs to a table or routine.

        Raises Unavailable for a table or routine that nobody knows. A text that does not parse names no tables; the
        analyzer says where it stopped."""
        return self._asked(sql, home, self.schemas(sql, home), is_init)

    def _asked(self, sql: str, home: TableRef, schemas: Mapping[TableRef, Schema], is_init: bool = False) -> Analysis:
        return self._analyzer.analyze(sql, schemas, self._parameters(sql, home, is_init), self.routines(sql, home))

    def _parameters(self, sql: str, home: TableRef, is_init: bool) -> dict[str, str]:
        """What metadata.yaml declares; a parameter that it does not is what the repository's scripts give, if any do."""
        path = paths.metadata_yaml(home)
        typed = parameters.typed(self.text(path), path, is_init)
        missing = parameters.used_parameters(sql) - typed.keys()
        if missing:
            scripts = (self.text(name) or "" for name in self.paths(paths.SCRIPTS))
            typed |= {name: kind for name, kind in parameters.from_scripts(scripts).items() if name in missing}
        return typed

    def template(self, path: str, home: TableRef, text: str, is_init: bool = False) -> Template:
        """A SQL file as the repository renders it: checks have macros before them and know their table; files that the
        settings name under `render.skip` are no templates."""
        if templates.skipped(path, self._settings):
            return Template(text, self.reader(path), path, raw=True)
        if path.rpartition("/")[2] != paths.CHECKS_SQL:
            return Template(text, self.reader(path), path, is_init)
        macros = tuple((name, self.text(name) or "") for name in self.paths(paths.CHECKS_MACROS))
        variables = {"project_id": home.project, "dataset_id": home.dataset, "table_name": home.name}
        return Template(text, self.reader(path), path, is_init, macros, variables)

    def reader(self, path: str) -> templates.Read:
        """Reads what a template includes: beside the file first, then from the root of the repository."""
        folder = path.rpartition("/")[0]

        def read(name: str) -> str | None:
            beside = self.text(f"{folder}/{name}")
            return self.text(name) if beside is None else beside

        return read

    def schemas(self, sql: str, home: TableRef, without: TableRef | None = None) -> dict[TableRef, Schema]:
        for connection in routines.connections(sql) if "EXTERNAL_QUERY" in sql.upper() else ():
            raise Unavailable(f"EXTERNAL_QUERY asks the database behind `{connection}`, whose columns are not known")
        try:
            references = self._analyzer.references(sql)
        except InvalidInput:
            return {}
        found: dict[TableRef, Schema] = {}
        for table in tables_of(references, home):
            if table == without:
                continue
            try:
                known = self.schema(table)
            except InvalidInput as error:
                raise Unavailable(f"the schema of `{table}` cannot be read: {error.message}", at=error.at) from error
            if known is None:
                raise Unavailable(f"no schema is known of `{table}`", fix="declare it under `sources: schema:`")
            found[table] = known.schema
        return found

    def routines(self, sql: str, home: TableRef, in_test: bool = False) -> tuple[Routine, ...]:
        """The routines a text calls and those these call, each after those it needs; `in_test` as in `CalledRoutines`."""
        found = CalledRoutines(self.text, self.template, self._settings, in_test)
        found.add(sql, home)  # in the order of need
        return tuple(found.found.values())


def packed(schema: Schema) -> list[Any]:
    """Columns without their descriptions as JSON."""
    return [[field.name, field.type, field.mode, packed(field.fields)] for field in schema]


def unpacked(columns: list[Any]) -> Schema:
    """The inverse of `packed`."""
    return tuple(Field(name, kind, mode, fields=unpacked(parts)) for name, kind, mode, parts in columns)


def tables_of(references: Sequence[TableRef | str], home: TableRef) -> tuple[TableRef, ...]:
    """A name without a project is of the home's project; what is no table name is left to the analyzer to refuse."""
    found: dict[TableRef, None] = {}
    for reference in references:
        try:
            found[reference if isinstance(reference, TableRef) else TableRef.parse(reference, home.project)] = None
        except InvalidInput:
            continue
    return tuple(found)
