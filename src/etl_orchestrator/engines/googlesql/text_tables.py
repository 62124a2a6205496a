"""Tables in a text, found by their names alone, where reading the text with the engine would cost too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from etl_orchestrator.engines.googlesql.text import Edit
from etl_orchestrator.sql.tokens import COMMENTS, RESERVED, Kind, Token, tokenize
from etl_orchestrator.table import TableRef

#: Words that may stand behind a table and are no alias, though they are not reserved.
_NO_ALIAS = frozenset({"TABLESAMPLE", "PIVOT", "UNPIVOT", "QUALIFY", "MATCH_RECOGNIZE"})
_BEFORE = frozenset({"FROM", "JOIN"})


def tables_in(
    text: str, tables: Iterable[TableRef], name_of: Callable[[TableRef | str], str]
) -> tuple[list[Edit], bool]:
    """Edits that put other names in the place of tables, each with an alias if it has none; and whether all of them
    stand behind FROM or JOIN, so that none can be anything but a table."""
    tokens = [token for token in tokenize(text) if token.kind not in COMMENTS]
    by_name = {name: table for table in tables for name in (str(table), f"{table.dataset}.{table.name}")}
    edits: list[Edit] = []
    certain = True
    index = 0
    while index < len(tokens):
        path, end = _path(tokens, index)
        table = by_name.get(".".join(path))
        following = tokens[end].text.upper() if end < len(tokens) else ""
        if table is not None and following not in (".", "("):
            certain = certain and index > 0 and tokens[index - 1].text.upper() in _BEFORE
            word = following.isidentifier() and following not in RESERVED and following not in _NO_ALIAS
            alias = "" if word or following == "AS" or following[:1] == "`" else f" AS `{table.name}`"
            edits.append(Edit(tokens[index].start, tokens[end - 1].end, name_of(table) + alias))
        index = max(end, index + 1)
    return edits, certain


def begins_value(text: str) -> bool:
    """Whether some SELECT outside brackets gives a value or struct instead of columns."""
    depth = 0
    words: list[str] = []
    for token in tokenize(text):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if not depth and token.kind not in COMMENTS:
            words.append(token.text.upper())
    return any(pair in (("AS", "STRUCT"), ("AS", "VALUE")) for pair in pairwise(words))


def _path(tokens: Sequence[Token], index: int) -> tuple[list[str], int]:
    """The dotted name that begins here, and the index behind it."""
    path: list[str] = []
    while index < len(tokens) and tokens[index].kind in (Kind.NAME, Kind.QUOTED_NAME):
        path.extend(tokens[index].text.strip("`").split("."))
        index += 1
        if index + 1 >= len(tokens) or tokens[index].kind is not Kind.DOT:
            break
        index += 1
    return path, index
