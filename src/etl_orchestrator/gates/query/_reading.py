"""How the gates of this room read the query: rendered, parsed or analyzed, or why that is another gate's affair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.finding import NotDue, Unchecked
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.sql import dry_run as dry
from etl_orchestrator.sql.template_places import place_of
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.sql.tokens import position
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Analysis, Tools

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

NO_REQUIREMENTS = NotDue("no requirements stand behind this table")


@dataclass(frozen=True, slots=True)
class Reading:
    """query.sql as written and as rendered: for later runs first, and for the first run where that differs."""

    path: str
    template: str
    renderings: tuple[str, ...]
    rendered_from: tuple[Template, ...]

    def at(self, line: int, rendering: int = 0) -> str:
        """`path:line` in the template, or in what it includes, for a line of a rendering."""
        text = self.renderings[rendering]
        written = text.split("\n")[line - 1]
        column = len(written) - len(written.lstrip()) + 1
        place = place_of(self.rendered_from[rendering], text, line, column)
        return f"{place.path}:{place.line}"

    def place(self, offset: int, rendering: int = 0) -> str:
        """`path:line:column` there, for an offset into a rendering."""
        text = self.renderings[rendering]
        return str(place_of(self.rendered_from[rendering], text, *position(text, offset)))


def owner_of(model: Model) -> str:
    """Who mends a finding in the query: nobody but a person where a person wrote it."""
    adopted = model.requirements is not None and model.requirements.request.query is not None
    return "requirements" if adopted else "query"


def no_query(model: Model) -> NotDue:
    """Why a gate is not due that judges the one SELECT of a query.sql."""
    if model.text(paths.script_sql(model.table)) is not None:
        return NotDue("the table is filled by script.sql, in which no one SELECT gives its rows")
    return NotDue("the model has no query.sql")


def reading(model: Model, tools: Tools) -> Reading | NotDue:
    """The query rendered both ways."""
    path = paths.query_sql(model.table)
    template = model.text(path)
    if template is None:
        return no_query(model)
    templates = [dry.template_of(model, tools)]
    if "is_init" in template:
        templates.append(dry.template_of(model, tools, is_init=True))
    try:
        rendered = {one.render(): one for one in reversed(templates)}
    except InvalidInput:
        return NotDue("the template cannot be rendered (see broken_template)")
    return Reading(path, template, tuple(reversed(rendered)), tuple(reversed(rendered.values())))


def reading_asked_for(model: Model, tools: Tools) -> Reading | NotDue:
    """The same for a gate that judges only what requirements stand behind."""
    return NO_REQUIREMENTS if model.requirements is None else reading(model, tools)


def analysis(model: Model, tools: Tools) -> Analysis | NotDue | Unchecked:
    """What the analyzer says of an accepted query."""
    if model.text(paths.query_sql(model.table)) is None:
        return no_query(model)
    try:
        answer = dry.dry_run(model, tools)
    except InvalidInput:
        return NotDue("the query cannot be read (see broken_template, refused_query)")
    except Unavailable as error:
        return Unchecked(str(error))
    return NotDue("the query is refused (see refused_query)") if answer.problem else answer


def columns_and_requirements(model: Model, tools: Tools) -> tuple[Analysis, Requirements] | NotDue | Unchecked:
    """An accepted query and requirements that name its output columns."""
    if model.requirements is None:
        return NO_REQUIREMENTS
    if not model.requirements.body.columns:
        return NotDue("the requirements name no output columns")
    answer = analysis(model, tools)
    return (answer, model.requirements) if isinstance(answer, Analysis) else answer


def references(model: Model, tools: Tools) -> dict[TableRef | str, str] | NotDue:
    """Every table that the query names, with the place where it stands first."""
    read = reading(model, tools)
    if isinstance(read, NotDue):
        return read
    found: dict[TableRef | str, str] = {}
    for number, rendering in enumerate(read.renderings):
        try:
            named = tools.analyzer.references(rendering)
        except InvalidInput:
            return NotDue("the query does not parse (see refused_query)")
        for reference in named:
            found.setdefault(reference, read.at(line_of(rendering, str(reference)), number))
    return found


@lru_cache(maxsize=32)
def trees_of(rendering: str) -> tuple[Expr, ...]:
    """The syntax trees of the statements, the query itself last; none when sqlglot does not know a construct."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return tuple(tree for tree in sqlglot.parse(rendering, dialect="bigquery") if tree is not None)
    except SqlglotError:
        return ()


def line_of(text: str, wanted: str) -> int:
    """The first line that holds the words, 1 when none does (a name may be spelled with other backticks)."""
    plain = wanted.replace("`", "")
    lines = (number for number, line in enumerate(text.split("\n"), 1) if plain in line.replace("`", ""))
    return next(lines, 1)
