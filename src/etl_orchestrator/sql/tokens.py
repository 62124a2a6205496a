"""GoogleSQL with Jinja, cut into tokens: what stands where, without a grammar.

White space is no token: it is the gap between the `end` of one token and the `start` of the next. Every other character
belongs to exactly one token. The angle brackets of types (`ARRAY<STRUCT<a INT64>>`) are told from the operators.

What surprises:
- Jinja inside a string belongs to the string (`'{{ day['a'] }}'` is one token), inside backquotes to the name.
- A number that starts with a dot (`.5`) is two tokens, as is every `.`.
- Words with dashes are one NAME where a dot and a name follow, as projects are (`my-project.dataset.table`). The last of
  the words must be longer than a letter and not all digits: so `a-b.c` is a subtraction, and so is `a-bc` with no dot.
- A character GoogleSQL does not know outside strings is kept as OTHER, one character each, and judged by nobody here.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from etl_orchestrator.errors import InvalidInput


class Kind(Enum):
    """What a token is."""

    NAME = auto()  # a word: identifier or keyword
    QUOTED_NAME = auto()  # `in backquotes`
    PARAMETER = auto()  # @name
    SYSTEM_VARIABLE = auto()  # @@name
    STRING = auto()  # also raw, bytes, triple quoted
    NUMBER = auto()
    OPERATOR = auto()
    PIPE = auto()  # |>
    OPEN = auto()  # ( [ and the < of a type
    CLOSE = auto()  # ) ] and the > of a type
    DOT = auto()
    COMMA = auto()
    SEMICOLON = auto()
    LINE_COMMENT = auto()  # without the end of its line and trailing blanks
    BLOCK_COMMENT = auto()
    JINJA_COMMENT = auto()
    JINJA_EXPRESSION = auto()
    JINJA_STATEMENT = auto()
    OTHER = auto()

    # Kinds are looked up in sets for each token; that of Enum is Python code, 5 % of formatting. Members are single.
    __hash__ = object.__hash__


COMMENTS = frozenset({Kind.LINE_COMMENT, Kind.BLOCK_COMMENT, Kind.JINJA_COMMENT})

# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
_RESERVED = """
    ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT
    DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL
    GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP
    MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE
    RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN
    WHERE WINDOW WITH WITHIN
"""
RESERVED = frozenset(_RESERVED.split())


class Token(NamedTuple):
    """One token; `start` and `end` are offsets into the text, `text` is what stands between them."""

    kind: Kind
    text: str
    start: int
    end: int


_WORD = r"[A-Za-z_][A-Za-z_0-9]*+"
_QUOTED = r"`(?:\\.|[^\\`])+`"
_NAME = rf"(?:{_WORD}|{_QUOTED})"
# Jinja within a string may hold the quote that would end the string. Only on one line: a lone {{ must not run away.
_EMBEDDED = r"\{\{[^\n]*?\}\}|\{%[^\n]*?%\}"
# Inside Jinja delimiters a quoted }} does not close; the quotes are Jinja's, so none of SQL's kinds of strings.
_IN_JINJA = r"""(?:"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*'|[^"'])*?"""


def _string(quote: str) -> str:
    mark = quote[0]
    if len(quote) == 3:
        start, ordinary = quote, rf"[^\\{{{mark}]+|{mark}(?!{mark}{mark})"
    else:
        start, ordinary = f"{mark}(?!{mark}{mark})", rf"[^\\{{{mark}\n]+"  # three marks start a triple quoted one
    return rf"{start}(?:{ordinary}|\\.|{_EMBEDDED}|\{{)*+{quote}"


_STRINGS = "|".join(_string(quote) for quote in ('"""', "'''", '"', "'"))

# One group for each kind, tried in this order; the gap before a token is matched with it. Half of all tokens are words that
# go on with neither a quote nor a dash: these are found without looking for a string or a project first.
_TOKEN = re.compile(
    rf"""\s*+(?:
    (?P<NAME>{_WORD}(?!["'-]))
    |(?P<COMMA>,)
    |(?P<DOT>\.)
    |(?P<OPEN>[(\[])
    |(?P<CLOSE>[)\]])
    |(?P<STRING>(?:[rR][bB]?|[bB][rR]?)?(?:{_STRINGS}))
    |(?P<LINE_COMMENT>(?:--|\#)(?:[^\n]*[^\s])?)
    |(?P<NUMBER>0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)
    |(?P<QUOTED_NAME>{_QUOTED})
    |(?P<DASHED>[A-Za-z][A-Za-z_0-9]*(?:-[A-Za-z_0-9]+)*-[A-Za-z_0-9][0-9]*[A-Za-z_][A-Za-z_0-9]*(?=\.{_NAME}))
    |(?P<WORD>{_WORD})
    |(?P<SEMICOLON>;)
    |(?P<PARAMETER>@{_WORD})
    |(?P<SYSTEM_VARIABLE>@@{_WORD})
    |(?P<BLOCK_COMMENT>/\*.*?\*/)
    |(?P<JINJA_COMMENT>\{{\#.*?\#\}})
    |(?P<JINJA_EXPRESSION>\{{\{{{_IN_JINJA}\}}\}})
    |(?P<JINJA_STATEMENT>\{{%{_IN_JINJA}%\}})
    |(?P<UNCLOSED>/\*|\{{[\{{%\#]|["'`])
    |(?P<PIPE>\|>)
    |(?P<OPERATOR><<|>>|>=|<=|=>|<>|!=|\|\||[-*/&^+<=>|~])
    |(?P<OTHER>\S)
    )""",
    re.DOTALL | re.VERBOSE,
)
_GROUPS = _TOKEN.groupindex
# The kind of each group by its number; 0 is the whole match.
_KINDS = (Kind.OTHER, *(Kind.__members__.get(name, Kind.NAME) for name in _GROUPS))
_DASHED, _UNCLOSED = _GROUPS["DASHED"], _GROUPS["UNCLOSED"]
_DOUBTFUL = frozenset({_DASHED, _UNCLOSED, _GROUPS["OPERATOR"]})  # what they matched may be another token, or more
_CLOSING = {"/*": "*/", "{{": "}}", "{%": "%}", "{#": "#}"}  # of any other mark: itself


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def offset_of(text: str, line: int, column: int) -> int:
    """The inverse of `position`; a place behind the text is its end."""
    lines = text.split("\n")
    start = sum(len(previous) + 1 for previous in lines[: line - 1])
    return min(start + max(column, 1) - 1, len(text))


def place(text: str, offset: int, at: str = "") -> str:
    """`path:line:column` of an offset, in words where there is no path."""
    line, column = position(text, offset)
    return f"{at}:{line}:{column}" if at else f"line {line}, column {column}"


def tokenize(text: str, at: str = "") -> list[Token]:
    """Cut a text into tokens, in order. Raises InvalidInput at the opening mark of what is never closed."""
    found: list[Token] = []
    new = tuple.__new__  # Token(...) does the same in three times the time
    offset, size, depth = 0, len(text.rstrip()), 0
    while offset < size:
        for matched in _TOKEN.finditer(text, offset, size):
            group = matched.lastindex or 0
            kind, word = _KINDS[group], matched[group]
            start, end = matched.span(group)
            offset = end
            if depth or group in _DOUBTFUL:
                if kind is Kind.OPERATOR and word[0] == "<" and (depth or _opens_a_type(found, start)):
                    kind, word, depth = Kind.OPEN, "<", depth + 1
                elif depth and word[0] == ">":
                    kind, word, depth = Kind.CLOSE, ">", depth - 1
                elif depth and word in ("=>", "|>"):
                    kind, word = Kind.OPERATOR, word[0]
                elif group == _DASHED and (head := word.partition("-")[0]).upper() in RESERVED:
                    word = head
                elif group == _UNCLOSED:
                    raise _unclosed(text, start, word, at)
                offset = start + len(word)
            found.append(new(Token, (kind, word, start, offset)))
            if offset < end:
                break  # what is left of it is matched again
    return found


@lru_cache(maxsize=16)
def words(text: str) -> tuple[Token, ...]:
    """The tokens that are no comments. Several readers ask for those of one text, one after the other."""
    return tuple(token for token in tokenize(text) if token.kind not in COMMENTS)


def _opens_a_type(found: list[Token], start: int) -> bool:
    """True where a following < is a bracket: after ARRAY and STRUCT, and right after RANGE (which also is a keyword)."""
    said = (token for token in reversed(found) if token.kind not in COMMENTS)
    last, before = next(said, None), next(said, None)
    if last is None or last.kind is not Kind.NAME or (before is not None and before.kind is Kind.DOT):
        return False
    word = last.text.upper()
    return word in ("ARRAY", "STRUCT") or (word == "RANGE" and last.end == start)


def _unclosed(text: str, start: int, mark: str, at: str) -> InvalidInput:
    if text.startswith(mark * 3, start):
        mark *= 3
    within = " on its line" if mark in ("'", '"') else ""
    return InvalidInput(
        f"the {mark} here is never closed{within}",
        at=place(text, start, at),
        fix=f"close it with {_CLOSING.get(mark, mark)}",
    )
