"""Query text on its way to the engine: names that BigQuery splits are split, and positions lead back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from etl_orchestrator.sql.tokens import RESERVED, position, tokenize

_TOKEN = re.compile(
    r"""
      (?P<skip>\s+|\#[^\n]*|--[^\n]*|/\*.*?\*/)
    | (?P<string>(?:[rR][bB]?|[bB][rR]?)?
        (?:\"{3}(?:\\.|.)*?\"{3}|'{3}(?:\\.|.)*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | `(?P<quoted>(?:\\.|[^`\\\n])*)`
    | (?P<word>[A-Za-z_]\w*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DOTTED = re.compile(r"[\w-]+(\.[\w-]+)+\*?\Z")
_PART = re.compile(r"`[^`]+`|[^.`]+")
_DEFAULT_CONNECTION = ("$connection_default",)  # the engine's name for it
_CONNECTION = re.compile(r"\bCONNECTION\s+((?:`[^`]+`|[A-Za-z_][\w-]*)(?:\.(?:`[^`]+`|\w[\w-]*))*)", re.IGNORECASE)
#: First words of statements that BigQuery knows and this engine does not analyze.
_STATEMENTS = frozenset(
    [
        "ALTER",
        "ASSERT",
        "BEGIN",
        "CALL",
        "CREATE",
        "DECLARE",
        "DELETE",
        "DROP",
        "EXECUTE",
        "EXPORT",
        "FOR",
        "IF",
        "INSERT",
        "LOAD",
        "LOOP",
        "MERGE",
        "RAISE",
        "REPEAT",
        "SET",
        "TRUNCATE",
        "UPDATE",
        "WHILE",
    ]
)
_TAB = 8  # the engine counts a tab as reaching the next multiple of 8


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def edited(sql: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made, equal ones once."""
    for edit in sorted(set(edits), key=lambda edit: edit.start, reverse=True):
        sql = sql[: edit.start] + edit.text + sql[edit.end :]
    return sql


def _edited_part(text: str, start: int, end: int, edits: Iterable[Edit]) -> str:
    moved = (Edit(edit.start - start, edit.end - start, edit.text) for edit in edits)
    return edited(text[start:end], moved)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A query as given and as the engine gets it, `text`."""

    given: str
    text: str
    edits: tuple[Edit, ...]

    def part(self, start: int, end: int, before: str = "") -> Spelled:
        """A part of the given text with something put before it; places still lead back to the whole."""
        inside = (edit for edit in self.edits if start <= edit.start and edit.end <= end)
        edits = (Edit(0, start, ""), Edit(start, start, before), *inside, Edit(end, len(self.given), ""))
        return Spelled(self.given, before + _edited_part(self.given, start, end, edits[2:-1]), edits)

    def place_given(self, line: int, column: int) -> tuple[int, int]:
        """The line and column in `given` of a place that the engine names in `text`, both from 1."""
        return self.place_at(self.offset(line, column))

    def place_at(self, offset: int) -> tuple[int, int]:
        """The line and column in `given` of an offset in `text`."""
        return position(self.given, self._given_offset(offset))

    def offset(self, line: int, column: int) -> int:
        """The offset in `text` of a place that the engine names there."""
        return _offset(self.text, line, column)

    def _given_offset(self, offset: int) -> int:
        shift = 0
        for edit in self.edits:
            start = edit.start + shift
            if offset < start:
                break
            if offset < start + len(edit.text):
                return edit.start
            shift += len(edit.text) - (edit.end - edit.start)
        return offset - shift


def spell(
    sql: str,
    is_table: Callable[[str], bool],
    has_own_column: Callable[[str], bool] | None = None,
    more: Iterable[Edit] = (),
) -> Spelled:
    """The query with `` `a.b.c` `` written `` `a`.`b`.`c` ``, and `more` edits made.

    BigQuery splits such a name, so that `c` is its alias; the engine takes it for one identifier. Left alone is a name
    of two parts that is no table, followed neither by a dot nor a parenthesis: there BigQuery does not split either.
    A table `c` with a column `c` gets an alias that nobody uses, because in BigQuery `c` then is the column. Where a
    table is read without an alias, its whole name before a dot stands for it, and is written as its alias.
    """
    edits = list(more)
    tokens = [token for token in _TOKEN.finditer(sql) if not token.group("skip")]
    names = [(index, token.group("quoted")) for index, token in enumerate(tokens) if _DOTTED.match(_quoted(token))]
    before = {index: tokens[index - 1].group() if index else "" for index, _ in names}
    behind = {index: tokens[index + 1].group() if index + 1 < len(tokens) else "" for index, _ in names}
    alone = {name for index, name in names if _stands_alone(before[index], behind[index])}
    for index, name in names:
        token = tokens[index]
        hidden = has_own_column is not None and has_own_column(name)
        alias = f"`{name.replace('.', ' ')}`" if hidden else f"`{name.rpartition('.')[2]}`"
        if name.count(".") > 1 and name in alone and behind[index] == ".":
            edits.append(Edit(token.start(), token.end(), alias))
        elif name.count(".") > 1 or is_table(name) or sql[token.end() : token.end() + 1] in (".", "("):
            split = ".".join(f"`{part}`" for part in name.split("."))
            if hidden and _stands_alone(before[index], behind[index]):
                split += f" AS {alias}"
            edits.append(Edit(token.start(), token.end(), split))
    return Spelled(sql, edited(sql, edits), tuple(sorted(edits, key=lambda edit: edit.start)))


def _quoted(token: re.Match[str]) -> str:
    return token.group("quoted") or ""


def _stands_alone(before: str, behind: str) -> bool:
    """Whether a table between these two is read and has no alias."""
    no_alias = (
        behind.upper() in RESERVED - {"AS"}
        or behind.upper() in ("PIVOT", "UNPIVOT")
        or behind in ("", ")", ",", ";", "|")
    )
    return before.upper() in ("FROM", "JOIN", ",") and no_alias


def wildcards(sql: str) -> list[str]:
    """Names in backticks that end with `*`, in order."""
    names = (token.group("quoted") for token in _TOKEN.finditer(sql))
    return list(dict.fromkeys(name for name in names if name and name.endswith("*")))


def calls(sql: str) -> set[tuple[str, str]]:
    """The names of two parts and more that stand before a parenthesis, as (dataset, name) in small letters."""
    found = set()
    path: list[str] = []
    dotted = False
    for token in _TOKEN.finditer(sql):
        if token.group("skip"):
            continue
        name = token.group("word") or token.group("quoted")
        if name is not None:
            path = [*(path if dotted else ()), *name.lower().split(".")]
            dotted = False
        elif token.group() == "." and path:
            dotted = True
        else:
            if token.group() == "(" and len(path) > 1:
                found.add((path[-2], path[-1]))
            path, dotted = [], False
    return found


def connections(sql: str) -> set[tuple[str, ...]]:
    """The paths that stand behind the word CONNECTION: whether there is such a connection only BigQuery knows."""
    named = {found.group(1) for found in _CONNECTION.finditer(sql)}
    paths: set[tuple[str, ...]] = {_DEFAULT_CONNECTION for name in named if name.upper() == "DEFAULT"}
    for name in named:  # a path in one pair of backticks is looked up as written, or part by part where it is split
        parts = tuple(part.strip("`") for part in _PART.findall(name))
        paths |= {parts, tuple(".".join(parts).split("."))}
    return paths


def positional(number: int) -> str:
    """The name of the positional parameter that is the first, second, …"""
    return f"positional_{number}"


def with_names(sql: str) -> str:
    """The text with a name for each positional parameter."""
    marks = [token for token in tokenize(sql) if token.text == "?"]
    for number, token in reversed(list(enumerate(marks, start=1))):
        sql = f"{sql[: token.start]}@{positional(number)}{sql[token.end :]}"
    return sql


def beyond_one_query(sql: str) -> str:
    """What makes the text more than one query ("CREATE", "a second statement"), or nothing."""
    ended = False
    first = ""
    for token in _TOKEN.finditer(sql):
        if token.group("skip"):
            continue
        if ended:
            return "a second statement"
        first = first or token.group().upper()
        if first in _STATEMENTS:
            return first
        ended = token.group() == ";"
    return ""


def character(text: str, byte: int) -> int:
    """The engine counts bytes of UTF-8 where Python counts characters."""
    return byte if text.isascii() else len(text.encode()[:byte].decode(errors="ignore"))


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    start = sum(len(previous) + 1 for previous in lines[: line - 1])
    reached = 1
    for index, letter in enumerate(lines[line - 1] if line <= len(lines) else ""):
        if reached >= column:
            return start + index
        reached += _TAB - (reached - 1) % _TAB if letter == "\t" else 1
    return min(start + len(lines[line - 1]) if line <= len(lines) else len(text), len(text))
