"""What is asked for: a `Request` may lack anything, `Requirements` lack nothing.

The files a person writes are read in `intake/`; only `intake.accept` makes `Requirements`. All expressions are
GoogleSQL text, exactly one expression each. The form of the files is described in docs/requirements-format.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from etl_orchestrator.table import Schema, TableRef

#: A cell of an example: the text as written (typed later by the schema), None for NULL, lists and mappings nested.
Cell = str | None | list["Cell"] | dict[str, "Cell"]
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of FROM: a table or earlier step (`table`), or an array (`unnest`); `filter` applies before the join."""

    alias: str
    table: str | None = None  # "project.dataset.table", or the one-part name of an earlier step
    unnest: str | None = None  # array expression
    offset: str | None = None  # name of the offset column of an unnest
    filter: str | None = None
    join: str | None = None  # INNER LEFT RIGHT FULL CROSS; None for the first source
    on: str | None = None
    schema: Schema | None = None  # declared inline
    notes: str | None = None
    matches: str | None = None  # one, many: how many of its rows may match one row of the others

    @property
    def is_step(self) -> bool:
        return self.table is not None and "." not in self.table


@dataclass(frozen=True, slots=True)
class Column:
    """One output column. No expression: the source column of the same name. `star` columns (`x.* EXCEPT (y)`) have
    the whole text in `expression` and "*" as name, and occur in steps only."""

    name: str
    expression: str | None = None
    description: str | None = None
    type: str | None = None  # legacy type name, becomes a gate
    mode: str | None = None
    fields: tuple[Column, ...] = ()  # descriptions of nested parts
    notes: str | None = None

    @property
    def is_star(self) -> bool:
        return self.name == "*"

    @property
    def sql(self) -> str:
        """The expression, or the name where there is none."""
        return self.expression or self.name


@dataclass(frozen=True, slots=True)
class Body:
    """One SELECT, or a union of earlier steps by position."""

    sources: tuple[Source, ...] = ()
    columns: tuple[Column, ...] = ()
    where: str | None = None
    distinct: bool = False
    having: str | None = None
    qualify: str | None = None
    union: tuple[str, ...] = ()
    union_distinct: bool = False

    def expressions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Every expression, with its element behind the prefix."""
        for number, source in enumerate(self.sources):
            for key, text in (("filter", source.filter), ("on", source.on), ("unnest", source.unnest)):
                if text:
                    yield f"{prefix}sources.{number}.{key}", text
        for column in self.columns:
            yield f"{prefix}columns.{column.name}.expression", column.sql
        for key, text in (("where", self.where), ("having", self.having), ("qualify", self.qualify)):
            if text:
                yield f"{prefix}{key}", text


@dataclass(frozen=True, slots=True)
class Step:
    """A named intermediate result (a CTE); `on_init` is its body in the very first run."""

    name: str
    body: Body
    on_init: Body | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Partitioning:
    """`incremental`: each run writes one partition; otherwise every run writes the table anew."""

    incremental: bool
    field: str | None = None
    type: str | None = None  # hour day month year
    expiration_days: int | None = None
    require_filter: bool | None = None
    write: str | None = None  # partition table append
    ingestion_time: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A DAG by name, or hints from which one can be found, or the reason why there is none."""

    dag: str | None = None
    frequency: str | None = None
    product: str | None = None
    none: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)  # other keys of the `scheduling` block, passed on


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: `type` is a GoogleSQL type (DATE), `value` what Airflow supplies (`{{ds}}`)."""

    name: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class RefuseWhen:
    """A run whose data fulfil `condition` (a boolean expression) must fail with `message`."""

    condition: str
    message: str


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example by the person: input rows per table, parameters, expected rows. The strongest oracle."""

    name: str
    given: Mapping[str, tuple[Row, ...]]  # by table name; a table not given is empty
    expect: tuple[Row, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    ordered: bool = False  # arrays compare in order


@dataclass(frozen=True, slots=True)
class Prose:
    """Words that no rule understood: kept for the author, shown by the requirements check."""

    where: str  # heading or key
    text: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A query.sql that a person wrote: adopted, formatted, judged, never rewritten."""

    text: str
    origin: str  # path, or "inline"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; anything may be missing. `origin` is the path of the file, `digest` the sha256 of its bytes,
    `lines` the line of each top-level element in that file."""

    origin: str
    digest: str
    table: TableRef | None = None
    friendly_name: str | None = None
    description: str | None = None
    grain: str | tuple[str, ...] | None = None
    body: Body = Body()
    steps: tuple[Step, ...] = ()
    on_init: Body | None = None
    query: Query | None = None
    python: str | None = None
    partitioning: Partitioning | None = None
    clustering: tuple[str, ...] = ()
    schedule: Schedule | None = None
    owners: tuple[str, ...] = ()
    tier: str | None = None
    consumers: tuple[str, ...] = ()
    monitoring: str | tuple[Mapping[str, object], ...] = "auto"  # auto, none, or explicit checks
    labels: Mapping[str, object] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    refuse_when: tuple[RefuseWhen, ...] = ()
    notes: str | None = None
    prose: tuple[Prose, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    project: str = ""  # what a name without project means

    def at(self, element: str) -> str:
        """`path:line` of an element of the file (`schedule`, `columns.revenue.type`), or of the nearest one around it."""
        while element not in self.lines and "." in element:
            element = element.rpartition(".")[0]
        line = self.lines.get(element)
        return f"{self.origin}:{line}" if line else self.origin

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Every expression, with its element: `columns.revenue.expression`, `steps.paid.where`."""
        yield from self.body.expressions("")
        for step in self.steps:
            yield from step.body.expressions(f"steps.{step.name}.")
            if step.on_init is not None:
                yield from step.on_init.expressions(f"steps.{step.name}.on_init.")
        if self.on_init is not None:
            yield from self.on_init.expressions("on_init.")
        for number, refusal in enumerate(self.refuse_when):
            yield f"refuse_when.{number}.condition", refusal.condition


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that must be answered before any work; `element` is the key `--answer element=value` takes."""

    element: str
    text: str
    candidates: tuple[str, ...] = ()
    at: str = ""


@dataclass(frozen=True, slots=True)
class Requirements:
    """A request with nothing missing; only `intake.accept` makes one.

    `keys` are the columns of the grain (empty: one row per source row, or for an adopted query unknown);
    `sources` the real tables read, steps and arrays left out, the table itself included when it reads itself.
    """

    request: Request
    table: TableRef
    description: str
    body: Body
    keys: tuple[str, ...]
    sources: tuple[TableRef, ...]
    partitioning: Partitioning
    schedule: Schedule
    schemas: Mapping[str, Schema] = field(default_factory=dict)  # declared inline, by table name
    assumptions: tuple[str, ...] = ()  # what was inferred at the door, in words
    parameters: tuple[Parameter, ...] = ()  # declared ones, or submission_date where it is used

    @property
    def reads_itself(self) -> bool:
        return self.table in self.sources
