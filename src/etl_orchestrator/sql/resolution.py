"""What the names in a SQL text stand for: the schema of every table, the body of every routine.

A view is what its view.sql gives, not what a schema.yaml beside it says; a table is what its schema.yaml says, else what
its query gives. Nothing is guessed: what cannot be known is `Unavailable`, by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_orchestrator.errors import EngineError, InvalidInput, OrchestratorError, TimedOut, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.sql import information_schema, parameters, templates
from etl_orchestrator.sql.called_routines import CalledRoutines
from etl_orchestrator.sql.missing import Missing, StandingNames, placed
from etl_orchestrator.sql.notes import notes_of, with_notes
from etl_orchestrator.sql.remembering import Remembering, digest_of
from etl_orchestrator.sql.self_reading import fixed_point, shape
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.sql.watched import Record, Watched
from etl_orchestrator.table import Field, Schema, TableRef, packed, unpacked
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

if TYPE_CHECKING:
    from etl_orchestrator.sql.fitting_types import Remember

#: The label of a table that is written to the project for everybody.
_PUBLIC = re.compile(r"^ +public_bigquery: *true\b", re.MULTILINE)
#: Datasets whose tables are not the repository's own.
_FILLED = re.compile(r"_(stable|live)\Z")
_VIEW_FILES = (paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL)


class Circle(Unavailable):
    """Raised when a table is made from itself, so that its columns cannot be told."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The schema of a table, or why there is none, and what it was made from."""

    found: KnownSchema | OrchestratorError | None
    record: Record


def is_federated(sql: str) -> bool:
    """Whether EXTERNAL_QUERY is in a text at all."""
    return "EXTERNAL_QUERY" in sql.upper()


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
        self.standing = StandingNames(self.watched, self.published_from)
        self._memory = Remembering(self.watched, answers, settings)
        self._analyzer = analyzer
        self._settings = settings
        self._kept: dict[TableRef, _Kept] = {}
        self._making: list[TableRef] = []
        self._circles = 0
        self._timeouts = 0

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
            return information_schema.known(table)
        if table.is_wildcard:
            return self._wildcard(table)
        for name in _VIEW_FILES:
            path = f"{paths.table_folder(table)}/{name}"
            if self.text(path) is not None:
                return self._made_by(path, table)
        try:
            known = self._written(table)
        except Unavailable as unavailable:
            return self._unwritten(table, unavailable)
        if known is not None:
            return known
        source = self.published_from(table)
        return self.schema(source) if source is not None else None

    def _written(self, table: TableRef) -> KnownSchema | None:
        """What files say that list columns, as an earlier run read them."""

        def read() -> Any:
            known = self.watched.schema(table)
            return known and (packed(known.schema, described=True), known.origin, known.files, known.notes)

        kept = self.remembered(f"schema {table}", read)
        if kept is None:
            return None
        columns, origin, files, notes = kept
        return KnownSchema(unpacked(columns), origin, tuple(files), tuple(notes))

    def _unwritten(self, table: TableRef, unavailable: Unavailable) -> KnownSchema:
        """A table without schema.yaml is what its query gives; one that is loaded from data.csv has a header of names
        and nothing but strings."""
        path = paths.query_sql(table)
        text = self.text(path)
        if text is not None:
            return self._made_by(path, table)
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
        if _FILLED.search(table.dataset):
            raise Unavailable(f"which of the tables of `{table}`, which the pipeline makes, was made last is not known")
        prefix = table.name.removesuffix("*")
        names = {
            found.name
            for path in self.paths(f"sql/{table.project}/{table.dataset}")
            if (found := paths.table_of(path)) is not None and found.name.startswith(prefix)
        }
        members = [self.schema(TableRef(table.project, table.dataset, name)) for name in sorted(names)]
        known = [member for member in members if member is not None]
        if not known:
            return self._written(table)
        if any(shape(member.schema) != shape(known[0].schema) for member in known):
            raise Unavailable(
                f"the tables of `{table}` differ in their columns, and which was made last is not known",
                fix="name the table that is meant",
            )
        return KnownSchema(known[-1].schema, f"{len(known)} tables of the repository", notes=notes_of(known))

    def kept(self, key: str) -> Any | None:
        """See `Remembering.kept`."""
        return self._memory.kept(key)

    def remembered(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, a value of JSON, or what is kept of it."""
        circles, timeouts = self._circles, self._timeouts

        def is_whole() -> bool:
            """After a timeout the answer may depend on the machine; where a circle was met, on where one came in."""
            return self._timeouts == timeouts and (self._circles == circles or len(self._making) < 2)

        return self._memory.remembered(key, make, is_whole)

    def remembering(self, typed: Mapping[str, str], called: Sequence[Routine]) -> Remember:
        """What remembers answers about expressions, which may hold these parameters and routines."""
        given = repr((sorted(typed.items()), called))
        return lambda question, make: self.remembered(f"expression {digest_of(given, question)}", make)

    def _made_by(self, path: str, table: TableRef) -> KnownSchema:
        """The columns that a SQL file of the repository gives; raises Unavailable when it is refused itself."""

        def made() -> list[Any]:
            analysis = self._analysis_of(path, table)
            return [packed(analysis.columns), list(analysis.notes)]

        columns, notes = self.remembered(f"columns {path}", made)
        return KnownSchema(unpacked(columns), path, notes=tuple(notes))

    def _analysis_of(self, path: str, table: TableRef) -> Analysis:
        text = self.text(path) or ""
        circles = self._circles
        template = self.template(path, table, text)
        sql = template.render()
        try:
            with placed(template, sql):
                analysis = self.analyze(sql, table)
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
        return analysis

    def _of_itself(self, path: str, table: TableRef, text: str) -> Analysis:
        """A query that reads the table it makes: its first run, or what its columns must be if it gives them itself."""
        if "is_init" in text:
            with suppress(Circle):
                return self.analyze(self.template(path, table, text, is_init=True).render(), table, is_init=True)
        template = self.template(path, table, text)
        sql = template.render()
        with placed(template, sql):
            known = self.known(sql, table, without=table)
        others = {other: found.schema for other, found in known.items()}
        found = fixed_point(table, others.values(), lambda own: self._asked(sql, table, {**others, table: own}))
        return with_notes(found, known.values())

    # --- texts --------------------------------------------------------------------------------------------------

    def analyze(self, sql: str, home: TableRef, is_init: bool = False) -> Analysis:
        """What the analyzer says of a rendered text that belongs to a table or routine.

        Raises Unavailable for a table or routine that nobody knows. A text that does not parse names no tables; the
        analyzer says where it stopped."""
        known = self.known(sql, home)
        analysis = self._asked(sql, home, {table: found.schema for table, found in known.items()}, is_init)
        return with_notes(analysis, known.values())

    def _asked(self, sql: str, home: TableRef, schemas: Mapping[TableRef, Schema], is_init: bool = False) -> Analysis:
        typed, called = self._parameters(sql, home, is_init), self.routines(sql, home)

        def ask(text: str, more: Mapping[TableRef, Schema]) -> Analysis:
            try:
                return self._analyzer.analyze(text, {**schemas, **more}, typed, called)
            except TimedOut:
                self._timeouts += 1
                raise

        if not is_federated(sql):
            return ask(sql, {})
        from etl_orchestrator.sql.federated import analysis_of  # read for the few texts that need it

        return analysis_of(sql, self._declared(home), ask, self.remembering(typed, called))

    def _declared(self, home: TableRef) -> Schema:
        """What the schema.yaml beside a query.sql says; that of a view is only told by its view.sql."""
        if self.text(paths.query_sql(home)) is None:
            return ()
        with suppress(OrchestratorError):
            known = self.watched.schema(home)
            return known.schema if known is not None else ()
        return ()

    def _parameters(self, sql: str, home: TableRef, is_init: bool) -> dict[str, str]:
        """What metadata.yaml declares; a parameter that it does not is what the repository's scripts give, if any do."""
        path = paths.metadata_yaml(home)
        typed: dict[str, str] = self.remembered(
            f"parameters {path} {is_init}", lambda: parameters.typed(self.text(path), path, is_init)
        )
        return self.with_scripts(typed, sql)

    def with_scripts(self, typed: dict[str, str], sql: str) -> dict[str, str]:
        """Parameters by type, and those others of a text that the repository's scripts give."""
        missing = parameters.used_parameters(sql) - typed.keys()
        if not missing:
            return typed
        scripts = (self.text(name) or "" for name in self.paths(paths.SCRIPTS))
        return typed | {name: kind for name, kind in parameters.from_scripts(scripts).items() if name in missing}

    def template(self, path: str, home: TableRef, text: str, is_init: bool = False) -> Template:
        """A SQL file as the repository renders it: checks have macros before them and know their table; files that the
        settings name under `render.skip` are no templates."""
        if self._settings.skips(path, "render"):
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

    def known(self, sql: str, home: TableRef, without: TableRef | None = None) -> dict[TableRef, KnownSchema]:
        """The schema of every table that a text names; raises Unavailable naming one that nobody knows."""
        try:
            references = self._analyzer.references(sql)
        except InvalidInput:
            return {}
        found: dict[TableRef, KnownSchema] = {}
        for table in tables_of(references, home):
            if table == without:
                continue
            try:
                known = self.schema(table)
            except InvalidInput as error:
                raise Unavailable(f"the schema of `{table}` cannot be read: {error.message}", at=error.at) from error
            if known is None:
                raise Missing(table, "correct the name, or add its schema.yaml")
            found[table] = known
        return found

    def routines(self, sql: str, home: TableRef, in_test: bool = False) -> tuple[Routine, ...]:
        """The routines a text calls and those these call, each after those it needs; `in_test` as in `CalledRoutines`."""
        found = CalledRoutines(self.text, self.template, self._settings, in_test)
        found.add(sql, home)  # in the order of need
        return tuple(found.found.values())


def tables_of(references: Sequence[TableRef | str], home: TableRef) -> tuple[TableRef, ...]:
    """A name without a project is of the home's project; what is no table name is left to the analyzer to refuse."""
    found: dict[TableRef, None] = {}
    for reference in references:
        try:
            found[reference if isinstance(reference, TableRef) else TableRef.parse(reference, home.project)] = None
        except InvalidInput:
            continue
    return tuple(found)
