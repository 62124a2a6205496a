"""What one row means: which output columns the words of the grain name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from etl_orchestrator.requirements import Body, Column, Request
from etl_orchestrator.sql import expressions

_PER = re.compile(r"\b(?:per|for each|for every|each|every|by)\b", re.IGNORECASE)
#: Where the words that name keys end and the sentence goes on.
_END = re.compile(
    r"[.;(:]|,?\s+\b(?:for|with|that|which|where|who|whose|if|when|while|including|so|because|in|of|from|during|within|after|"
    r"having|but|as|to|at)\b|,?\s+\b(?:on|is|are)\b(?!\s+(?:each|every))",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r",|\band\b|\bx\b|×|\+|/|&|\bper\b|\bon each\b|\bon every\b|\bby\b", re.IGNORECASE)
_EMPTY = frozenset(
    {"the", "a", "an", "each", "every", "distinct", "unique", "single", "one", "row", "rows", "combination", "same"}
)
_TIMES = {
    "day": ("_date", "_day", "date", "day"), "date": ("_date", "date"), "hour": ("_hour", "hour", "_start"),
    "month": ("_month", "month", "month_start"), "week": ("_week", "week", "week_start"), "year": ("_year", "year"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns that words name, in their order, and the words that name none."""

    names: tuple[str, ...]
    strange: tuple[str, ...] = ()


def keys_of(request: Request) -> Keys:
    """The columns of the grain: as listed, or recognised in its words."""
    names = [column.name for column in request.body.columns if not column.is_star]
    grain = request.grain
    if grain is None:
        return Keys(())
    if isinstance(grain, tuple):
        by_key = {name.lower(): name for name in names}
        listed = [key.strip("` ") for key in grain]
        strange = tuple(key for key in listed if key.lower() not in by_key)
        return Keys(tuple(by_key[key.lower()] for key in listed if key.lower() in by_key), strange)
    field = request.partitioning.field if request.partitioning else None
    return recognise(grain, names, field)


def recognised(words: str, names: Iterable[str]) -> tuple[str, ...]:
    """The columns that words name."""
    return recognise(words, list(names)).names


def recognise(words: str, names: Sequence[str], date_column: str | None = None) -> Keys:
    """`one row per client_id and day` names client_id and the column of days (the partition field, or the only one)."""
    found: dict[str, None] = {}
    strange: dict[str, None] = {}
    for phrase in _phrases(words, names):
        column = _column(phrase, names, date_column)
        if column:
            found[column] = None
        else:
            strange[phrase] = None
    return Keys(tuple(found), tuple(strange))


def _phrases(words: str, names: Sequence[str]) -> list[str]:
    """The pieces of the sentence that ought to name a column each."""
    text = " ".join(words.split())
    if not _PER.search(text):
        pieces = [piece.strip(" `") for piece in text.strip(".").split(",")]
        if all(re.fullmatch(r"\w+", piece) for piece in pieces):
            return pieces
        known = {name.lower() for name in names}
        return [token for token in re.findall(r"\w+", text) if token.lower() in known]
    found: list[str] = []
    for match in re.finditer(_PER, text):
        rest = text[match.end() :]
        end = _END.search(rest)
        for piece in _BETWEEN.split(rest[: end.start()] if end else rest):
            bare = [word for word in re.findall(r"[\w]+", piece) if word.lower() not in _EMPTY]
            if bare:
                found.append(" ".join(bare))
    return list(dict.fromkeys(found))


def _column(phrase: str, names: Sequence[str], date_column: str | None) -> str | None:
    """The column a phrase names: by its name, by its noun (`client` is client_id), or the column of days."""
    by_key = {name.lower(): name for name in names}
    whole = phrase.lower().replace(" ", "_")
    last = phrase.lower().split()[-1]
    for key in (whole, last):
        if key in by_key:
            return by_key[key]
    for key in (whole, singular(whole), last, singular(last)):
        alike = [
            name
            for low, name in by_key.items()
            if low in (key, f"{key}_id", f"{key}_code", f"{key}_name", f"{key}_key")
        ]
        if len(alike) == 1:
            return alike[0]
    for time, ends in _TIMES.items():
        if last in (time, f"{time}s"):
            return _of_time(ends, list(by_key.values()), date_column)
    return None


def _of_time(ends: Sequence[str], names: Sequence[str], date_column: str | None) -> str | None:
    """The column with one of these endings: the partition field among several, none where it is open."""
    for end in ends:
        dates = [name for name in names if name.lower().endswith(end)]
        if dates:
            return date_column if date_column in dates else dates[0] if len(dates) == 1 else None
    return date_column if date_column in names else None


def singular(word: str) -> str:
    """`city` of cities, `ride` of rides."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") else word


def is_grouped(body: Body) -> bool:
    """Whether the rows are put together: by an aggregate among the columns or in HAVING."""
    spoken = [column.expression for column in body.columns if not column.is_star] + [body.having]
    return body.having is not None or any(expressions.is_aggregate(text) for text in spoken if text)


def group_keys(body: Body) -> list[str]:
    """The output columns that are no aggregates."""
    return [column.name for column in body.columns if not column.is_star and not expressions.is_aggregate(column.sql)]


def is_constant(column: Column) -> bool:
    """Whether a column is the same in every row of a run: it reads nothing but literals and parameters."""
    text = column.expression
    if text is None or expressions.parsed(text) is None:
        return False
    return not expressions.columns(text) and "SELECT" not in text.upper() and not expressions.is_aggregate(text)
