"""A fenced SELECT as steps: the person's own text, cut into sources, columns and conditions.

Only what a step can hold is taken: SELECT, FROM with joins, WHERE, GROUP BY of the columns that are no aggregates, HAVING,
QUALIFY, WITH, UNION. Anything else is refused, because leaving it out would change the result silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements
from etl_orchestrator.requirements import Body, Column, Source, Step
from etl_orchestrator.sql import expressions, scan
from etl_orchestrator.sql.scan import Token, dotted_path, shown, text_at

_CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT")
_REFUSED = {"WINDOW": "a WINDOW clause", "ORDER": "ORDER BY (a step has no order)", "LIMIT": "LIMIT"}
_JOIN_WORDS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"})
_FIX = "put it into steps that each have SELECT, FROM, WHERE, GROUP BY, HAVING and QUALIFY only, or give the whole as `query:`"


@dataclass(frozen=True, slots=True)
class Pool:
    """What the names behind FROM can mean: the sources of the table above by alias, and the steps so far. `read` keeps
    the aliases of the sources that a block has read, whatever it calls them."""

    sources: Mapping[str, Source]
    steps: frozenset[str]
    project: str
    read: set[str] = field(default_factory=set)

    def source(self, path: str, alias: str | None, at: str) -> Source:
        """The source of this name, with its filter, under the alias that the block gives it."""
        if path in self.steps:
            return Source(alias or path, path)
        known = self.sources.get(path)
        if known is None and "." in path:
            full = str(elements.table(path, self.project, at))
            same = [one for one in self.sources.values() if one.table == full]
            # A table that is listed twice is read under the alias meant, else one after the other.
            same.sort(key=lambda one: (one.alias != alias, one.alias in self.read))
            known = same[0] if same else Source("", full)
        if known is None:
            return Source(alias or path, elements.name(path, "step", at))
        self.read.add(known.alias)
        name = alias or path.rsplit(".", 1)[-1].rstrip("*")  # as GoogleSQL does
        filter_ = known.filter and _renamed(known.filter, known.alias, name)
        return replace(known, alias=name, filter=filter_, join=None, on=None)


def _renamed(text: str, old: str, new: str) -> str:
    """The filter with another alias before its columns."""
    if old == new:
        return text
    return re.sub(rf"(?<![\w.`]){re.escape(old)}(?=\s*\.)", new, text)


def steps(text: str, name: str, pool: Pool, at: str) -> list[Step]:
    """The steps that a block makes; the last one carries the name."""
    try:
        return _query(text.strip().rstrip(";").strip(), elements.name(name, "step", at), pool, at)
    except InvalidInput as error:
        message = error.message if error.at else f"the block `{name}` cannot be read: {error.message}"
        raise InvalidInput(message, at=error.at or at, fix=error.fix or _FIX) from None


def _query(text: str, name: str, pool: Pool, at: str) -> list[Step]:
    for mark in ("{{", "{%", "{#"):
        if mark in text:
            raise InvalidInput(f"Jinja `{mark}`", fix="use a query parameter (@submission_date) instead of Jinja")
    made: list[Step] = []
    text, pool = _with(text, pool, made, at)
    found = scan.tokens(text)
    if any(token.text == ";" for token in found):
        raise InvalidInput("it holds a second statement")
    if found and found[0].text == "(" and found[0].mate == len(found) - 1:
        return made + _query(text[found[0].end : found[-1].start], name, pool, at)
    pieces, distinct = _union(text, found)
    if len(pieces) == 1:
        return [*made, *_select(text, found, name, pool, at)]
    parts: list[str] = []
    for number, piece in enumerate(pieces, 1):
        parts.append(f"{name}_{number}")
        made += _query(piece, parts[-1], pool, at)
        pool = replace(pool, steps=pool.steps | {parts[-1]})
    return [*made, Step(name, Body(union=tuple(parts), union_distinct=distinct))]


def _with(text: str, pool: Pool, made: list[Step], at: str) -> tuple[str, Pool]:
    """The text behind the WITH clause; its parts become steps."""
    found = scan.tokens(text)
    if not found or found[0].upper != "WITH":
        return text, pool
    index = 1
    while True:
        opened = index + 2
        if text_at(found, opened - 1).upper() != "AS" or text_at(found, opened) != "(":
            raise InvalidInput(f"WITH is not followed by `name AS (…)` but by {shown(text[found[index].start :])}")
        closed = found[opened].mate
        name = elements.name(found[index].text, "step", at)
        made += _query(text[found[opened].end : found[closed].start].strip(), name, pool, at)
        pool = replace(pool, steps=pool.steps | {name})
        if text_at(found, closed + 1) != ",":
            return text[found[closed].end :].strip(), pool
        index = closed + 2


def _union(text: str, found: tuple[Token, ...]) -> tuple[list[str], bool]:
    pieces: list[str] = []
    start = 0
    kinds: set[str] = set()
    for index, token in enumerate(found):
        if token.depth or token.upper not in ("UNION", "INTERSECT", "EXCEPT") or text_at(found, index + 1) == "(":
            continue
        kind = text_at(found, index + 1).upper()
        if token.upper != "UNION" or kind not in ("ALL", "DISTINCT"):
            raise InvalidInput(f"{token.upper} {kind} is more than a step holds")
        kinds.add(kind)
        pieces.append(text[start : token.start].strip())
        start = found[index + 1].end
    if len(kinds) > 1:
        raise InvalidInput("UNION ALL and UNION DISTINCT are mixed")
    return [*pieces, text[start:].strip()], kinds == {"DISTINCT"}


def _select(text: str, found: tuple[Token, ...], name: str, pool: Pool, at: str) -> list[Step]:
    clauses = _clauses(text, found)
    made: list[Step] = []
    body = Body(sources=_from(clauses.get("FROM", ""), pool, made, at))
    selected = clauses["SELECT"]
    distinct = bool(re.match(r"DISTINCT\b", selected, re.IGNORECASE))
    selected = re.sub(r"\A(?:DISTINCT|ALL)\b\s*", "", selected, flags=re.IGNORECASE)
    columns = tuple(column(part, at) for part in scan.split(selected.rstrip().rstrip(",")))
    body = replace(
        body,
        columns=columns,
        distinct=distinct,
        where=elements.expression(clauses.get("WHERE"), at),
        having=elements.expression(clauses.get("HAVING"), at),
        qualify=elements.expression(clauses.get("QUALIFY"), at),
    )
    if "GROUP" in clauses and _group(clauses["GROUP"], columns):
        body = replace(body, distinct=True)
    return [*made, Step(name, body)]


def _clauses(text: str, found: tuple[Token, ...]) -> dict[str, str]:
    """The text of each clause by its first word."""
    starts: list[tuple[str, Token]] = []
    for index, token in enumerate(found):
        before = found[index - 1] if index else None
        if (
            token.depth
            or token.upper not in _CLAUSES
            or (before and (before.text == "." or before.upper == "DISTINCT"))
        ):
            continue
        starts.append((token.upper, token))
    if not starts or starts[0][0] != "SELECT" or starts[0][1].start != found[0].start:
        raise InvalidInput("it does not begin with SELECT or WITH")
    order = [_CLAUSES.index(word) for word, _ in starts]
    if order != sorted(set(order)):
        raise InvalidInput("its clauses are not in their order")
    for word, _ in starts:
        if word in _REFUSED:
            raise InvalidInput(f"it has {_REFUSED[word]}, which a step cannot hold")
    ends = [token.start for _, token in starts[1:]] + [len(text)]
    clauses = {}
    for (word, token), end in zip(starts, ends, strict=True):
        clauses[word] = text[token.end : end].strip()
    return clauses


def column(text: str, at: str) -> Column:
    """A column of a SELECT list; the name may stay away where the expression is a path."""
    found = scan.tokens(text)
    if not found:
        raise InvalidInput("a column is empty")
    star = next((place for place, token in enumerate(found) if token.text == "*" and not token.depth), None)
    if star == 0 or (star and found[star - 1].text == "."):
        expressions.check_star(text, at)
        return Column("*", text)
    if found[0].upper in ("AS", "STRUCT") and text_at(found, 1).upper() in ("STRUCT", "VALUE"):
        raise InvalidInput("SELECT AS STRUCT is more than a step holds")
    path, after = dotted_path(found, 0)
    if after == len(found):
        return Column(path[-1]) if len(path) == 1 else Column(path[-1], text)
    if len(found) > 2 and found[-2].upper == "AS" and not found[-2].depth:
        name, expression = found[-1].text, text[: found[-2].start].strip()
    elif len(found) > 1 and found[-1].kind in ("word", "quoted") and found[-1].upper not in ("END", "NULL"):
        name, expression = found[-1].text, text[: found[-1].start].strip()
    else:
        raise InvalidInput(f"the column {shown(text)} has no name", fix="add AS and a name")
    expressions.check_expression(expression, at)
    bare = elements.name(name, "column", at)
    return Column(bare) if expression == bare else Column(bare, expression)


def _group(text: str, columns: tuple[Column, ...]) -> bool:
    """Whether GROUP BY only makes rows distinct. Raises InvalidInput when it groups by other things than the columns that
    are no aggregates, for these are what a step groups by."""
    keys = re.sub(r"\ABY\b\s*", "", text, flags=re.IGNORECASE).rstrip().rstrip(",")
    plain = [column for column in columns if not expressions.is_aggregate(column.sql) and not column.is_star]
    if any(column.is_star for column in columns):
        raise InvalidInput("it groups by a star of columns")
    wanted = {column.name.lower() for column in plain}
    told = set()
    if keys.upper() in ("ALL", "()"):
        told = wanted
    else:
        for key in scan.split(keys):
            told.add(_grouped_column(key, columns))
    if told != wanted:
        missing = ", ".join(sorted(wanted - told)) or ", ".join(sorted(told - wanted))
        raise InvalidInput(f"GROUP BY and the columns that are no aggregates differ in {missing}")
    return len(plain) == len(columns)


def _grouped_column(key: str, columns: tuple[Column, ...]) -> str:
    if key.isdigit() and 0 < int(key) <= len(columns):
        return columns[int(key) - 1].name.lower()
    flat = " ".join(key.split()).lower()
    last = flat.rsplit(".", 1)[-1].strip("`")
    for column in columns:
        same_path = re.fullmatch(r"[\w.`]+", flat) and re.fullmatch(r"[\w.`]+", column.sql)
        if flat in (column.name.lower(), " ".join(column.sql.split()).lower()):
            return column.name.lower()
        if same_path and last == column.sql.lower().rsplit(".", 1)[-1].strip("`"):
            return column.name.lower()
    raise InvalidInput(f"it groups by {shown(key)}, which is none of its columns", fix="make it a column of the step")


def _from(text: str, pool: Pool, made: list[Step], at: str) -> tuple[Source, ...]:
    """The sources of a FROM clause. A subquery in brackets becomes a step of the name of its alias."""
    found = scan.tokens(text)
    sources: list[Source] = []
    index, join = 0, None
    while index < len(found):
        source, index = _item(text, found, index, pool, made, at)
        index, on = _condition(text, found, index)
        sources.append(replace(source, join=join, on=elements.on(on, at)))
        if index == len(found):
            break
        words = []
        if found[index].text == ",":
            words, index = ["CROSS"], index + 1
        while index < len(found) and (found[index].upper in _JOIN_WORDS or found[index].upper == "OUTER"):
            words.append(found[index].upper)
            index += 1
        if not words or index == len(found):
            raise InvalidInput(f"FROM holds {shown(text[found[min(index, len(found) - 1)].start :])}")
        join = elements.join(" ".join(words), at)
    return tuple(sources)


def _item(text: str, found: tuple[Token, ...], index: int, pool: Pool, made: list[Step], at: str) -> tuple[Source, int]:
    token = found[index]
    if token.upper == "UNNEST" and text_at(found, index + 1) == "(":
        closed = found[index + 1].mate
        array = text[found[index + 1].end : found[closed].start].strip()
        alias, after = _alias(found, closed + 1)
        offset = None
        if text_at(found, after).upper() == "WITH" and text_at(found, after + 1).upper() == "OFFSET":
            offset, after = _alias(found, after + 2)
            offset = offset or "offset"
        if alias is None:
            raise InvalidInput(f"{shown(text[token.start :])} has no alias", fix="add AS and a name")
        return Source(alias, unnest=elements.expression(array, at), offset=offset), after
    if token.text == "(":
        alias, after = _alias(found, token.mate + 1)
        if alias is None:
            raise InvalidInput("a subquery has no alias", fix="add AS and a name")
        made += _query(text[token.end : found[token.mate].start].strip(), alias, pool, at)
        return Source(alias, alias), after
    path, after = dotted_path(found, index, dashes=True)
    if not path:
        raise InvalidInput(f"FROM holds {shown(text[token.start :])}")
    alias, after = _alias(found, after)
    return pool.source(".".join(path), alias, at), after


def _alias(found: tuple[Token, ...], index: int) -> tuple[str | None, int]:
    if text_at(found, index).upper() == "AS":
        return found[index + 1].text.strip("`") if index + 1 < len(found) else None, index + 2
    token = found[index] if index < len(found) else None
    if token and token.kind in ("word", "quoted") and token.upper not in _JOIN_WORDS | {"ON", "USING", "WITH", "OUTER"}:
        return token.text.strip("`"), index + 1
    return None, index


def _condition(text: str, found: tuple[Token, ...], index: int) -> tuple[int, str | None]:
    """The text behind ON or USING, up to the next join."""
    if text_at(found, index).upper() not in ("ON", "USING"):
        return index, None
    start = index + 1
    index = start
    while index < len(found):
        token = found[index]
        is_call = text_at(found, index + 1) == "("  # LEFT(name, 3) is a function
        if not token.depth and (token.text == "," or (token.upper in _JOIN_WORDS and not is_call)):
            break
        index += 1
    end = found[index].start if index < len(found) else len(text)
    return index, text[found[start].start : end].strip()
