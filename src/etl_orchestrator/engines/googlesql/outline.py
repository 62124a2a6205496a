"""What a refused statement tells by its tokens: its CTEs, what its queries read, and where its columns are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etl_orchestrator.sql.tokens import RESERVED, Kind, Token, words

_NAMES = (Kind.NAME, Kind.QUOTED_NAME)
#: Words before a table.
_READING = frozenset(["FROM", "INTO", "JOIN", "UPDATE", "USING"])
_QUERY = ("SELECT", "WITH", "FROM", "(")
#: Words behind the columns of a SELECT.
_AFTER_LIST = frozenset(
    ["FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT"]
)


def groups(tokens: Sequence[Token]) -> list[int]:
    """For each token the opening one of the innermost group around it, -1 where there is none."""
    found, open_ = [], [-1]
    for index, token in enumerate(tokens):
        if token.kind is Kind.CLOSE and len(open_) > 1:
            open_.pop()
        found.append(open_[-1])
        if token.kind is Kind.OPEN:
            open_.append(index)
    return found


@dataclass(frozen=True, slots=True)
class Source:
    """What a query reads, as it is written, and the name that it has there."""

    name: str
    text: str


class Outline:
    """The tokens of one statement; raises InvalidInput when it has none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = words(text)
        self._around = groups(self._tokens)

    def ctes(self, offset: int) -> dict[str, str]:
        """The definitions (`name AS (…)`) of the CTEs that may be read at a place, by name."""
        around = self._chain(offset)
        found = {}
        for name, opening in self._definitions():
            closing = self._closing(opening)
            if self._around[opening] in around and self._tokens[closing].end <= offset:
                found[self._name(name)] = self._text[self._tokens[name].start : self._tokens[closing].end]
        return found

    def sources(self, offset: int) -> list[Source]:
        """What the queries around a place read, the innermost first."""
        return [source for group in self._chain(offset) for source in self._sources(group)]

    def column(self, name: str) -> int:
        """Where the output is given a column of this name a second time, as far as the text names it."""
        defining = {opening for _, opening in self._definitions()}
        selects = [index for index in range(len(self._tokens)) if self._word(index) == "SELECT"]
        outer = [(len(self._up(index)), index) for index in selects if defining.isdisjoint(self._up(index))]
        if not outer:
            return 0
        piped = any(token.kind is Kind.PIPE for token in self._tokens)
        depth = min(outer)[0]
        select = (max if piped else min)(index for deep, index in outer if deep == depth)
        given = [end for end in self._items(select) if self._gives(end, name)]
        return self._tokens[given[:2][-1] if given else select].start

    # --- parts

    def _chain(self, offset: int) -> list[int]:
        """The groups around a place, the innermost first, -1 the last."""
        at = next((index for index, token in enumerate(self._tokens) if token.end > offset), len(self._tokens) - 1)
        return [*self._up(at), -1] if self._tokens else [-1]

    def _up(self, index: int) -> list[int]:
        """The groups around a token, the innermost first."""
        found = []
        while (index := self._around[index]) >= 0:
            found.append(index)
        return found

    def _definitions(self) -> Iterator[tuple[int, int]]:
        """Name and opening bracket of every CTE."""
        for index in range(1, len(self._tokens) - 2):
            if (
                self._word(index) == "AS"
                and self._tokens[index - 1].kind in _NAMES
                and self._tokens[index + 1].text == "("
                and self._tokens[index + 2].text.upper() in _QUERY
                and (self._word(index - 2) in ("WITH", "RECURSIVE") or self._text_of(index - 2) == ",")
            ):
                yield index - 1, index + 1

    def _sources(self, group: int) -> Iterator[Source]:
        index = 0
        while index < len(self._tokens):
            if self._around[index] != group or self._word(index) not in _READING:
                index += 1
                continue
            index += 1
            while index < len(self._tokens):
                start, index = index, self._behind_source(index)
                if index == start:
                    break
                end = index
                index += self._word(index) == "AS"
                if self._kind(index) in _NAMES and self._word(index) not in RESERVED:
                    name, index = self._name(index), index + 1
                else:
                    name = self._name(end - 1)
                yield Source(name, self._text[self._tokens[start].start : self._tokens[end - 1].end])
                if self._text_of(index) != ",":
                    break
                index += 1

    def _behind_source(self, index: int) -> int:
        """The token behind a table or a subquery that begins here; the same where none does."""
        if self._text_of(index) == "(":
            return self._closing(index) + 1
        if self._kind(index) not in _NAMES or self._word(index) in RESERVED:
            return index
        while self._kind(index + 1) is Kind.DOT and self._kind(index + 2) in _NAMES:
            index += 2
        return index + 1

    def _items(self, select: int) -> Iterator[int]:
        """The last token of each column of a SELECT."""
        group, before = self._around[select], select
        behind = self._closing(group) if group >= 0 else len(self._tokens)
        for index in range(select + 1, behind + 1):
            if index < behind and self._around[index] != group:
                continue
            is_last = index == behind or self._ends_list(index)
            if is_last or self._kind(index) is Kind.COMMA:
                if index - 1 > before:
                    yield index - 1
                before = index
            if is_last:
                return

    def _ends_list(self, index: int) -> bool:
        if self._word(index) == "EXCEPT":
            return self._text_of(index + 1) != "("
        return self._word(index) in _AFTER_LIST or self._kind(index) in (Kind.SEMICOLON, Kind.PIPE)

    def _gives(self, end: int, name: str) -> bool:
        """Whether a column that ends with this token has the name, by itself or by AS."""
        return self._kind(end) in _NAMES and self._name(end) == name.lower() and self._word(end - 1) != "OVER"

    def _closing(self, opening: int) -> int:
        """The token that closes a group, the last one where none does."""
        outside = self._around[opening]
        behind = range(opening + 1, len(self._tokens))
        closing = (i for i in behind if self._kind(i) is Kind.CLOSE and self._around[i] == outside)
        return next(closing, len(self._tokens) - 1)

    def _name(self, index: int) -> str:
        return self._tokens[index].text.strip("`").lower()

    def _word(self, index: int) -> str:
        """In capitals, "" for what is no word and for a part of a path."""
        if self._kind(index) is not Kind.NAME or self._kind(index - 1) is Kind.DOT:
            return ""
        return self._tokens[index].text.upper()

    def _text_of(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _kind(self, index: int) -> Kind | None:
        return self._tokens[index].kind if 0 <= index < len(self._tokens) else None
