"""A SELECT list from one source and no other clause, read by its tokens: to read a grammar takes longer than a dry run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.tokens import RESERVED, Kind, Token, tokenize

#: Words beside those of GoogleSQL that are no names in MySQL or PostgreSQL, as sqlglot reads them.
_MORE_RESERVED = """
    ALTER CONNECT_BY_ROOT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DESCRIBE DISTINCTROW DROP GLOB GRANT
    HIGH_PRIORITY ILIKE INSERT LOCALTIME LOCALTIMESTAMP NOTNULL PARTITIONED_BY REGEXP RETURNING REVOKE RLIKE ROLLBACK
    SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_CALC_FOUND_ROWS SQL_NO_CACHE SQL_SMALL_RESULT STRAIGHT_JOIN UNCACHE VALUES XOR
"""
_NO_NAMES = RESERVED | frozenset(_MORE_RESERVED.split())
_WORD = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Select:
    """The items of the list, without the commas between them, and what stands behind FROM."""

    items: tuple[tuple[Token, ...], ...]
    source: tuple[Token, ...]


def select_of(tokens: Sequence[Token]) -> Select | None:
    """None for a text that is anything else; `source` is not looked into."""
    if not tokens or tokens[0].text.upper() != "SELECT":
        return None
    items: list[list[Token]] = [[]]
    depth = 0
    for index, token in enumerate(tokens[1:], start=1):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if token.kind is Kind.NAME and token.text.upper() == "SELECT":
            return None
        if depth == 0 and token.kind is Kind.COMMA:
            items.append([])
        elif depth == 0 and token.kind is Kind.NAME and token.text.upper() == "FROM":
            behind = tokens[index + 1 : -1] if tokens[-1].kind is Kind.SEMICOLON else tokens[index + 1 :]
            return Select(tuple(tuple(item) for item in items), tuple(behind))
        else:
            items[-1].append(token)
    return None


def plain_columns(statement: str) -> tuple[str, ...] | None:
    """The names of the columns of a statement of MySQL or PostgreSQL that is a list of names from one table; None for
    every other."""
    try:
        select = select_of(tokenize(statement))
    except InvalidInput:
        return None
    if select is None or not _is_path(select.source):
        return None
    names = []
    for item in select.items:
        expression = item[:-2] if len(item) > 2 and item[-2].text.upper() == "AS" else item
        if not _is_path(expression) or not _is_path(item[-1:]):
            return None
        names.append(item[-1].text.strip("`"))
    return tuple(names)


def _is_path(tokens: Sequence[Token]) -> bool:
    """Whether these are names with dots between them."""
    names, dots = tokens[::2], tokens[1::2]
    return len(names) == len(dots) + 1 and all(map(_is_name, names)) and all(dot.kind is Kind.DOT for dot in dots)


def _is_name(token: Token) -> bool:
    if token.kind is Kind.QUOTED_NAME:
        return _WORD.fullmatch(token.text[1:-1]) is not None
    word = token.text.upper()
    return token.kind is Kind.NAME and word not in _NO_NAMES and _WORD.fullmatch(word) is not None
