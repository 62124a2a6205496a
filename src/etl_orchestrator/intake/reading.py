"""What can be read out of a request before anything is asked: its bodies, sources, schemas, keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from etl_orchestrator.errors import EngineError, InvalidInput, Unavailable
from etl_orchestrator.requirements import Body, Column, Request, Source
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Tools

_LITERAL = re.compile(r"\s*(?:@\w+|NULL|TRUE|FALSE|-?[\d.]+|(?:DATE\s*)?'[^']*'|\"[^\"]*\")\s*\Z", re.IGNORECASE)


def nearest(name: str, among: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The names most like this one, best first."""
    known = sorted(set(among))
    short = name.rpartition(".")[2].lower()
    by_last = {one: difflib.SequenceMatcher(None, short, one.rpartition(".")[2].lower()).ratio() for one in known}
    ranked = sorted(known, key=lambda one: (-by_last[one], one))
    return tuple(one for one in ranked[:most] if by_last[one] >= 0.5)


def own_tables(request: Request, tools: Tools) -> tuple[TableRef | str, ...]:
    """The tables that an adopted query reads. Raises InvalidInput when it does not parse; a template that cannot be read
    before it is rendered gives the sources that the person listed."""
    query = request.query
    if query is None:
        return ()
    if "{{" in query.text or "{%" in query.text:
        return tuple(TableRef.parse(source.table) for source in request.body.sources if source.table)
    try:
        return tools.analyzer.references(query.text)
    except InvalidInput as error:
        raise InvalidInput(
            f"the query does not parse: {error.message}", at=f"{query.origin} {error.at or ''}".strip()
        ) from error


class Bodies:
    """All SELECTs of a request by where they stand: "" the last one, `steps.NAME`, `on_init`, `steps.NAME.on_init`."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.steps = tuple(step.name for step in request.steps)

    def named(self) -> Iterator[tuple[str, Body]]:
        for step in self._request.steps:
            yield f"steps.{step.name}", step.body
            if step.on_init is not None:
                yield f"steps.{step.name}.on_init", step.on_init
        yield "", self._request.body
        if self._request.on_init is not None:
            yield "on_init", self._request.on_init

    def steps_before(self, where: str) -> tuple[str, ...]:
        """The steps that a body may read: those above it."""
        name = where.split(".")[1] if where.startswith("steps.") else None
        return self.steps[: self.steps.index(name)] if name else self.steps

    @staticmethod
    def texts(body: Body) -> list[str]:
        """Every expression of a body."""
        found = [text for source in body.sources for text in (source.unnest, source.filter, source.on) if text]
        found += [column.expression for column in body.columns if column.expression]
        return found + [text for text in (body.where, body.having, body.qualify) if text]

    def all_texts(self) -> list[str]:
        texts = [text for _, body in self.named() for text in self.texts(body)]
        texts += [refusal.condition for refusal in self._request.refuse_when]
        return texts + ([self._request.query.text] if self._request.query else [])


class Reading:
    """A request together with what the catalog knows of its sources."""

    def __init__(self, request: Request, tools: Tools) -> None:
        self.request = request
        self.tools = tools
        self.bodies = Bodies(request)
        self.project = request.table.project if request.table else tools.settings.project

    @cached_property
    def declared(self) -> dict[str, Schema]:
        """Schemas declared inline, by table name."""
        return {
            source.table: source.schema
            for _, body in self.bodies.named()
            for source in body.sources
            if source.table is not None and source.schema is not None
        }

    @cached_property
    def listed(self) -> frozenset[str]:
        """The tables among the sources, as project.dataset.table."""
        named = {s.table for _, body in self.bodies.named() for s in body.sources if s.table and not s.is_step}
        if self.request.query is not None:
            for table in own_tables(self.request, self.tools):
                named.add(
                    str(table) if isinstance(table, TableRef) or table.count(".") != 1 else f"{self.project}.{table}"
                )
        return frozenset(named)

    def names(self) -> list[str]:
        """Every table of the repository, for the nearest name."""
        return [str(facts.table) for facts in self.tools.catalog.tables()]

    def schema(self, name: str) -> Schema | None:
        """The columns of a table, None when they are not known."""
        if name in self.declared:
            return self.declared[name]
        if self.request.table is not None and name == str(self.request.table):
            return None
        try:
            known = self.tools.catalog.schema(TableRef.parse(name))
        except (Unavailable, InvalidInput):
            return None
        return known.schema if known else None

    def scope(self, where: str, body: Body) -> dict[str, Schema | None]:
        """What each alias of a body offers; None where that is not known (steps, arrays, the table itself)."""
        return {
            source.alias: self.schema(source.table) if source.table and not source.is_step else None
            for source in body.sources
        }

    def shared_keys(self, where: str, source: Source) -> tuple[str, ...]:
        """Conditions that equal names suggest for a join."""
        body = next(body for name, body in self.bodies.named() if name == where)
        first = body.sources[0]
        left, right = (self.schema(one.table) if one.table and not one.is_step else None for one in (first, source))
        names = {field.name for field in right or ()}
        shared = [field.name for field in left or () if field.name in names]
        return tuple(f"{first.alias}.{name} = {source.alias}.{name}" for name in shared[:3])

    def is_grouped(self, body: Body) -> bool:
        return any(column.expression and expressions.is_aggregate(column.expression) for column in body.columns)

    def group_columns(self, body: Body) -> list[str]:
        """Output columns that are no aggregates and vary: literals and parameters identify nothing."""
        return [
            column.name
            for column in body.columns
            if not (
                column.expression and (expressions.is_aggregate(column.expression) or _LITERAL.match(column.expression))
            )
        ]

    def keys(self) -> tuple[str, ...]:
        """The columns of the grain: as listed, or the output columns that its words name."""
        grain = self.request.grain
        if grain is None or isinstance(grain, tuple):
            return grain or ()
        return recognised(grain, [column.name for column in self.request.body.columns])

    def type_of(self, body: Body, scope: dict[str, Schema | None], column: Column) -> Field | None:
        """The type of an expression over known tables, None when the analyzer cannot tell it alone."""
        if any(fields is None for fields in scope.values()) or not scope:
            return None
        schemas = {TableRef.parse(s.table): scope[s.alias] or () for s in body.sources if s.table}
        names = [f"`{source.table}` AS {source.alias}" for source in body.sources if source.table]
        types = {parameter.name: parameter.type for parameter in self.request.parameters} or {"submission_date": "DATE"}
        try:
            analysis = self.tools.analyzer.analyze(
                f"SELECT\n{column.sql}\nAS x FROM {', '.join(names)}", schemas, types
            )
        except (EngineError, InvalidInput):
            return None
        return analysis.columns[0] if analysis.problem is None and analysis.columns else None


def recognised(words: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that stand in a text as words, in the order of the text; `day` and `client` are taken for the only
    name that ends or begins so."""
    tokens = re.findall(r"[A-Za-z_][A-Za-z0-9_]*", words)
    known = {name.lower(): name for name in names}
    found: dict[str, None] = {}
    for token in tokens:
        low = token.lower()
        if low in known:
            found[known[low]] = None
            continue
        alike = [name for key, name in known.items() if low in (key.removesuffix("_id"), key.removesuffix("_code"))]
        if low in ("day", "date"):
            alike = [name for key, name in known.items() if key.endswith(("_date", "_day"))]
        if len(alike) == 1:
            found[alike[0]] = None
    return tuple(found)
