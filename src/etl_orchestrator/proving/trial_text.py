"""The SQL that a test runs: which file of the table, rendered how, and what its fixtures are called in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.layout.sql_test import FIRST_RUN, SqlTest
from etl_orchestrator.model import Model
from etl_orchestrator.sql import script
from etl_orchestrator.sql.dry_run import located, resolved
from etl_orchestrator.sql.script_nodes import Block, Branch, If, Loop, Node, Statement
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.sql.tokens import COMMENTS, Kind, tokenize
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import SqlProblem, Tools

_VIEW_HEAD = re.compile(r"\bCREATE\s+OR\s+REPLACE\s+VIEW\b.*?\bAS\b", re.IGNORECASE | re.DOTALL)
_BEFORE_TABLE = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "MERGE", "USING", "TABLE"})


@dataclass(frozen=True, slots=True)
class Text:
    """`sql` has as many lines as the rendering of the template, so that a problem in it is found again there."""

    sql: str
    template: Template
    is_script: bool = False

    @property
    def path(self) -> str:
        return self.template.at

    def located(self, problem: SqlProblem) -> SqlProblem:
        """The problem at its place in the file as written."""
        return located(problem, self.template, self.sql)


def text_of(model: Model, tools: Tools, name: str) -> Text:
    """What the plugin runs for a test of this name: `test_init` the first build of query.sql, `test_script` script.sql,
    any other the SELECT of view.sql where there is one, else query.sql.

    Raises Unavailable when there is no such file, InvalidInput for a template that cannot be rendered.
    """
    view = f"{paths.table_folder(model.table)}/{paths.VIEW_SQL}"
    path = paths.query_sql(model.table)
    if name == "test_script":
        path = f"{paths.table_folder(model.table)}/{paths.SCRIPT_SQL}"
    elif name != FIRST_RUN and model.text(view) is not None:
        path = view
    written = model.text(path)
    if written is None:
        raise Unavailable(f"there is no {path.rpartition('/')[2]} to test", at=path)
    template = resolved(tools).template(path, model.table, written, is_init=name == FIRST_RUN)
    sql = template.render()
    if path == view:
        sql = _VIEW_HEAD.sub(lambda head: "\n" * head[0].count("\n"), sql)
    return Text(sql, template, name == "test_script")


def with_short_names(sql: str, test: SqlTest) -> str:
    """The text with the fixtures that their files call by one name called by their whole name."""
    short = {stem: table for table, stem in test.written.items() if "." not in stem}
    if not short:
        return sql
    tokens = [token for token in tokenize(sql) if token.kind not in COMMENTS]
    parts, end = [], 0
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], None], strict=False):
        is_name = token.kind in (Kind.NAME, Kind.QUOTED_NAME) and token.text.strip("`") in short
        if is_name and before.text.upper() in _BEFORE_TABLE and (after is None or after.text not in (".", "(")):
            parts += [sql[end : token.start], f"`{short[token.text.strip('`')]}`"]
            end = token.end
    return "".join([*parts, sql[end:]])


def unsupplied(names: Iterable[TableRef | str], test: SqlTest, home: TableRef) -> tuple[TableRef, ...]:
    """The tables that a text names so that no fixture is put in their place.

    Where the files' names are known, a name counts only as it is written there: the plugin replaces
    `project.dataset.table` by nothing but a fixture of that name, and a day at its end is a wildcard's `*`.
    """
    read = {str(name): _table(name, home) for name in names}
    if test.written:
        stems = set(test.written.values())
        stems |= {f"{stem[:-8]}*" for stem in stems if re.fullmatch(r"\d{8}", stem[-8:])}
        return tuple(sorted(table for name, table in read.items() if name not in stems))
    return tuple(sorted(table for table in read.values() if not any(table.covers(given) for given in test.tables)))


def _table(name: TableRef | str, home: TableRef) -> TableRef:
    if isinstance(name, TableRef):
        return name
    parts = name.split(".")
    try:
        return TableRef.parse(".".join([*(home.project, home.dataset)[: max(0, 3 - len(parts))], *parts]))
    except InvalidInput as error:
        raise InvalidInput(f"the query names `{name}`, which is no table", fix="name the table in full") from error


def made_by(text: Text) -> frozenset[str]:
    """The names of the tables that a script makes itself, which need no fixture."""
    if not text.is_script and ";" not in text.sql:
        return frozenset()
    return frozenset(".".join(node.name) for node in _statements(script.parse(text.sql)) if node.kind == "CREATE TABLE")


def _statements(nodes: Iterable[Node | Branch]) -> Iterable[Statement]:
    for node in nodes:
        if isinstance(node, Statement):
            yield node
        elif isinstance(node, If):
            yield from _statements(node.branches)
        elif isinstance(node, Block):
            yield from _statements([*node.body, *(node.handler or ())])
        elif isinstance(node, Loop | Branch):
            yield from _statements(node.body)


def view_text(written: str, test: SqlTest) -> str:
    """A view given as fixture, reading the fixtures by their names: its file calls them
    `{project}.{dataset}.<their name with dots and dashes as underscores>`."""
    place = "fixtures-of-this-test", "fixtures"
    try:
        sql = written.format(project=place[0], dataset=place[1])
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidInput(f"the view's braces are no {{project}} or {{dataset}}: {error}") from error
    for table, stem in test.written.items():
        mangled = stem.replace(".", "_").replace("-", "_")
        sql = re.sub(rf"`?{place[0]}`?\.`?{place[1]}`?\.`?{re.escape(mangled)}\b`?", f"`{table}`", sql)
    return sql
