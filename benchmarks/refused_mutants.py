"""Changes of a query that BigQuery refuses for certain, whatever the query is: operators on its tokens.

An operator gets the text and yields edits. Each is made where the text alone proves that the result is refused: a
literal compared with becomes TRUE (nothing that compares with a string, number or date compares with BOOL), a name that
nothing can have takes the place of one, a plain key leaves a GROUP BY while the SELECT still gives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from etl_orchestrator.sql.tokens import COMMENTS, Kind, tokenize


class Edit(NamedTuple):
    start: int
    end: int
    new: str


class Text:
    """A query with its tokens, comments left out."""

    def __init__(self, sql: str, first_column: str) -> None:
        self.sql = sql
        self.first_column = first_column  # of its output
        self.tokens = [token for token in tokenize(sql) if token.kind not in COMMENTS]
        self.words = [token.text.upper() for token in self.tokens]
        self.depths: list[int] = []
        depth = 0
        for token in self.tokens:
            depth -= token.kind is Kind.CLOSE
            self.depths.append(depth)
            depth += token.kind is Kind.OPEN

    def places(self, *words: str) -> Iterator[int]:
        """Where these words follow each other."""
        for index in range(len(self.words) - len(words) + 1):
            if tuple(self.words[index : index + len(words)]) == words:
                yield index

    def word(self, index: int) -> str:
        return self.words[index] if 0 <= index < len(self.words) else ""

    def close_of(self, index: int) -> int:
        """The bracket that closes the one at the index."""
        return next(i for i in range(index + 1, len(self.tokens)) if self.depths[i] == self.depths[index])

    def proves(self, edit: Edit) -> bool:
        """False within a function of ANY TYPE, whose body is judged only where it is called, if it is."""
        bounds = [0, *(token.end for token in self.tokens if token.kind is Kind.SEMICOLON), len(self.sql)]
        start = max(bound for bound in bounds if bound <= edit.start)
        end = min(bound for bound in bounds if bound > edit.start or bound == len(self.sql))
        return re.search(r"\bANY\s+TYPE\b", self.sql[start:end], re.IGNORECASE) is None

    def instead(self, index: int, new: str) -> Edit:
        token = self.tokens[index]
        return Edit(token.start, token.end, new)

    def before(self, index: int, new: str) -> Edit:
        start = self.tokens[index].start
        return Edit(start, start, new)


Operator = Callable[[Text], Iterator[Edit]]

_COMPARISONS = {"=", "!=", "<>", "<", ">", "<=", ">="}
_CLAUSES = {"WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", ";", ")"}
_ONE_ARGUMENT = {"LOWER", "UPPER", "COUNTIF", "ABS", "REVERSE", "SUM", "MAX", "MIN", "AVG", "LENGTH", "LOGICAL_OR"}
_TWO_ARGUMENTS = {"IFNULL", "NULLIF", "SAFE_DIVIDE", "STARTS_WITH"}
_CALLED = _ONE_ARGUMENT | {"COALESCE", "DATE", "DATE_SUB", "DATE_ADD", "COUNT", "TIMESTAMP", "CONCAT", "SPLIT"}


def _selects(text: Text) -> Iterator[int]:
    """The first token of the list of every SELECT that gives plain rows."""
    for index in text.places("SELECT"):
        first = index + 1
        if text.word(first) not in ("AS", "DISTINCT", "ALL", "WITH"):
            yield first


def _last_select(text: Text) -> int | None:
    """The list of the outermost SELECT, where there is but one at that level."""
    found = [first for first in _selects(text) if text.depths[first - 1] == 0]
    return found[0] if len(found) == 1 else None


def added(expression: str) -> Operator:
    """One more column in a list."""

    def operator(text: Text) -> Iterator[Edit]:
        for first in _selects(text):
            yield text.before(first, f"{expression}, ")

    return operator


def _literal_compared(kind: Kind) -> Operator:
    def operator(text: Text) -> Iterator[Edit]:
        for index, token in enumerate(text.tokens):
            if token.kind is kind and text.word(index - 1) in _COMPARISONS:
                yield text.instead(index, "TRUE")

    return operator


def parameter_compared(text: Text) -> Iterator[Edit]:
    for index in text.places("@SUBMISSION_DATE"):
        if text.word(index - 1) in _COMPARISONS:
            yield text.instead(index, "TRUE")


def parameter_unknown(text: Text) -> Iterator[Edit]:
    for index, token in enumerate(text.tokens):
        if token.kind is Kind.PARAMETER:
            yield text.instead(index, "@zz_no_parameter")


def parameter_of_wrong_type(text: Text) -> Iterator[Edit]:
    for index in text.places("@SUBMISSION_DATE"):
        yield text.instead(index, "LOWER(@submission_date)")


def in_list(text: Text) -> Iterator[Edit]:
    for index in text.places("IN", "("):
        if text.tokens[index + 2].kind is Kind.STRING:
            yield text.instead(index + 2, "TRUE")


def case_branch(text: Text) -> Iterator[Edit]:
    """`THEN 'x' ... ELSE 'y'` with a number for the last one, which a string literal is not coerced to."""
    for index in text.places("ELSE"):
        then = next((i for i in range(index, 0, -1) if text.words[i] == "THEN"), 0)
        strings = text.tokens[index + 1].kind is text.tokens[then + 1].kind is Kind.STRING
        if strings and text.word(index + 2) == "END" and text.depths[then] == text.depths[index]:
            yield text.instead(index + 1, "CURRENT_DATE()")


def cast_to_unknown_type(text: Text) -> Iterator[Edit]:
    for index in text.places("CAST", "("):
        close = text.close_of(index + 1)
        if text.word(close - 2) == "AS":
            yield text.instead(close - 1, "NO_TYPE_ZZ")


def function_unknown(text: Text) -> Iterator[Edit]:
    for index, token in enumerate(text.tokens):
        if text.words[index] in _CALLED and text.word(index + 1) == "(" and text.word(index - 1) != ".":
            yield text.instead(index, f"{token.text}_ZZ")


def _one_argument_more(names: set[str], commas: int) -> Operator:
    def operator(text: Text) -> Iterator[Edit]:
        for index in range(len(text.tokens) - 1):
            if text.words[index] not in names or text.words[index + 1] != "(" or text.word(index - 1) == ".":
                continue
            close = text.close_of(index + 1)
            inner = [
                i for i in range(index + 2, close) if text.words[i] == "," and text.depths[i] == text.depths[close] + 1
            ]
            if close > index + 2 and len(inner) == commas:
                yield text.before(close, ", 1")

    return operator


def in_where(condition: str) -> Operator:
    def operator(text: Text) -> Iterator[Edit]:
        for index in text.places("WHERE"):
            yield text.before(index + 1, f"{condition} AND ")

    return operator


def _keys(text: Text, group: int) -> list[tuple[int, int]]:
    """The keys of a GROUP BY, as ranges of tokens."""
    depth, start, found = text.depths[group], group + 2, []
    for index in range(start, len(text.tokens) + 1):
        ends = index == len(text.tokens) or text.depths[index] < depth or text.words[index] in _CLAUSES
        at_depth = index < len(text.tokens) and text.depths[index] == depth
        if index < len(text.tokens) and text.depths[index] > depth:
            continue
        if ends or (at_depth and text.words[index] == ","):
            if index > start:
                found.append((start, index))
            start = index + 1
        if ends:
            break
    return found


def _items(text: Text, group: int) -> list[str]:
    """The texts of the SELECT list that a GROUP BY belongs to; none when it cannot be told."""
    depth = text.depths[group]
    for index in range(group - 1, -1, -1):
        if text.depths[index] < depth or (text.depths[index] == depth and text.words[index] in ("UNION", "|>", ";")):
            return []
        if text.depths[index] == depth and text.words[index] == "SELECT":
            break
    else:
        return []
    items: list[str] = []
    words: list[str] = []
    for i in range(index + 1, group):
        if text.depths[i] == depth and text.words[i] in (",", "FROM"):
            items.append(" ".join(words))
            words = []
            if text.words[i] == "FROM":
                return items
        else:
            words.append(text.words[i])
    return []


def _simple(text: Text, key: tuple[int, int]) -> bool:
    tokens = text.tokens[key[0] : key[1]]
    return all(token.kind in (Kind.NAME, Kind.DOT) for token in tokens) and text.words[key[0]] not in ("ALL", "ROLLUP")


def group_key_missing(text: Text) -> Iterator[Edit]:
    for group in text.places("GROUP", "BY"):
        keys, items = _keys(text, group), _items(text, group)
        if len(keys) < 2 or not all(_simple(text, key) for key in keys):
            continue
        said = [" ".join(text.words[start:end]) for start, end in keys]
        for place, (start, end) in enumerate(keys):
            name = said[place].rpartition(". ")[2]
            same = [key for key in said if key.rpartition(". ")[2] == name or said[place].startswith(f"{key} ")]
            if said[place] in items and len(same) == 1:
                first = text.tokens[keys[place - 1][1] - 1].end if place else text.tokens[start].start
                last = text.tokens[end - 1].end if place else text.tokens[keys[1][0]].start
                yield Edit(first, last, "")


def column_not_grouped(text: Text) -> Iterator[Edit]:
    """A plain column that the list aggregates, given as it is too."""
    for group in text.places("GROUP", "BY"):
        keys = _keys(text, group)
        if not keys or not all(_simple(text, key) for key in keys):
            continue
        named = {word for start, end in keys for word in text.words[start:end]}
        depth = text.depths[group]
        select = next((i for i in range(group, -1, -1) if text.words[i] == "SELECT" and text.depths[i] == depth), None)
        if select is None or text.word(select + 1) in ("AS", "DISTINCT") or not _items(text, group):
            continue
        for index in range(select, group - 3):
            if text.words[index] in ("SUM", "AVG", "COUNTIF") and text.words[index + 1] == "(":
                column = text.tokens[index + 2]
                plain = column.kind is Kind.NAME and text.words[index + 3] == ")" and text.depths[index] == depth
                if plain and column.text.upper() not in named and text.word(index + 4) != "OVER":
                    yield text.before(select + 1, f"{column.text} AS zz_ungrouped, ")


def join_without_condition(text: Text) -> Iterator[Edit]:
    for index in text.places("USING", "("):
        close = text.close_of(index + 1)
        yield Edit(text.tokens[index].start, text.tokens[close].end, "")


def using_unknown(text: Text) -> Iterator[Edit]:
    for index in text.places("USING", "("):
        yield text.before(index + 2, "zz_no_column, ")


def except_unknown(text: Text) -> Iterator[Edit]:
    for index in text.places("*", "EXCEPT", "("):
        yield text.before(index + 3, "zz_no_column, ")


def output_twice(text: Text) -> Iterator[Edit]:
    """Only the outermost list must not give a name twice."""
    first = _last_select(text)
    if first is not None and text.first_column and not re.fullmatch(r"f\d+_", text.first_column):
        yield text.before(first, f"1 AS `{text.first_column}`, ")


def union_of_other_width(text: Text) -> Iterator[Edit]:
    for mode in ("ALL", "DISTINCT"):
        for index in text.places("UNION", mode, "SELECT"):
            if text.word(index + 3) not in ("AS", "DISTINCT"):
                yield text.before(index + 3, "1, ")


def union_of_other_type(text: Text) -> Iterator[Edit]:
    """The first column of the second query of a union, where a string literal stands in the first."""
    for index in text.places("UNION", "ALL", "SELECT"):
        literal = text.tokens[index + 3]
        if literal.kind is Kind.STRING and text.word(index + 4) in ("AS", ","):
            yield text.instead(index + 3, "CURRENT_DATE()")


def limit_of_text(text: Text) -> Iterator[Edit]:
    for index in text.places("LIMIT"):
        if text.tokens[index + 1].kind is Kind.NUMBER:
            yield text.instead(index + 1, "'many'")


def _aliases(text: Text) -> set[str]:
    """Names that FROM and JOIN give to tables and subqueries. Those of UNNEST are left out: what they name may be JSON,
    of which every field may be asked."""
    found: set[str] = set()
    others: set[str] = set()
    for index in text.places("AS"):
        before, name = index - 1, text.word(index + 1)
        start = before
        if text.word(before) == ")":
            opening = [i for i in range(before) if text.words[i] == "(" and text.depths[i] == text.depths[before]]
            start = opening[-1] if opening else before
        path = text.tokens[start].kind is Kind.QUOTED_NAME and text.tokens[start].text.count(".") >= 2
        table = text.word(start - 1) in ("FROM", "JOIN") and (path or text.word(start + 1) == "SELECT")
        (found if table else others).add(name)
    unnested = {text.word(text.close_of(index + 1) + 1) for index in text.places("UNNEST", "(")}
    return {name for name in found - others - unnested if re.fullmatch(r"[A-Z_][A-Z_0-9]*", name)}


def _qualified(text: Text) -> Iterator[int]:
    """`alias.column` with nothing before or after the dots."""
    aliases = _aliases(text)
    for index in range(1, len(text.tokens) - 3):
        kinds = [token.kind for token in text.tokens[index : index + 3]]
        alone = text.word(index - 1) != "." and text.word(index + 3) not in (".", "(")
        if alone and text.words[index] in aliases and kinds == [Kind.NAME, Kind.DOT, Kind.NAME]:
            yield index


def alias_unknown(text: Text) -> Iterator[Edit]:
    for index in _qualified(text):
        yield text.instead(index, f"{text.tokens[index].text}_zz")


def column_unknown(text: Text) -> Iterator[Edit]:
    for index in _qualified(text):
        yield text.instead(index + 2, f"{text.tokens[index + 2].text}_zz")


def table_unknown(text: Text) -> Iterator[Edit]:
    for index, token in enumerate(text.tokens):
        path = token.kind is Kind.QUOTED_NAME and token.text.count(".") == 2
        if path and text.word(index - 1) in ("FROM", "JOIN") and "*" not in token.text:
            yield text.instead(index, f"{token.text[:-1]}_zz`")


def query_named_twice(text: Text) -> Iterator[Edit]:
    for index in text.places("WITH"):
        if text.word(index + 2) == "AS" and text.word(index + 3) == "(":
            yield text.before(index + 1, f"{text.tokens[index + 1].text} AS (SELECT 1 AS zz), ")


def order_beyond(text: Text) -> Iterator[Edit]:
    """The ordering of the whole result."""
    for index in text.places("ORDER", "BY"):
        if text.depths[index] == 0:
            yield text.before(index + 2, "9999, ")


OPERATORS: dict[str, Operator] = {
    "unknown column, added": added("zz_no_column"),
    "unknown column, a letter more": column_unknown,
    "unknown alias": alias_unknown,
    "unknown table": table_unknown,
    "unknown function": function_unknown,
    "unknown parameter": parameter_unknown,
    "unknown column in USING": using_unknown,
    "unknown column in EXCEPT": except_unknown,
    "unknown type in CAST": cast_to_unknown_type,
    "bad cast": added("CAST(CURRENT_DATE() AS INT64) AS zz_cast"),
    "one argument more": _one_argument_more(_ONE_ARGUMENT, 0),
    "a third argument of two": _one_argument_more(_TWO_ARGUMENTS, 1),
    "too few arguments": added("STARTS_WITH('a') AS zz_arity"),
    "argument of a wrong type": added("LOWER(CURRENT_DATE()) AS zz_type"),
    "INT64 = STRING": added("LENGTH('a') = CONCAT('1', '') AS zz_equal"),
    "INT64 = '1'": added("LENGTH('a') = '1' AS zz_equal"),
    "sum of date and text": added("CURRENT_DATE() + CONCAT('a', 'b') AS zz_sum"),
    "field of a text": added("CONCAT('a', 'b').part AS zz_field"),
    "string literal compared": _literal_compared(Kind.STRING),
    "number compared": _literal_compared(Kind.NUMBER),
    "parameter compared": parameter_compared,
    "parameter of a wrong type": parameter_of_wrong_type,
    "type in an IN list": in_list,
    "type of a CASE branch": case_branch,
    "aggregate in WHERE": in_where("COUNT(*) > 0"),
    "window in WHERE": in_where("ROW_NUMBER() OVER () > 0"),
    "number for a condition": in_where("LENGTH('a')"),
    "missing GROUP BY key": group_key_missing,
    "column that is not grouped": column_not_grouped,
    "join without condition": join_without_condition,
    "ambiguous column": added("(SELECT zz FROM (SELECT 1 AS zz) CROSS JOIN (SELECT 2 AS zz)) AS zz_ambiguous"),
    "subquery of two columns": added("(SELECT 1, 2) AS zz_scalar"),
    "output column twice": output_twice,
    "named query twice": query_named_twice,
    "union of another width": union_of_other_width,
    "union of another type": union_of_other_type,
    "LIMIT of a text": limit_of_text,
    "ORDER BY beyond the columns": order_beyond,
}
