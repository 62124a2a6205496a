"""Single GoogleSQL expressions: whether a text is exactly one, and what it speaks of.

sqlglot reads most of GoogleSQL; where it cannot, the scan of tokens below answers, so that nothing valid is refused.
What decides over safety and grouping (`check_expression`, `is_aggregate`, `has_window`) never needs sqlglot's opinion.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.scan import MAX_LENGTH, Token, dotted_path, shown, text_at, tokens

if TYPE_CHECKING:
    from sqlglot.expressions import Expression


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


#: Reserved words that begin a clause or a statement: none stands in an expression outside brackets.
_CLAUSES = words(
    """
    FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT QUALIFY WINDOW JOIN SELECT INTO USING ON INNER CROSS
    FULL NATURAL TABLESAMPLE LATERAL CREATE FETCH FOR AS BY SET DEFINE MERGE PARTITION
    """
)
_STATEMENTS = words(
    """
    INSERT UPDATE DELETE DROP ALTER TRUNCATE CALL EXECUTE DECLARE BEGIN GRANT REVOKE EXPORT LOAD ASSERT
    """
)
#: GoogleSQL's aggregate functions (function reference, "Aggregate functions", "Approximate", "HLL++", "Geography").
_AGGREGATES = words(
    """
    ANY_VALUE APPROX_COUNT_DISTINCT APPROX_QUANTILES APPROX_TOP_COUNT APPROX_TOP_SUM ARRAY_AGG ARRAY_CONCAT_AGG AVG
    BIT_AND BIT_OR BIT_XOR CORR COUNT COUNTIF COVAR_POP COVAR_SAMP GROUPING LOGICAL_AND LOGICAL_OR MAX MAX_BY MIN
    MIN_BY STDDEV STDDEV_POP STDDEV_SAMP STRING_AGG ST_CENTROID_AGG ST_EXTENT ST_UNION_AGG SUM VARIANCE VAR_POP
    VAR_SAMP HLL_COUNT.INIT HLL_COUNT.MERGE HLL_COUNT.MERGE_PARTIAL KLL_QUANTILES.INIT_INT64
    KLL_QUANTILES.INIT_FLOAT64 KLL_QUANTILES.MERGE_INT64 KLL_QUANTILES.MERGE_FLOAT64 KLL_QUANTILES.MERGE_PARTIAL
    KLL_QUANTILES.MERGE_POINT_INT64 KLL_QUANTILES.MERGE_POINT_FLOAT64
    """
)
_DATE_PARTS = words(
    """
    MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY DAYOFWEEK DAYOFYEAR WEEK ISOWEEK MONTH QUARTER YEAR ISOYEAR DATE
    TIME NFC NFKC NFD NFKD
    """
)
_KEYWORDS = (
    _CLAUSES
    | words(
        """
    ALL AND ANY ARRAY ASC AT BETWEEN CASE CAST COLLATE CONTAINS CURRENT DEFAULT DESC DISTINCT ELSE END ENUM ESCAPE
    EXCLUDE EXISTS EXTRACT FALSE FOLLOWING GROUPING GROUPS HASH IF IGNORE IN INTERVAL IS LIKE NEW NO NOT NULL NULLS
    OF OR OUTER OVER PRECEDING PROTO RANGE RECURSIVE RESPECT ROLLUP ROWS SOME STRUCT THEN TO TREAT TRUE UNBOUNDED
    UNNEST WHEN WITH WITHIN ZONE FORMAT OFFSET SAFE_OFFSET ORDINAL SAFE_ORDINAL INT64 FLOAT64 BOOL STRING BYTES
    NUMERIC BIGNUMERIC TIMESTAMP DATETIME JSON GEOGRAPHY CURRENT_DATE CURRENT_TIMESTAMP CURRENT_DATETIME
    CURRENT_TIME
    """
    )
    | _DATE_PARTS
)

#: Words before a bracket that are neither reserved nor functions.
_NO_CALLS = words("BIGDECIMAL CUBE DECIMAL KEY MATCH_RECOGNIZE PIVOT SETS SYSTEM UNPIVOT")


def check_expression(text: str, at: str) -> None:
    """Nothing, when the text is exactly one GoogleSQL expression. Raises InvalidInput otherwise: it must not be able to
    end the expression in which it will be pasted, begin a second statement, or be read by Jinja."""
    try:
        _check(text)
    except InvalidInput as error:
        raise InvalidInput(
            f"not one GoogleSQL expression: {error.message}, in {shown(text)}",
            at=at,
            fix=error.fix or "write exactly one expression, without alias, comment at its end, or second statement",
        ) from None


def _check(text: str) -> None:
    found = _safe_tokens(text)
    for index, token in enumerate(found):
        if token.depth:
            continue
        if token.text == ",":
            raise InvalidInput("a comma outside brackets")
        if token.text == "|>":
            raise InvalidInput("a pipe `|>`")
        word = "" if index and found[index - 1].text == "." else token.upper
        if word == "FROM" and index and found[index - 1].upper == "DISTINCT":
            continue
        if word == "WITH" and not text_at(found, index + 1) == "(":
            raise InvalidInput("the keyword WITH outside brackets")
        if word in _CLAUSES:
            raise InvalidInput(f"the keyword {word} outside brackets")
    if found[0].upper in _STATEMENTS and len(found) > 1 and found[1].kind in ("word", "quoted"):
        raise InvalidInput(f"a statement {found[0].upper}")
    if found[-1].text in (".", "=", "<", ">", "+", "-", "/", "||", "!=", "<>", "<=", ">=") or found[-1].upper in (
        "AND", "OR", "NOT", "IS", "IN", "LIKE", "BETWEEN", "THEN", "WHEN", "ELSE", "CASE",
    ):  # fmt: skip
        raise InvalidInput(f"it ends in `{found[-1].text}`")
    if _has_alias(text, found):
        raise InvalidInput(f"an alias or a second word `{found[-1].text}` at its end")


def _safe_tokens(text: str) -> tuple[Token, ...]:
    """The tokens, when there are any and none can reach out of the text."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"{len(text)} characters, more than {MAX_LENGTH}")
    for mark in ("{{", "{%", "{#"):
        if mark in text:
            raise InvalidInput(f"Jinja `{mark}`", fix="use a query parameter (@submission_date) instead of Jinja")
    found = tokens(text)
    if not found:
        raise InvalidInput("it is empty")
    if any(token.text == ";" for token in found):
        raise InvalidInput("a semicolon")
    if re.match(r"\s*(--|#)", text[found[-1].end :]) or re.search(
        r"(--|#)[^\n]*\Z", _without_blocks(text[found[-1].end :])
    ):
        raise InvalidInput("a comment at its end swallows what follows")
    return found


def _without_blocks(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _has_alias(text: str, found: tuple[Token, ...]) -> bool:
    """Whether the last word is an alias without AS (`a b`), as sqlglot reads it and the tokens allow."""
    from sqlglot import exp

    if len(found) < 2 or found[-1].kind not in ("word", "quoted") or found[-1].depth or found[-1].upper in _KEYWORDS:
        return False
    before = found[-2]
    if before.kind == "mark" or before.upper in _KEYWORDS - {"END", "NULL", "TRUE", "FALSE"}:
        return False
    tree = parsed(text)
    return isinstance(tree, exp.Alias)


def check_star(text: str, at: str) -> None:
    """Nothing, when the text is `*` or `alias.*` with EXCEPT or REPLACE; raises InvalidInput otherwise."""
    try:
        found = _safe_tokens(text)
        star = next((index for index, token in enumerate(found) if token.text == "*"), -1)
        rest = [token for token in found[star + 1 :] if not token.depth]
        words = [token.upper or token.text for token in rest]
        if star < 0 or " ".join(words) not in ("", "EXCEPT ( )", "REPLACE ( )", "EXCEPT ( ) REPLACE ( )"):
            raise InvalidInput("it is no star")
        if any(token.kind not in ("word", "quoted") and token.text != "." for token in found[:star]):
            raise InvalidInput("only an alias may stand before the star")
    except InvalidInput as error:
        raise InvalidInput(
            f"not a star of columns: {error.message}, in {shown(text)}", at=at, fix="write it as alias.* EXCEPT (a, b)"
        ) from None


def parsed(text: str) -> Expression | None:
    """sqlglot's tree of the expression, None when it does not know the construct (GoogleSQL is wider)."""
    return _parsed(text)


@lru_cache(maxsize=2048)
def _parsed(text: str) -> Expression | None:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(f"SELECT {text}", dialect="bigquery")
    except (SqlglotError, RecursionError, IndexError):  # IndexError: a bug of sqlglot 30.30 on `SELECT FROM`
        return None
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        return None
    only: Expression = tree.expressions[0].pop()
    return only


def is_aggregate(text: str) -> bool:
    """Whether the expression aggregates rows of its own SELECT; windows and subqueries do not count."""
    return any(not windowed for *_, windowed in _aggregate_calls(tokens(text)))


def has_window(text: str) -> bool:
    """Whether the expression holds a window call (`… OVER …`) outside subqueries."""
    found = tokens(text)
    return any(
        token.upper == "OVER" and not token.query and index and found[index - 1].text == ")"
        for index, token in enumerate(found)
    )


def _aggregate_calls(found: tuple[Token, ...]) -> list[tuple[int, str, bool]]:
    """Places and names of aggregate calls outside subqueries, each with whether OVER follows it."""
    calls = []
    for index, token in enumerate(found):
        if not token.upper or token.query or text_at(found, index + 1) != "(":
            continue
        name = _function(found, index)
        if name in _AGGREGATES:
            after = found[index + 1].mate + 1
            calls.append((index, name, after < len(found) and found[after].upper == "OVER"))
    return calls


def aggregates(text: str) -> tuple[tuple[str, str], ...]:
    """The aggregate calls outside windows and subqueries: the name, and all that stands in its brackets."""
    found = tokens(text)
    return tuple(
        (name, text[found[index + 1].end : found[found[index + 1].mate].start])
        for index, name, windowed in _aggregate_calls(found)
        if not windowed
    )


def calls(text: str) -> tuple[str, ...]:
    """The names without a dot that are called, subqueries included, as written and once each."""
    found = tokens(text)
    names: dict[str, None] = {}
    for index, token in enumerate(found):
        before = found[index - 1] if index else None
        if not token.upper or token.upper in _KEYWORDS | _NO_CALLS or text_at(found, index + 1) != "(":
            continue
        after = found[index + 1].mate + 1
        with_columns = [text_at(found, place).upper() for place in (after, after + 1)] == [
            "AS",
            "(",
        ]  # WITH t (a) AS (…)
        if not with_columns and (before is None or not (before.text == "." or before.upper in ("AS", "OVER"))):
            names[token.text] = None
    return tuple(names)


def _function(found: tuple[Token, ...], index: int) -> str:
    """The dotted name of a call, `SAFE.` left out."""
    parts = [found[index].upper]
    while index >= 2 and found[index - 1].text == ".":
        index -= 2
        parts.insert(0, found[index].text.upper())
    return ".".join(parts[1:] if parts[0] == "SAFE" else parts)


def columns(text: str) -> tuple[tuple[str | None, str], ...]:
    """The columns outside subqueries as (qualifier, name), in order and once each. Of a longer path the first two parts:
    whether the first is an alias or itself a column with parts only the sources can tell."""
    from sqlglot import exp

    tree = parsed(text)
    if tree is None:
        return _scanned_columns(text)
    found: dict[tuple[str | None, str], None] = {}
    for column in tree.find_all(exp.Column, bfs=False):
        parts = [part.name for part in column.parts]
        if column.find_ancestor(exp.Query) or "*" in parts or not parts[0] or _is_date_part(column, parts):
            continue
        found[(parts[0], parts[1]) if len(parts) > 1 else (None, parts[0])] = None
    return tuple(found)


def _is_date_part(column: Expression, parts: list[str]) -> bool:
    """Whether a bare word is DAY, NFKC or the like in the arguments of a function sqlglot does not know."""
    return (
        column.parent is not None
        and len(parts) == 1
        and parts[0].upper() in _DATE_PARTS
        and column.arg_key != "this"
        and column.index != 0
    )


def _scanned_columns(text: str) -> tuple[tuple[str | None, str], ...]:
    found = tokens(text)
    names: dict[tuple[str | None, str], None] = {}
    index = 0
    while index < len(found):
        path, after = dotted_path(found, index)
        token = found[index]
        before = found[index - 1] if index else token
        # Behind AS stands a type or an alias, except in WITH(name AS expression, …), where only a path is sure to be none.
        skip = token.query or token.upper in _KEYWORDS or before.text == "." or (before.upper == "AS" and len(path) < 2)
        if path and not skip and text_at(found, after) not in ("(", "=>", "->"):
            names[(path[0], path[1]) if len(path) > 1 else (None, path[0])] = None
        index = max(after, index + 1)
    return tuple(names)


def subquery_tables(text: str) -> tuple[str, ...]:
    """The tables that subqueries inside the expression read, as written without backticks; their own CTEs and aliases
    are left out. `alias.array` of the query around it looks like a table: only the sources can tell."""
    return tables_read(text, outside=False)


def tables_read(text: str, outside: bool = True) -> tuple[str, ...]:
    """The tables behind FROM and JOIN of a query, CTEs left out, in order; `outside` false: of its subqueries only."""
    found = tokens(text)
    ctes, aliases = _defined(found)
    names: dict[str, None] = {}
    for index, token in enumerate(found):
        if token.upper not in ("FROM", "JOIN") or not (outside or token.query) or not _in_query(found, index):
            continue
        if index and found[index - 1].upper == "DISTINCT":
            continue
        for place, path in _listed(found, index + 1):
            first = path[0].lower()
            is_array = len(path) > 1 and aliases.get(first, place) < place
            if not is_array and not (len(path) == 1 and first in ctes):
                names[".".join(path)] = None
    return tuple(names)


def _in_query(found: tuple[Token, ...], index: int) -> bool:
    """Whether the bracket around the token begins a query, unlike that of EXTRACT(DAY FROM x) or TRIM."""
    depth = found[index].depth
    for back in range(index - 1, -1, -1):
        if found[back].depth < depth:
            following = found[back + 1].upper
            return following in ("SELECT", "WITH", "FROM") or text_at(found, back + 1) == "("
    return True


def _listed(found: tuple[Token, ...], index: int) -> list[tuple[int, list[str]]]:
    """The table paths of a FROM item and of those behind its commas, each with its place."""
    paths = []
    depth = found[index].depth if index < len(found) else 0
    wanted = True
    while index < len(found) and found[index].depth >= depth:
        token = found[index]
        if token.depth == depth and token.upper in _CLAUSES - {"AS", "FOR"}:
            break
        if wanted:
            path, after = dotted_path(found, index, dashes=True)
            if path and text_at(found, after) != "(" and token.upper != "UNNEST":
                paths.append((index, path))
                index = after - 1
            wanted = False
        elif token.depth == depth and token.text == ",":
            wanted = True
        index += 1
    return paths


def _defined(found: tuple[Token, ...]) -> tuple[set[str], dict[str, int]]:
    """The names of CTEs (`name AS (`), and the aliases (`AS name`) with the place of their first definition."""
    ctes: set[str] = set()
    aliases: dict[str, int] = {}
    for index, token in enumerate(found):
        if token.upper != "AS" or not index or index + 1 >= len(found):
            continue
        if found[index + 1].text == "(":
            ctes.add(found[index - 1].text.strip("`").lower())
        else:
            aliases.setdefault(found[index + 1].text.strip("`").lower(), index)
    return ctes, aliases


def parameters(text: str) -> tuple[str, ...]:
    """Names of the query parameters (`@name`), in order and once each."""
    names = (token.text for token in tokens(text) if token.kind == "parameter" and not token.text.startswith("@@"))
    return tuple(dict.fromkeys(name[1:].strip("`").split(".")[0] for name in names))
