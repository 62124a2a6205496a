"""From tokens to pieces: phrases put together, each with the role it plays in the layout.

A piece is what the layout never breaks: a phrase (`LEFT JOIN`), a path (`project.dataset.table`), any single token.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from etl_orchestrator.sql import formatter_words as words
from etl_orchestrator.sql.formatter_functions import CURRENT, FUNCTIONS, PSEUDO_COLUMNS
from etl_orchestrator.sql.formatter_words import PHRASES, Guard, Level, Node, Role
from etl_orchestrator.sql.tokens import COMMENTS, Kind, Token

# The kinds whose tokens are pieces as they stand; the others have a reader, see `_READERS`.
_ROLES = {
    Kind.PARAMETER: words.VALUE,
    Kind.NUMBER: words.VALUE,
    Kind.PIPE: words.PIPE,
    Kind.OPEN: words.OPEN,
    Kind.CLOSE: words.CLOSE,
    Kind.COMMA: words.COMMA,
    Kind.SEMICOLON: words.SEMICOLON,
    Kind.LINE_COMMENT: words.LINE_COMMENT,
    Kind.BLOCK_COMMENT: words.BLOCK_COMMENT,
    Kind.JINJA_COMMENT: words.JINJA_COMMENT,
    Kind.JINJA_EXPRESSION: words.JINJA_EXPRESSION,
}
_JINJA_BLOCK = re.compile(r"\{%[-+]? *(end)?(?:(?:block|call|filter|for|if|macro)|(elif|else))\b")
_CAPITAL_PREFIX = re.compile(r"\A[a-zA-Z]+")
_NAMES = frozenset({Kind.NAME, Kind.QUOTED_NAME})
_BODY_STARTS = frozenset({"WITH", "SELECT", "STRUCT", "ARRAY"})
_BEFORE_NAMES = frozenset({words.DOT, words.ALIAS})  # after these a keyword is a name
_END = Token(Kind.OTHER, "", -1, -1)  # touches nothing
# A member of an Enum takes eight times as long to look up in its class.
_NAME, _DOT, _BLOCK = Kind.NAME, Kind.DOT, Level.BLOCK


class Piece(NamedTuple):
    """What the layout moves: `text` as it will be written, `start` and `end` of where it was."""

    role: Role
    text: str
    start: int
    end: int


class Reader:
    """Reads the tokens of one text as pieces; `unsure` tells that it met characters that are not GoogleSQL."""

    def __init__(self, tokens: list[Token]) -> None:
        self.unsure = False
        self._tokens = [*tokens, _END, _END]  # two may be looked at behind the last
        self._next = 0
        self._pieces: list[Piece] = []
        self._blocks: list[str] = []  # the words that opened the blocks around

    def pieces(self) -> list[Piece]:
        tokens, found = self._tokens, self._pieces
        new = tuple.__new__  # Piece(...) does the same in three times the time
        while (token := tokens[self._next]) is not _END:
            kind, text, start, end = token
            role = _ROLES.get(kind)
            if role is not None:
                found.append(new(Piece, (role, text, start, end)))
                self._next += 1
            else:
                found.append(_READERS[kind](self, text))
        return found

    def _take(self, count: int, role: Role, text: str) -> Piece:
        tokens, first = self._tokens, self._next
        self._next = after = first + count
        return tuple.__new__(Piece, (role, text, tokens[first].start, tokens[after - 1].end))

    def _word(self, text: str) -> Piece:
        word = text.upper()
        node = PHRASES.get(word)
        if node is None:
            return self._path(text)
        if word == "THEN" or word == "ELSE":
            in_case = bool(self._blocks) and self._blocks[-1] == "CASE"
            return self._keyword(1, (words.THEN if word == "THEN" else words.WHEN) if in_case else words.BLOCK_MIDDLE)
        if self._before() in _BEFORE_NAMES:
            return self._path(text)
        count, role = self._phrase(node)
        if role is None:
            return self._path(text)
        return self._keyword(count, self._role_of_as() if count == 1 and word == "AS" else role)

    def _before(self) -> Role | None:
        """The role of the last piece that is no comment."""
        for piece in reversed(self._pieces):
            if not piece.role.is_comment:
                return piece.role
        return None

    def _keyword(self, count: int, role: Role) -> Piece:
        said = self._tokens[self._next : self._next + count]
        text = " ".join([token.text for token in said]).upper()
        if role.closes is _BLOCK and self._blocks:
            self._blocks.pop()
        if role.opens is _BLOCK:
            self._blocks.append(text)
        return self._take(count, role, text)

    def _phrase(self, node: Node | None) -> tuple[int, Role | None]:
        """The longest phrase that starts with the word of this node: how many words, and its role."""
        best: tuple[int, Role | None] = (0, None)
        count = 0
        while node is not None:
            count += 1
            if node.role is not None:
                if node.guard is None or not self._forbids(node.guard, count):
                    best = count, node.role
                elif node.guard.otherwise is not None:
                    best = count, node.guard.otherwise
            following = self._tokens[self._next + count]
            node = node.then.get(following.text.upper()) if node.then and following.kind is _NAME else None
        return best

    def _forbids(self, guard: Guard, count: int) -> bool:
        following = self._tokens[self._next + count]
        if following.text.upper() not in guard.words:
            return False
        return not guard.adjacent or following.start == self._tokens[self._next + count - 1].end

    def _role_of_as(self) -> Role:
        """AS before a name, a bracket or Jinja gives a name; before anything else it starts the body of a statement."""
        token, following = self._tokens[self._next : self._next + 2]
        kind, text = following.kind, following.text
        if kind is _NAME:
            names = text.upper() not in _BODY_STARTS
        elif kind is Kind.JINJA_COMMENT:
            names = following.start > token.end
        elif kind is Kind.STRING:
            names = text[0] not in "'\""
        else:
            names = text.startswith(("`", "(", "{"))
        return words.ALIAS if names else words.CLAUSE

    def _path(self, text: str) -> Piece:
        """A name with the names after its dots, which may be any word."""
        capital = text.upper()
        if capital in CURRENT:
            return self._take(1, words.FUNCTION, capital)
        tokens, first = self._tokens, self._next
        after = first + 1
        while tokens[after].kind is _DOT and tokens[after + 1].kind in _NAMES:
            after += 2
        if after > first + 1:
            text = "".join([part.text for part in tokens[first:after]])
            capital = text.upper()
        if tokens[after].text == "(" and capital.removeprefix("SAFE.") in FUNCTIONS:
            return self._take(after - first, words.FUNCTION, capital)
        return self._take(after - first, words.VALUE, capital if capital in PSEUDO_COLUMNS else text)

    def _string(self, text: str) -> Piece:
        if text[0] in "RB" or text[1] in "RB":
            # The style knows no prefix in capitals and would cut it off; in small letters the string is the same.
            text = _CAPITAL_PREFIX.sub(lambda prefix: prefix[0].lower(), text)
        return self._take(1, words.VALUE, text)

    def _dot(self, text: str) -> Piece:
        """A dot some blanks after a number, which without them would be part of it, is kept away from it."""
        dot, number = self._tokens[self._next], self._tokens[self._next - 1]
        parts_numbers = number.kind is Kind.NUMBER and number.end < dot.start
        return self._take(1, words.OPERATOR if parts_numbers else words.DOT, text)

    def _operator(self, text: str) -> Piece:
        following = self._tokens[self._next + 1]
        if text == "*" and following.kind is _NAME and (word := following.text.upper()) in ("EXCEPT", "REPLACE"):
            return self._take(2, words.SPACED, f"* {word}")
        return self._take(1, words.OPERATOR, text)

    def _jinja(self, text: str) -> Piece:
        block = _JINJA_BLOCK.match(text)
        if block is None or (block[1] and block[2]):
            role = words.JINJA_STATEMENT
        elif block[2]:
            role = words.JINJA_MIDDLE
        else:
            role = words.JINJA_END if block[1] else words.JINJA_START
        return self._take(1, role, text)

    def _unknown(self, text: str) -> Piece:
        """What is not GoogleSQL stays in one piece with all that touches it."""
        self.unsure = True
        tokens, first = self._tokens, self._next
        after = first + 1
        while tokens[after].start == tokens[after - 1].end and tokens[after].kind not in COMMENTS:
            text += tokens[after].text
            after += 1
        return self._take(after - first, words.OTHER, text)


_READERS: dict[Kind, Callable[[Reader, str], Piece]] = {
    Kind.NAME: Reader._word,
    Kind.QUOTED_NAME: Reader._path,
    Kind.STRING: Reader._string,
    Kind.DOT: Reader._dot,
    Kind.OPERATOR: Reader._operator,
    Kind.JINJA_STATEMENT: Reader._jinja,
    Kind.OTHER: Reader._unknown,
    Kind.SYSTEM_VARIABLE: Reader._unknown,
}
