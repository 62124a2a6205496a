"""The pieces of a request, made from text and judged one by one: names, tables, types, expressions, joins.

Both forms of the file and the answers are read with these, so that a fault is the same fault everywhere. Everything here
raises InvalidInput with the place: malformed is not the same as missing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.requirements import Column, Parameter, Source
from etl_orchestrator.sql import scan
from etl_orchestrator.sql.expressions import check_expression
from etl_orchestrator.table import LEGACY_TYPES, MODES, TYPES, Field, Schema, TableRef

JOINS = ("INNER", "LEFT", "RIGHT", "FULL", "CROSS")
TIERS = ("tier_1", "tier_2", "tier_3")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}\Z")
_VERSION = re.compile(r"_v\d+\Z")


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The known words that look most like this one, best first."""
    by_key = {name.lower(): name for name in known}
    return [by_key[key] for key in difflib.get_close_matches(word.lower(), by_key, count, 0.5)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """A fix that names the nearest known word, or all of them."""
    names = list(known)
    close = nearest(word, names)
    return f"did you mean `{close[0]}`?" if close else f"known are {', '.join(names)}"


def name(text: str, what: str, at: str) -> str:
    """A name of a column, alias or step, backticks taken off."""
    bare = text.strip()
    if len(bare) > 2 and bare[0] == bare[-1] == "`":
        bare = bare[1:-1]
    if not _NAME.match(bare):
        raise InvalidInput(
            f"{scan.shown(text)} is not a name of a {what}",
            at=at,
            fix="use letters, digits and underscores, not beginning with a digit",
        )
    return bare


def table(text: str, project: str | None, at: str) -> TableRef:
    """A full table name; the project may be left out."""
    try:
        return TableRef.parse(text, project)
    except InvalidInput as error:
        raise InvalidInput(error.message, at=at, fix=error.fix) from None


def table_or_step(text: str, project: str | None, at: str) -> str:
    """The full name of a table, or the one-part name of a step."""
    bare = text.strip().replace("`", "")
    return name(bare, "step", at) if "." not in bare else str(table(bare, project, at))


def expression(text: str | None, at: str) -> str | None:
    """One GoogleSQL expression, None when there is none."""
    if text is None or not text.strip():
        return None
    check_expression(text, at)
    return text.strip()


def join(text: str | None, at: str) -> str | None:
    """The kind of a join in capitals: `left outer join` is LEFT."""
    if text is None or not text.strip():
        return None
    words = [word for word in text.upper().split() if word not in ("JOIN", "OUTER")]
    kind = words[0] if len(words) == 1 else "INNER" if not words and text.strip().upper() == "JOIN" else ""
    if kind not in JOINS:
        raise InvalidInput(f"`{text.strip()}` is not a kind of join", at=at, fix=f"one of {', '.join(JOINS)}")
    return kind


def matches(text: str | None, at: str) -> str | None:
    """How many rows of a joined source may match one row before it."""
    if text is None or not text.strip():
        return None
    word = re.split(r"\W+", text.strip().lower())[0]
    if word not in ("one", "many"):
        raise InvalidInput(f"`{text.strip()}` does not say how many rows match", at=at, fix="write one or many")
    return word


def on(text: str | None, at: str) -> str | None:
    """The condition of a join; names of columns equal on both sides stay a list (`key_names` reads it)."""
    if text is None or not text.strip():
        return None
    if key_names(text):
        return text.strip()
    return expression(re.sub(r"^\s*on\s+", "", text, flags=re.IGNORECASE), at)


def key_names(text: str) -> tuple[str, ...]:
    """The names, when the condition of a join is only a list of columns: `client_id, submission_date`, `USING (a)`."""
    bare = re.sub(r"^\s*(?:using|on)\b\s*", "", text.strip(), flags=re.IGNORECASE).strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    names = [part.strip().strip("`") for part in re.split(r",|\band\b|&|\+", bare, flags=re.IGNORECASE)]
    reserved = {"TRUE", "FALSE", "NULL"}
    return tuple(names) if all(_NAME.match(part) and part.upper() not in reserved for part in names) else ()


def default_alias(full_name: str) -> str:
    """What a table is called when nobody says: its name without version and star."""
    last = full_name.rsplit(".", 1)[-1].rstrip("*").rstrip("_")
    return _VERSION.sub("", last) or last


def tier(text: str | None, at: str) -> str | None:
    """tier_1, tier_2 or tier_3, however it is written."""
    if text is None or not text.strip():
        return None
    found = re.fullmatch(r"(?:impact/)?(?:tier[\s_-]*)?([123])", text.strip().strip("`").lower())
    if not found:
        raise InvalidInput(f"{scan.shown(text)} is not a tier", at=at, fix=f"one of {', '.join(TIERS)}")
    return f"tier_{found[1]}"


def choice(text: str | None, known: tuple[str, ...], what: str, at: str) -> str | None:
    """One of a few words, in lower case."""
    if text is None or not text.strip():
        return None
    word = text.strip().strip("`").lower()
    if word not in known:
        raise InvalidInput(f"`{text.strip()}` is not a {what}", at=at, fix=f"one of {', '.join(known)}")
    return word


def field(text: str, at: str, name_: str = "value", mode: str | None = None) -> Field:
    """A field of the type `text` says: `INT64`, `STRING, REPEATED`, `ARRAY<STRUCT<a INT64, b STRING>>`, `NUMERIC(10, 2)`."""
    bare = text.strip().strip("`").strip()
    words = re.split(r"[\s,;/]+", bare.upper())
    if words[-1] in MODES and len(words) > 1:
        mode = mode or words[-1]
        bare = bare[: len(bare) - len(words[-1])].rstrip(" ,;/\t")
    upper = bare.upper()
    if upper.startswith("ARRAY<") and upper.endswith(">"):
        inner = field(bare[6:-1], at, name_)
        return Field(inner.name, inner.type, "REPEATED", fields=inner.fields)
    parts: Schema = ()
    if upper.startswith("STRUCT<") and upper.endswith(">"):
        parts, upper = schema(bare[7:-1], at), "RECORD"
    upper = re.sub(r"\s*\(\s*[\d\s,]+\)\Z", "", upper)
    if LEGACY_TYPES.get(upper, upper) not in TYPES:
        raise InvalidInput(f"{scan.shown(text)} is not a BigQuery type", at=at, fix=suggestion(upper, sorted(TYPES)))
    kind = (mode or "NULLABLE").strip().upper()
    if kind not in MODES:
        raise InvalidInput(f"`{mode}` is not a mode", at=at, fix="NULLABLE, REQUIRED or REPEATED")
    return Field(name_, upper, kind, fields=parts)


def schema(text: str, at: str) -> Schema:
    """A schema in one line: `ride_id STRING, tags ARRAY<STRING>, price NUMERIC REQUIRED`."""
    fields = []
    for part in _split_types(text):
        bare, _, kind = part.strip().partition(" ")
        if not kind.strip():
            raise InvalidInput(f"{scan.shown(part)} has no type", at=at, fix="write it as name TYPE, name TYPE")
        fields.append(field(kind, at, name(bare, "column", at)))
    return unique_fields(tuple(fields), at)


def unique_fields(fields: Schema, at: str) -> Schema:
    """The fields, when no two share a name (BigQuery does not tell capitals apart)."""
    seen: set[str] = set()
    for one in fields:
        if one.name.lower() in seen:
            raise InvalidInput(f"the field `{one.name}` stands in the schema twice", at=at)
        seen.add(one.name.lower())
    return fields


def _split_types(text: str) -> list[str]:
    """The parts between commas outside brackets; a mode behind a comma stays with its type."""
    parts: list[str] = []
    depth = 0
    current = ""
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    parts.append(current)
    joined: list[str] = []
    for part in parts:
        if joined and part.strip().upper() in MODES:
            joined[-1] += f" {part.strip()}"
        elif part.strip():
            joined.append(part)
    return joined


def source(text: str, project: str | None, at: str) -> Source:
    """A source in one line: `dataset.table AS alias LEFT JOIN ON a.x = alias.x FILTER country = 'US'`."""
    rest = text.strip()
    filter_ = on_ = kind = None
    if found := re.search(r"\s+(?:filter|where)\s+(.+)\Z", rest, re.IGNORECASE | re.DOTALL):
        filter_, rest = found[1], rest[: found.start()]
    if found := re.search(r"\s+(?:on|using)\s+(.+)\Z", rest, re.IGNORECASE | re.DOTALL):
        on_, rest = found[1], rest[: found.start()]
    pattern = r"(?:\A|\s)(inner|left|right|full|cross)(?:\s+outer)?(?:\s+join)?(?=\s|\Z)"
    if found := re.search(pattern, rest, re.IGNORECASE):
        kind, rest = found[1], f"{rest[: found.start()]} {rest[found.end() :]}"
    words = [word for word in rest.split() if word.upper() not in ("AS", "JOIN")]
    if not 1 <= len(words) <= 2:
        raise InvalidInput(
            f"{scan.shown(text)} is not a source",
            at=at,
            fix="write it as dataset.table AS alias LEFT JOIN ON a.x = alias.x",
        )
    full = table_or_step(words[0], project, at)
    alias = name(words[1], "alias", at) if len(words) == 2 else default_alias(full)
    return Source(alias, full, filter=expression(filter_, at), join=join(kind, at), on=on(on_, at))


def typed(column: Column, type_: str | None, mode: str | None, at: str) -> Column:
    """The column with its declared type in the legacy spelling; the mode stays open when nothing was said of it."""
    if not type_:
        return replace(column, mode=field("STRING", at, column.name, mode).mode) if mode else column
    told = field(type_, at, column.name, mode)
    said = mode or told.mode == "REPEATED" or told.mode in type_.upper()
    parts = column.fields or tuple(Column(part.name, type=part.type, mode=part.mode) for part in told.fields)
    return replace(column, type=told.type, mode=told.mode if said else None, fields=parts)


def parameter(name_: str, type_: str, value: str, at: str) -> Parameter:
    """A query parameter; its type is kept in GoogleSQL spelling."""
    spelling = type_.strip().strip("`").upper()
    if field(spelling, at).type == "RECORD":
        raise InvalidInput(f"a parameter cannot be {spelling}", at=at, fix="a simple type or ARRAY of one")
    legacy = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
    bare = name(name_.strip().strip("`").lstrip("@"), "parameter", at)
    return Parameter(bare, legacy.get(spelling, spelling), value.strip())
