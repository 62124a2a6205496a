"""The calls of EXTERNAL_QUERY in a text, and the text with tables in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.sql.plain_select import plain_columns
from etl_orchestrator.sql.tokens import Kind, Token, words
from etl_orchestrator.table import TableRef

if TYPE_CHECKING:
    from sqlglot import exp

#: The project of the tables that stand for calls; it is nobody's.
_PROJECT = "external-query"
#: Either may be at the other end, and which is no file tells.
_DIALECTS = ("mysql", "postgres")
#: What the documented mappings lead to, those most often meant first:
#: https://cloud.google.com/bigquery/docs/reference/standard-sql/federated_query_functions#data_type_mappings
TYPES = (
    "BYTES",
    "INTEGER",
    "STRING",
    "TIMESTAMP",
    "NUMERIC",
    "BOOLEAN",
    "FLOAT",
    "DATE",
    "DATETIME",
    "TIME",
    "BIGNUMERIC",
    "JSON",
)

_TWICE = "the statement it is sent names a column twice"
#: A string that is what stands between its quotes.
_SIMPLE_STRING = re.compile(r"""(\"{3}|'{3}|"|')([^\\]*)\1""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """A call from `start` to `end` of the text; the columns are those that the statement sent names."""

    number: int
    start: int
    end: int
    connection: str
    columns: tuple[str, ...]

    def table(self, variant: int) -> TableRef:
        """The table that stands for it; of a variant, which is not 0, the columns have other types."""
        name = f"query_{self.number}" + (f"_{variant}" if variant else "")
        return TableRef(_PROJECT, re.sub(r"\W", "_", self.connection), name)

    def is_table(self, table: TableRef) -> bool:
        """Whether a table stands for this call, with whatever types."""
        own = self.table(0)
        name = "_".join(table.name.split("_")[:2])
        return (table.project, table.dataset, name) == (own.project, own.dataset, own.name)

    def unknown(self, why: str, fix: str | None = None) -> Unavailable:
        return _unknown(self.connection, why, fix)


def calls_of(sql: str) -> tuple[Call, ...]:
    """In order. Raises Unavailable naming the connection of one whose columns are not named."""
    try:
        tokens = words(sql)
    except InvalidInput:  # the analyzer tells what is wrong with it
        return ()
    found: list[Call] = []
    for index, token in enumerate(tokens[:-1]):
        if token.kind is not Kind.NAME or token.text.upper() != "EXTERNAL_QUERY" or tokens[index + 1].text != "(":
            continue
        arguments, end = _arguments(tokens[index + 1 :])
        connection, statement = (*arguments, None, None)[:2]
        if connection is None:
            raise Unavailable("EXTERNAL_QUERY asks a database whose connection is no literal")
        if statement is None:
            raise _unknown(connection, "the statement it is sent is no literal")
        columns = _columns(statement)
        if isinstance(columns, str):
            raise _unknown(connection, columns)
        found.append(Call(len(found) + 1, token.start, end, connection, columns))
    return tuple(found)


def replaced(sql: str, variants: Mapping[Call, int]) -> str:
    """The text with the table of each call in its place; what stands behind a call keeps line and column."""
    parts, reached = [], 0
    for call in sorted(variants, key=lambda call: call.start):
        blank = re.sub(r"[^\n]", " ", sql[call.start : call.end])
        name = f"`{call.table(variants[call])}`"
        first, newline, others = blank.partition("\n")
        parts += [sql[reached : call.start], name.ljust(len(first)), newline, others]
        reached = call.end
    return "".join((*parts, sql[reached:]))


def is_independent(sql: str, calls: tuple[Call, ...]) -> bool:
    """Whether no expression has two columns of a call in it, so that each column may be judged by itself: a plain SELECT
    from one call. False where that cannot be told."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if len(calls) != 1:
        return False
    try:
        trees = sqlglot.parse(replaced(sql, {calls[0]: 0}), dialect="bigquery")
    except (SqlglotError, RecursionError):
        return False
    query = trees[0] if len(trees) == 1 else None
    if not isinstance(query, exp.Select) or any(query.find_all(exp.Star, exp.Join, exp.With, exp.Subquery)):
        return False
    if len(list(query.find_all(exp.Select))) > 1:
        return False
    names = {name.lower() for name in calls[0].columns}
    clauses = [part for key in query.args for part in _parts(query.args[key])]
    return all(len({column.name.lower() for column in clause.find_all(exp.Column)} & names) <= 1 for clause in clauses)


def _parts(clause: object) -> list[exp.Expr]:
    from sqlglot import exp

    return [part for part in (clause if isinstance(clause, list) else [clause]) if isinstance(part, exp.Expr)]


def _arguments(tokens: Sequence[Token]) -> tuple[list[str | None], int]:
    """The arguments of a call, None for one that is no string, and where it ends."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0:
            return [_string(argument[1:] if not index else argument) for index, argument in enumerate(found)], token.end
        if depth == 1 and token.kind is Kind.COMMA:
            found.append([])
        else:
            found[-1].append(token)
    return [], len(tokens)


def _string(tokens: Sequence[Token]) -> str | None:
    if len(tokens) != 1 or tokens[0].kind is not Kind.STRING:
        return None
    if simple := _SIMPLE_STRING.fullmatch(tokens[0].text):
        return simple[2]

    import sqlglot
    from sqlglot import exp

    literal = sqlglot.parse_one(tokens[0].text, dialect="bigquery")
    return str(literal.this) if isinstance(literal, (exp.Literal, exp.RawString)) else None


def _columns(statement: str) -> tuple[str, ...] | str:
    """The names of the columns of a statement, or why they are not known."""
    plain = plain_columns(statement)
    if plain is not None:
        return plain if _are_distinct(plain) else _TWICE

    import sqlglot  # 0.1 s of a start
    from sqlglot.errors import SqlglotError

    answers: list[tuple[str, ...] | str] = []
    for dialect in _DIALECTS:
        try:
            answers.append(_named(sqlglot.parse_one(statement, dialect=dialect)))
        except (SqlglotError, RecursionError):
            continue
    named = {answer for answer in answers if isinstance(answer, tuple)}
    if len(named) == 1:
        return named.pop()
    if len(named) > 1:
        return "the statement it is sent names other columns in MySQL than in PostgreSQL"
    return next(iter(answers), "the statement it is sent does not parse, in MySQL or PostgreSQL")


def _named(tree: object) -> tuple[str, ...] | str:
    from sqlglot import exp

    if not isinstance(tree, exp.Query):
        return "the statement it is sent is no query"
    names: list[str] = []
    for number, selected in enumerate(tree.selects, start=1):
        if selected.is_star:
            return "the statement it is sent has a `*`"
        if not isinstance(selected, (exp.Column, exp.Alias)):
            return f"the statement it is sent gives column {number} no name"
        names.append(selected.alias_or_name)
    return tuple(names) if names and _are_distinct(names) else _TWICE


def _are_distinct(names: Sequence[str]) -> bool:
    return len({name.lower() for name in names}) == len(names)


def _unknown(connection: str, why: str, fix: str | None = None) -> Unavailable:
    message = f"EXTERNAL_QUERY asks the database behind `{connection}`, whose columns are not known: {why}"
    return Unavailable(message, fix=fix)
