"""What can be read out of a request before anything is asked: its bodies, and what every name in them can mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.intake.elements import key_names
from etl_orchestrator.requirements import Body, Request, Source
from etl_orchestrator.sql import expressions, scan
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Tools

#: Columns by lower-case name, each with its field where the type is known; None when nothing is known.
Offer = Mapping[str, Field | None] | None

#: Pseudo columns of BigQuery tables.
PSEUDO = frozenset(
    {"_table_suffix", "_partitiontime", "_partitiondate", "_file_name", "_change_type", "_change_timestamp"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """One SELECT: `where` is "" for the last one, else `steps.NAME`, `on_init`, `steps.NAME.on_init`; `before` are the
    steps that it may read."""

    where: str
    body: Body
    before: tuple[str, ...]

    def element(self, rest: str) -> str:
        """The element of an answer about a part of this SELECT."""
        return f"{self.where}.{rest}" if self.where else rest

    @property
    def words(self) -> str:
        """Where it stands, for a question; empty for the last one."""
        step = self.where.split(".")[1] if self.where.startswith("steps.") else ""
        first = " in the first run" if self.where.endswith("on_init") else ""
        return (f" of the step `{step}`" if step else "") + first


def places(request: Request) -> list[Place]:
    """All SELECTs of a request in the order in which they are defined."""
    found: list[Place] = []
    names: tuple[str, ...] = ()
    for step in request.steps:
        found.append(Place(f"steps.{step.name}", step.body, names))
        if step.on_init is not None:
            found.append(Place(f"steps.{step.name}.on_init", step.on_init, names))
        names = (*names, step.name)
    found.append(Place("", request.body, names))
    if request.on_init is not None:
        found.append(Place("on_init", request.on_init, names))
    return found


def texts(body: Body) -> list[str]:
    """Every expression of a body."""
    found = [text for source in body.sources for text in (source.unnest, source.filter, source.on) if text]
    found += [column.expression for column in body.columns if column.expression]
    return found + [text for text in (body.where, body.having, body.qualify) if text]


def all_texts(request: Request) -> list[str]:
    """Every expression of a request, the adopted query included."""
    found = [text for place in places(request) for text in texts(place.body)]
    found += [refusal.condition for refusal in request.refuse_when]
    return found + ([without_jinja(request.query.text)] if request.query else [])


def without_jinja(text: str) -> str:
    """A query with its Jinja blanked, so that tokens can be counted; good for looking, not for running."""
    text = re.sub(r"\{%.*?%\}|\{#.*?#\}", " ", text, flags=re.DOTALL)
    return re.sub(r"\{\{.*?\}\}", "jinja", text, flags=re.DOTALL)


def parameters_used(request: Request) -> tuple[str, ...]:
    """The names of all query parameters, in order."""
    found: dict[str, None] = {}
    for text in all_texts(request):
        found.update(dict.fromkeys(expressions.parameters(text)))
    return tuple(found)


def subquery_only(request: Request, place: Place) -> frozenset[int]:
    """The sources of a body that only its subqueries read: listed without a join, and named behind a FROM inside an
    expression of the request. They are no part of the FROM clause."""
    read = {name.lower() for text in all_texts(request) for name in expressions.subquery_tables(text)}
    project = request.table.project if request.table else request.project
    full = {name if name.count(".") == 2 else f"{project}.{name}".lower() for name in read}
    return frozenset(
        number
        for number, source in enumerate(place.body.sources)
        if number and source.table and source.join is None and source.on is None
        if (source.is_step and source.table.lower() in read) or source.table.lower() in full
    )


class Reading:
    """A request together with what the catalog knows of its sources."""

    def __init__(self, request: Request, tools: Tools) -> None:
        self.request = request
        self.tools = tools
        self.project = request.table.project if request.table else request.project or tools.settings.project
        self.places = places(request)
        self._found: dict[str, Schema | Unavailable | None] = {}
        self._offers: dict[str, dict[str, Offer]] = {}

    @cached_property
    def declared(self) -> dict[str, Schema]:
        """Schemas declared inline, by table name."""
        sources = [source for place in self.places for source in place.body.sources]
        return {source.table: source.schema for source in sources if source.table and source.schema is not None}

    @cached_property
    def listed(self) -> frozenset[str]:
        """The tables among the sources, as project.dataset.table."""
        sources = [source for place in self.places for source in place.body.sources]
        return frozenset(source.table for source in sources if source.table and not source.is_step)

    @cached_property
    def known_tables(self) -> list[str]:
        """Every table of the repository and every source whose schema was found, for the nearest name."""
        try:
            named = [str(facts.table) for facts in self.tools.catalog.tables()]
        except Unavailable:
            named = []
        return [*named, *(name for name in self.listed if isinstance(self._found.get(name), tuple))]

    def is_own(self, name: str | None) -> bool:
        """Whether this is the table that is to be built."""
        return self.request.table is not None and name == str(self.request.table)

    def found(self, name: str) -> Schema | Unavailable | None:
        """What a catalog says of a table: its schema, None when it does not exist, the error when it cannot know."""
        if name in self.declared:
            return self.declared[name]
        if name not in self._found:
            try:
                known = self.tools.catalog.schema(TableRef.parse(name, self.project))
                self._found[name] = known.schema if known else None
            except Unavailable as error:
                self._found[name] = error
        return self._found[name]

    def columns_of(self, source: Source, offers: Mapping[str, Offer], place: Place) -> Offer:
        """What one source offers."""
        if source.unnest is not None:
            return _elements(source.unnest, offers)
        if source.is_step:
            return self._step(source.table or "") if source.table in place.before else None
        if self.is_own(source.table):
            return {column.name.lower(): None for column in self.request.body.columns}
        schema = self.found(source.table or "")
        if isinstance(schema, tuple):
            return {field.name.lower(): field for field in schema}
        return None

    def offers(self, place: Place) -> dict[str, Offer]:
        """What each alias of a body offers."""
        if place.where not in self._offers:
            offers: dict[str, Offer] = {}
            skipped = subquery_only(self.request, place)
            for number, source in enumerate(place.body.sources):
                if number not in skipped:
                    offers[source.alias.lower()] = self.columns_of(source, offers, place)
            self._offers[place.where] = offers
        return self._offers[place.where]

    def place(self, where: str) -> Place:
        return next(place for place in self.places if place.where == where)

    def _step(self, name: str) -> Offer:
        place = self.place(f"steps.{name}")
        body = place.body
        if body.union:
            return self._step(body.union[0]) if body.union[0] in place.before else None
        found: dict[str, Field | None] = {}
        for column in body.columns:
            if column.is_star:
                star = _star(column.sql, self.offers(place))
                if star is None:
                    return None
                found.update(star)
            else:
                found[column.name.lower()] = self.copied(place, column.name) if column.expression is None else None
        return found

    def holders(self, place: Place, name: str) -> list[str]:
        """The aliases that offer a column."""
        return [alias for alias, offer in self.offers(place).items() if offer and name.lower() in offer]

    def copied(self, place: Place, name: str) -> Field | None:
        """The field of a source column, when exactly one source has it."""
        holders = self.holders(place, name)
        offer = self.offers(place)[holders[0]] if len(holders) == 1 else None
        return offer[name.lower()] if offer else None

    def keys_shared(self, place: Place, number: int) -> tuple[str, ...]:
        """Conditions that equal names of columns suggest for a join."""
        source, offers = place.body.sources[number], self.offers(place)
        right = offers.get(source.alias.lower()) or {}
        for earlier in place.body.sources[:number]:
            left = offers.get(earlier.alias.lower()) or {}
            shared = sorted(
                (name for name in left if name in right), key=lambda name: not name.endswith(("_id", "_code"))
            )
            if shared:
                return tuple(f"{earlier.alias}.{name} = {source.alias}.{name}" for name in shared[:3])
        return ()

    def condition(self, place: Place, number: int) -> str | None:
        """The join condition of a source; a list of columns is written out against the first earlier source that has
        each."""
        source = place.body.sources[number]
        names = key_names(source.on) if source.on else ()
        if not names:
            return source.on
        offers = self.offers(place)
        parts = []
        for name in names:
            earlier = [
                one for one in place.body.sources[:number] if name.lower() in (offers.get(one.alias.lower()) or {})
            ]
            left = earlier[0] if earlier else place.body.sources[0]
            parts.append(f"{left.alias}.{name} = {source.alias}.{name}")
        return " AND ".join(parts)


def _elements(array: str, offers: Mapping[str, Offer]) -> Offer:
    """The columns of an UNNEST: the parts of its records, none for plain values, None when its array is not known."""
    path = array.replace("`", "").lower().split(".")
    if not all(re.fullmatch(r"\s*\w+\s*", part) for part in path):
        return None
    if path[0] in offers and len(path) > 1:
        offer, path = offers[path[0]], path[1:]
    else:
        having = [one for one in offers.values() if one and path[0] in one]
        offer = having[0] if len(having) == 1 else None
    field = offer.get(path[0]) if offer else None
    for part in path[1:]:
        field = next((child for child in field.fields if child.name.lower() == part), None) if field else None
    if field is None:
        return None
    return {child.name.lower(): child for child in field.fields}


def _star(text: str, offers: Mapping[str, Offer]) -> Offer:
    """The columns of `*` or `alias.*` with EXCEPT; REPLACE keeps the names but not the types."""
    found = scan.tokens(text)
    alias = found[0].text.strip("`").lower() if found and found[0].text != "*" else None
    taken = [offer for name, offer in offers.items() if alias in (None, name)]
    if not taken or any(offer is None for offer in taken):
        return None
    columns: dict[str, Field | None] = {}
    for offer in taken:
        columns.update(offer or {})
    for index, token in enumerate(found[:-1]):
        if token.upper == "EXCEPT" and found[index + 1].text == "(":
            for name in text[found[index + 1].end : found[found[index + 1].mate].start].split(","):
                columns.pop(name.strip().strip("`").lower(), None)
    return dict.fromkeys(columns) if "REPLACE" in [token.upper for token in found] else columns
