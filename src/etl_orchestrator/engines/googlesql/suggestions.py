"""The nearest known name beside one that is not known, where the engine tells none: it does of columns without an alias."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from etl_orchestrator.engines.googlesql.instance import Refusal
from etl_orchestrator.engines.googlesql.outline import Outline
from etl_orchestrator.engines.googlesql.resolved import concrete, inherited
from etl_orchestrator.engines.googlesql.session import Registered, Session
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.tools import SqlProblem

# The engine's words. What is refused in the body of a routine begins with the name of the routine.
_COLUMN_OF = re.compile(r"Name (\w+) not found inside (\w+)\Z")
_COLUMN_OF_TABLE = re.compile(r"Column (\w+) is not present in table (\w+)\Z")
_COLUMN = re.compile(
    r"Column (\w+) in (?:SELECT \* (?:EXCEPT|REPLACE) list|USING clause) .*\Z|Unrecognized name: (\w+)\Z"
)
_TABLE = re.compile(r"Table not found: (\w+)\Z")
_NEAR = 0.7


def with_suggestion(
    problem: SqlProblem, sql: str, offset: int, session: Session, catalog: Registered, parameters: Mapping[str, str]
) -> SqlProblem:
    """The problem at an offset of the text as the engine has it, with "Did you mean" where a near name is known."""
    try:
        return _Asked(sql, offset, session, catalog, parameters).told(problem)
    except InvalidInput:
        return problem


@dataclass(frozen=True)
class _Asked:
    sql: str
    offset: int
    session: Session
    catalog: Registered
    parameters: Mapping[str, str]

    @cached_property
    def outline(self) -> Outline:
        """Made for the few problems that it helps with: many texts are refused on the way to one answer."""
        return Outline(self.sql)

    def told(self, problem: SqlProblem) -> SqlProblem:
        message = problem.message
        if match := _COLUMN_OF.match(message):
            known = self._columns(match[2])
        elif match := _COLUMN_OF_TABLE.match(message):
            known = self._columns_of_table(match[2])
        elif match := _COLUMN.match(message):
            known = self._columns(None)
        elif match := _TABLE.match(message):
            known = [*self.outline.ctes(self.offset), *self.catalog.scope.made]
        else:
            return problem
        wanted = next(filter(None, match.groups()))
        by_word = {name.lower(): name for name in known}
        near = difflib.get_close_matches(wanted.lower(), by_word, 1, _NEAR)
        return replace(problem, message=f"{message}; Did you mean {by_word[near[0]]}?") if near else problem

    def _columns(self, alias: str | None) -> Iterable[str]:
        """The columns of the nearest source of a name; with None those of all around."""
        sources = self.outline.sources(self.offset)
        if alias is not None:
            sources = [source for source in sources if source.name == alias.lower()][:1]
        return [column for source in sources for column in self._given_by(source.text)]

    def _columns_of_table(self, path: str) -> list[str]:
        scope, end = self.catalog.scope, f".{path}".lower()
        tables = {**{str(table): schema for table, schema in scope.schemas.items()}, **scope.made}
        found = (schema for table, schema in tables.items() if f".{table}".lower().endswith(end))
        return [column.name for column in next(found, ())]

    def _given_by(self, source: str) -> list[str]:
        """The columns of a table, a CTE or a subquery; none when it is refused itself."""
        ctes = self.outline.ctes(self.offset)
        path = re.sub(r"[`\s]", "", source)
        if path.lower() not in ctes and (known := self._columns_of_table(path)):
            return known
        before = f"WITH {', '.join(ctes.values())} " if ctes else ""
        try:
            statement = self.session.analyze(f"{before}SELECT * FROM {source}", self.catalog, self.parameters)
        except Refusal:
            return []
        return [output.name for output in inherited(concrete(statement), "output_column_list")]
