"""The wall of tools: roles one or two methods wide. Rooms see these Protocols; `api` chooses who plays them.

Values in rows are plain Python: None, bool, int, float, Decimal (NUMERIC, BIGNUMERIC), str (STRING, JSON as canonical
JSON text, INTERVAL, GEOGRAPHY), bytes, date, datetime (aware and UTC for TIMESTAMP, naive for DATETIME; microseconds),
time, list (REPEATED), dict (RECORD).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from etl_orchestrator.table import Schema, TableRef

Value = Any  # as listed in the docstring of this module


@dataclass(frozen=True, slots=True)
class SqlProblem:
    """Why a query is refused: one or two lines, position in the given text (1-based; 0 when unknown). `path` is set when
    the position is in a file that says so: the template itself, or one that it includes."""

    message: str
    line: int = 0
    column: int = 0
    path: str = ""

    def place(self, path: str) -> str:
        """`path:line:column`, the path being this one unless the problem names another."""
        return f"{self.path or path}:{self.line}:{self.column}" if self.line else self.path or path


@dataclass(frozen=True, slots=True)
class Lineage:
    """How an output column is made: `kind` is copied, computed, aggregated, constant or unknown; `sources` are
    (table, dotted column) pairs, in the order met."""

    kind: str
    sources: tuple[tuple[TableRef, str], ...] = ()


#: Begins a note that tells the condition which an analysis rests on.
PROVIDED = "provided that"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an analyzer knows of a text. With a `problem`, the columns are empty; `tables` may still be known.

    The columns are those of the last statement that gives or makes rows; none where a change of rows comes last."""

    columns: Schema = ()
    tables: tuple[TableRef, ...] = ()  # real tables read or changed, in order of name
    lineage: Mapping[str, Lineage] = field(default_factory=dict)  # by output column
    problem: SqlProblem | None = None
    written: tuple[TableRef | str, ...] = ()  # what a script makes or changes, temporary tables left out
    notes: tuple[str, ...] = ()  # for the evidence: what it rests on beside the files, what happened to the engine


@dataclass(frozen=True, slots=True)
class TableData:
    """Contents of a table: a key missing in a row is NULL (empty for REPEATED)."""

    schema: Schema
    rows: tuple[Mapping[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A table that is a query on the other tables of a run."""

    sql: str


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A query parameter: `type` in GoogleSQL spelling (DATE, ARRAY<STRING>)."""

    type: str
    value: Value


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a query, columns and rows in the order the engine gave them; with a `problem`, no rows."""

    columns: Schema = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    problem: SqlProblem | None = None
    note: str = ""  # what happened to the engine on the way, for the evidence

    def dicts(self) -> list[dict[str, Value]]:
        return [dict(zip((column.name for column in self.columns), row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What a text of one or many statements leaves: the rows of its last query, and all tables that are not temporary."""

    rows: Rows
    tables: Mapping[TableRef, TableData | View] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routine:
    """A function or procedure as its file defines it: `sql` holds its CREATE statement with the template filled in,
    `ref` is its project.dataset.name, `at` the path of the file."""

    ref: TableRef
    sql: str
    at: str = ""


class Analyzer(Protocol):
    """Judges GoogleSQL without running it."""

    name: str

    def analyze(
        self,
        sql: str,
        schemas: Mapping[TableRef, Schema],
        parameters: Mapping[str, str],
        routines: Sequence[Routine] = (),
    ) -> Analysis:
        """`parameters` maps names to GoogleSQL types; `routines` are those that the text and they themselves call.

        A refused query is a `problem`, a tool failure an EngineError."""
        ...

    def references(self, sql: str) -> tuple[TableRef | str, ...]:
        """The tables a statement names, CTEs left out, before any schema is known; a name that is not
        `project.dataset.table` comes as the text written. Raises InvalidInput when it does not parse."""
        ...


class Runner(Protocol):
    """Runs a query on given rows, and has no way to any other rows."""

    name: str

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        """The rows of a query, or of the last one of a script. A query that fails is a `problem`; raises Unsupported for
        what the engine lacks, InvalidInput for bad rows."""
        ...

    def run_script(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> ScriptResult:
        """The same with the tables as the script leaves them, none where it fails."""
        ...


@dataclass(frozen=True, slots=True)
class Dag:
    """An entry of dags.yaml. `tier` is tier_1, tier_2, tier_3 or ""."""

    name: str
    schedule: str
    owner: str = ""
    tier: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownSchema:
    """A schema, where it was found (a path, "declared inline"), all `files` of the catalog that were read for it, and the
    `notes` of the analyses that it was made by."""

    schema: Schema
    origin: str
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What a repository says of a table that stands in it: its habits are the evidence for new ones."""

    table: TableRef
    kind: str  # query.sql query.py view.sql script.sql other
    owners: tuple[str, ...] = ()
    dag: str = ""
    partition_type: str = ""
    partition_field: str = ""
    require_partition_filter: bool | None = None
    expiration_days: int | None = None
    clustering: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    monitored: bool = False
    collection: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class BaseField:
    """An entry of a base schema (global.yaml, <dataset>.yaml): the preferred description of a column name."""

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    type: str = ""
    origin: str = ""


class Catalog(Protocol):
    """What is known of existing tables. None = does not exist; raises Unavailable when it cannot know."""

    def schema(self, table: TableRef) -> KnownSchema | None: ...

    def tables(self) -> Sequence[TableFacts]:
        """All tables of the repository, sorted by name."""
        ...

    def dags(self) -> Sequence[Dag]: ...

    def base_fields(self, dataset: str) -> Sequence[BaseField]:
        """Base schema entries for a dataset: its own first, then the global ones."""
        ...

    def description(self, field_name: str) -> tuple[str, int] | None:
        """The most frequent description of columns of this name, and how many columns carry it."""
        ...

    def text(self, path: str) -> str | None:
        """A file of the repository by relative path (settings, tests beside the table), or one of those that a
        KnownSchema names; None when absent."""
        ...

    def paths(self, folder: str) -> Sequence[str]:
        """The files below a folder of the repository, relative and sorted."""
        ...


class Answers(Protocol):
    """Answers kept between runs by name; any of them may be lost."""

    def recall(self, key: str) -> str | None: ...

    def keep(self, key: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Task:
    """What an author is asked to write: `kind` is expression, query, description or repair; `context` is text by name."""

    kind: str
    instruction: str
    context: Mapping[str, str] = field(default_factory=dict)


class Author(Protocol):
    """Proposes text, never judges."""

    name: str

    def write(self, task: Task) -> str | None:
        """None when this author has nothing to say to the task."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What a repository says of itself (bqetl_project.yaml)."""

    project: str = "moz-fx-data-shared-prod"
    skip_format: tuple[str, ...] = ()  # globs of files the formatter leaves alone
    extra: Mapping[str, Any] = field(default_factory=dict)

    def skips(self, path: str, *sections: str) -> bool:
        """Whether a pattern of the list `skip` matches that stands in the last of these sections, each in the one before."""
        found: Any = self.extra
        for name in (*sections, "skip"):
            found = found.get(name) if isinstance(found, Mapping) else None
        return any(fnmatchcase(path, str(pattern)) for pattern in found or ())


@dataclass(frozen=True, slots=True)
class Tools:
    """One of each."""

    analyzer: Analyzer
    runner: Runner
    catalog: Catalog
    author: Author
    settings: Settings = Settings()
    overwrite: bool = False  # the person allowed that existing files are replaced
