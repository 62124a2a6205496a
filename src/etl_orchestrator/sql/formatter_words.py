"""The vocabulary of the layout: what each word or mark does to lines, blanks and capitals.

A `Role` is a row of a table, not a class of its own. Phrases are looked up in a tree of words, the longest phrase wins.
The lists are those of mozilla/bigquery-etl's style (its CI accepts nothing else), which follow
https://cloud.google.com/bigquery/docs/reference/standard-sql.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from enum import Enum, auto

from etl_orchestrator.sql.tokens import RESERVED


class Level(Enum):
    """What a level of indentation was opened by; only its own kind closes it."""

    CLAUSE = auto()
    PIPE = auto()
    BRACKET = auto()
    BLOCK = auto()
    CASE = auto()
    JINJA = auto()


@dataclass(frozen=True, eq=False)
class Role:
    """How a token is laid out. `closes` and `opens` are levels of indentation, left before and entered after it."""

    name: str
    capitals: bool = False  # written in capitals, its words one blank apart
    breaks_before: bool = False
    breaks_after: bool = False
    bracket_blank: bool = False  # a blank stands between it and a following bracket
    ends_operand: bool = False  # an operator after it has two operands
    is_operator: bool = False
    is_value: bool = False  # sticks to an operator with one operand
    drops_break: bool = False  # follows END and Jinja on their line
    is_jinja: bool = False
    is_comment: bool = False
    closes: Level | None = None
    opens: Level | None = None


KEYWORD = Role("keyword", capitals=True)
SPACED = Role("keyword before a blank and a bracket", capitals=True, bracket_blank=True)
ALIAS = Role("AS before a name", capitals=True, bracket_blank=True, drops_break=True)
NEWLINE = Role("keyword on a new line", capitals=True, breaks_before=True, bracket_blank=True)
CLAUSE = Role(
    "keyword of a clause",
    capitals=True,
    breaks_before=True,
    breaks_after=True,
    bracket_blank=True,
    closes=Level.CLAUSE,
    opens=Level.CLAUSE,
)
WITH = Role("WITH", capitals=True, breaks_before=True, bracket_blank=True, closes=Level.CLAUSE)
WHEN = Role("WHEN or ELSE of a CASE", True, True, bracket_blank=True, closes=Level.CASE, opens=Level.CASE)
THEN = Role("THEN of a CASE", True, True, bracket_blank=True, opens=Level.CASE)
BLOCK_START = Role("start of a block", True, True, True, opens=Level.BLOCK)
BLOCK_MIDDLE = Role("next part of a block", True, True, True, closes=Level.BLOCK, opens=Level.BLOCK)
BLOCK_END = Role("end of a block", True, True, True, closes=Level.BLOCK)
FUNCTION = Role("built-in function", capitals=True, ends_operand=True, is_value=True)
VALUE = Role("identifier or literal", ends_operand=True, is_value=True)
OPERATOR = Role("operator", bracket_blank=True, is_operator=True)
PIPE = Role("pipe", False, True, True, True, is_operator=True, closes=Level.PIPE, opens=Level.PIPE)
DOT = Role("dot", is_operator=True, drops_break=True)
COMMA = Role("comma", breaks_after=True, drops_break=True)
SEMICOLON = Role("semicolon", breaks_after=True)
OPEN = Role("opening bracket", breaks_after=True, opens=Level.BRACKET)
CLOSE = Role("closing bracket", breaks_before=True, ends_operand=True, closes=Level.BRACKET)
LINE_COMMENT = Role("line comment", breaks_after=True, is_comment=True)
BLOCK_COMMENT = Role("block comment", breaks_after=True, is_comment=True)
JINJA_COMMENT = Role("Jinja comment", breaks_after=True, is_comment=True, is_jinja=True)
JINJA_EXPRESSION = Role("Jinja expression", is_jinja=True)
JINJA_STATEMENT = Role("Jinja statement", breaks_after=True, is_jinja=True)
JINJA_START = Role("start of a Jinja block", False, True, True, is_jinja=True, opens=Level.JINJA)
JINJA_MIDDLE = Role("Jinja else", False, True, True, is_jinja=True, closes=Level.JINJA, opens=Level.JINJA)
JINJA_END = Role("end of a Jinja block", False, True, True, is_jinja=True, closes=Level.JINJA)
OTHER = Role("other")


@dataclass(frozen=True)
class Guard:
    """A phrase is none when one of `words` follows it (directly, with `adjacent`).

    It then plays `otherwise`; without that, a shorter phrase is looked for.
    """

    words: frozenset[str]
    adjacent: bool = False
    otherwise: Role | None = None


@dataclass
class Node:
    """A place in the tree of phrases: `role` where a phrase ends, `then` for the words that may follow."""

    role: Role | None = None
    guard: Guard | None = None
    then: dict[str, Node] = field(default_factory=dict)


# Notation: [A|B] is optional, {A|B} is a choice.
_PHRASES: list[tuple[Role, str]] = [
    (KEYWORD, " ; ".join(sorted(RESERVED))),
    (
        KEYWORD,
        """
        DAY ; DAYOFWEEK ; DAYOFYEAR ; HOUR ; ISOWEEK ; ISOYEAR ; MICROSECOND ; MILLISECOND ; MINUTE ; MONTH ; QUARTER ;
        SECOND ; WEEK ; YEAR ; CURRENT ROW ; HAVING {MAX|MIN} ; NULLS {FIRST|LAST} ; OUT ; INOUT ; PERCENT ;
        REPLACE
        """,
    ),
    (
        KEYWORD,
        """
        BIGDECIMAL ; BIGINT ; BIGNUMERIC ; BOOL ; BOOLEAN ; BYTEINT ; BYTES ; DATE ; DATETIME ; DECIMAL ; FLOAT64 ;
        GEOGRAPHY ; INT ; INT64 ; INTEGER ; JSON ; NUMERIC ; SMALLINT ; STRING ; TIME ; TIMESTAMP ; TINYINT
        """,
    ),
    (
        SPACED,
        """
        EXISTS ; [NOT] IN ; IS [NOT] DISTINCT FROM ; IS [NOT] NULL ; IS [NOT] {TRUE|FALSE} ;
        [NOT] LIKE [ANY|SOME|ALL] ; NOT BETWEEN ; NOT ; CUBE ; GROUPING SETS ; INTERVAL ; OVER ; ROLLUP
        """,
    ),
    (
        NEWLINE,
        """
        ASSERT ; BY ; FOR [SYSTEM_TIME AS OF] ; INTO ; ON ; PIVOT ; TABLESAMPLE SYSTEM ;
        UNPIVOT [INCLUDE NULLS|EXCLUDE NULLS] ; USING ; WITH OFFSET ;
        CREATE [OR REPLACE] [TEMPORARY|TEMP] [AGGREGATE] FUNCTION [IF NOT EXISTS] ;
        CREATE [OR REPLACE] TABLE FUNCTION [IF NOT EXISTS] ; RETURNS ; LANGUAGE ; AND ; BETWEEN ; OR ;
        BREAK ; CALL ; CONTINUE ; DECLARE ; ITERATE ; LEAVE ; RAISE [USING MESSAGE] ; RETURN ; UNTIL ; WHILE
        """,
    ),
    (
        CLAUSE,
        """
        ALTER TABLE [IF EXISTS] ; CREATE [OR REPLACE] [TEMPORARY|TEMP] TABLE [IF NOT EXISTS] ;
        CREATE SNAPSHOT TABLE [IF NOT EXISTS] ; CREATE [OR REPLACE] [MATERIALIZED] VIEW [IF NOT EXISTS] ;
        DROP ; DROP {TABLE|SNAPSHOT TABLE|VIEW|MATERIALIZED VIEW} [IF EXISTS] ; AS ; CLONE ; CLUSTER BY ; OPTIONS ;
        DELETE [FROM] ; INSERT [INTO] ; VALUES ; MERGE [INTO] ; WHEN MATCHED ; UPDATE ; SET ;
        WHEN NOT MATCHED [BY SOURCE|BY TARGET] ; BEGIN TRANSACTION ; COMMIT [TRANSACTION] ; EXECUTE IMMEDIATE ;
        ROLLBACK [TRANSACTION] ; SELECT [ALL|DISTINCT] [AS STRUCT|AS VALUE] ; FROM ; CROSS JOIN ; [INNER] JOIN ;
        {FULL|LEFT|RIGHT} [OUTER] JOIN ; WHERE ; GROUP BY ; HAVING ; QUALIFY ; WINDOW ; PARTITION BY ;
        RANGE [BETWEEN] ; ROWS [BETWEEN] ; ORDER BY ; LIMIT ;
        [INNER|OUTER|FULL|FULL OUTER|LEFT|LEFT OUTER] {UNION ALL|UNION DISTINCT|INTERSECT DISTINCT|EXCEPT DISTINCT}
        [BY NAME|CORRESPONDING|STRICT CORRESPONDING] ; AGGREGATE ; EXTEND ; GROUP AND ORDER BY ; RENAME
        """,
    ),
    (WITH, "WITH"),
    (WHEN, "WHEN"),
    # THEN and ELSE belong to a CASE or to an IF: decided where they stand.
    (WHEN, "ELSE"),
    (THEN, "THEN"),
    (
        BLOCK_START,
        "CREATE OR REPLACE PROCEDURE ; CREATE PROCEDURE [IF NOT EXISTS] ; IF ; LOOP ; CASE ; DO ; REPEAT",
    ),
    (BLOCK_MIDDLE, "BEGIN ; EXCEPTION WHEN ERROR THEN ; ELSEIF"),
    (BLOCK_END, "END [WHILE|LOOP|IF|FOR|REPEAT]"),
]
_BRACKET = frozenset("(")
_GUARDS: list[tuple[Guard, str]] = [
    # IF( and REPEAT( are functions, and so are the types that convert; RANGE< and RANGE( are a type and a constructor.
    (Guard(_BRACKET, otherwise=KEYWORD), "IF"),
    (Guard(_BRACKET, adjacent=True), "REPEAT"),
    (Guard(frozenset("(<"), adjacent=True, otherwise=KEYWORD), "RANGE"),
    (Guard(_BRACKET), "BOOL ; DATE ; DATETIME ; FLOAT64 ; INT64 ; STRING ; TIME ; TIMESTAMP"),
    (Guard(_BRACKET), "HAVING {MAX|MIN}"),
    # Names of functions and of datasets that are written like keywords.
    (Guard(frozenset(".")), "ASSERT ; BYTES ; JSON"),
    (Guard(frozenset({"FUNCTION"})), "CREATE [OR REPLACE] {TEMPORARY|TEMP} TABLE"),
]


def _expand(phrase: str) -> list[tuple[str, ...]]:
    """All the ways to say a phrase, as tuples of words."""
    parts: list[list[str]] = []
    for optional, choice, word in re.findall(r"\[([^]]*)\]|\{([^}]*)\}|(\S+)", phrase):
        parts.append(["", *optional.split("|")] if optional else choice.split("|") if choice else [word])
    return [tuple(" ".join(said).split()) for said in itertools.product(*parts)]


def _grow() -> dict[str, Node]:
    root = Node()

    def nodes(phrases: str) -> list[Node]:
        found = []
        for words in itertools.chain.from_iterable(_expand(phrase) for phrase in phrases.split(";")):
            node = root
            for word in words:
                node = node.then.setdefault(word, Node())
            found.append(node)
        return found

    for role, phrases in _PHRASES:  # a later row overrides an earlier one
        for node in nodes(phrases):
            node.role = role
    for guard, phrases in _GUARDS:
        for node in nodes(phrases):
            node.guard = guard
    return root.then


PHRASES = _grow()
