"""From tokens to pieces: phrases put together, each with the role it plays in the layout.

A piece is what the layout never breaks: a phrase (`LEFT JOIN`), a path (`project.dataset.table`), any single token.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from etl_orchestrator.sql import formatter_words as words
from etl_orchestrator.sql.formatter_functions import CURRENT, FUNCTIONS, PSEUDO_COLUMNS
from etl_orchestrator.sql.formatter_words import PHRASES, Guard, Level, Role
from etl_orchestrator.sql.tokens import COMMENTS, Kind, Token

_ROLES = {
    Kind.QUOTED_NAME: words.VALUE,
    Kind.PARAMETER: words.VALUE,
    Kind.STRING: words.VALUE,
    Kind.NUMBER: words.VALUE,
    Kind.OPERATOR: words.OPERATOR,
    Kind.PIPE: words.PIPE,
    Kind.OPEN: words.OPEN,
    Kind.CLOSE: words.CLOSE,
    Kind.DOT: words.DOT,
    Kind.COMMA: words.COMMA,
    Kind.SEMICOLON: words.SEMICOLON,
    Kind.LINE_COMMENT: words.LINE_COMMENT,
    Kind.BLOCK_COMMENT: words.BLOCK_COMMENT,
    Kind.JINJA_COMMENT: words.JINJA_COMMENT,
    Kind.JINJA_EXPRESSION: words.JINJA_EXPRESSION,
}
_JINJA_BLOCK = re.compile(r"\{%[-+]? *(end)?(?:(?:block|call|filter|for|if|macro)|(elif|else))\b")
_CAPITAL_PREFIX = re.compile(r"\A[a-zA-Z]+")
_UNKNOWN = frozenset({Kind.OTHER, Kind.SYSTEM_VARIABLE})
_NAMES = frozenset({Kind.NAME, Kind.QUOTED_NAME})
_BODY_STARTS = frozenset({"WITH", "SELECT", "STRUCT", "ARRAY"})


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
        self._tokens = tokens
        self._next = 0
        self._blocks: list[str] = []  # the words that opened the blocks around

    def pieces(self) -> list[Piece]:
        tokens, found = self._tokens, []
        after_mark = False  # after a dot and after AS, a keyword is a name
        while self._next < len(tokens):
            token = tokens[self._next]
            kind = token.kind
            if kind is Kind.NAME:
                piece = self._word(token, after_mark)
            elif kind is Kind.QUOTED_NAME:
                piece = self._path(token)
            elif kind in _UNKNOWN:
                piece = self._unknown(token)
            elif kind is Kind.OPERATOR and token.text == "*":
                piece = self._star(token)
            else:
                piece = self._single(token)
            found.append(piece)
            if not piece.role.is_comment:
                after_mark = piece.role is words.DOT or piece.role is words.ALIAS
        return found

    def _take(self, count: int, role: Role, text: str) -> Piece:
        first, last = self._tokens[self._next], self._tokens[self._next + count - 1]
        self._next += count
        return Piece(role, text, first.start, last.end)

    def _after(self, count: int) -> Token | None:
        index = self._next + count
        return self._tokens[index] if index < len(self._tokens) else None

    def _single(self, token: Token) -> Piece:
        text = token.text
        if token.kind is Kind.JINJA_STATEMENT:
            return self._take(1, _jinja(text), text)
        if token.kind is Kind.STRING and (text[0] in "RB" or text[1] in "RB"):
            # The style knows no prefix in capitals and would cut it off; in small letters the string is the same.
            text = _CAPITAL_PREFIX.sub(lambda prefix: prefix[0].lower(), text)
        elif token.kind is Kind.DOT and self._next and _parts_numbers(self._tokens[self._next - 1], token):
            return self._take(1, words.OPERATOR, text)
        return self._take(1, _ROLES[token.kind], text)

    def _word(self, token: Token, after_mark: bool) -> Piece:
        word = token.text.upper()
        if word in ("THEN", "ELSE"):
            in_case = bool(self._blocks) and self._blocks[-1] == "CASE"
            return self._keyword(1, (words.THEN if word == "THEN" else words.WHEN) if in_case else words.BLOCK_MIDDLE)
        if not after_mark and word in PHRASES:
            count, role = self._phrase()
            if role is not None:
                return self._keyword(count, self._role_of_as(token) if count == 1 and word == "AS" else role)
        return self._path(token)

    def _keyword(self, count: int, role: Role) -> Piece:
        said = self._tokens[self._next : self._next + count]
        text = " ".join([token.text for token in said]).upper()
        if role.closes is Level.BLOCK and self._blocks:
            self._blocks.pop()
        if role.opens is Level.BLOCK:
            self._blocks.append(text)
        return self._take(count, role, text)

    def _phrase(self) -> tuple[int, Role | None]:
        """The longest phrase that starts here: how many words, and its role."""
        best: tuple[int, Role | None] = (0, None)
        level, count = PHRASES, 0
        while level and (token := self._after(count)) is not None and token.kind is Kind.NAME:
            node = level.get(token.text.upper())
            if node is None:
                break
            count += 1
            level = node.then
            if node.role is not None:
                if node.guard is None or not self._forbids(node.guard, count):
                    best = count, node.role
                elif node.guard.otherwise is not None:
                    best = count, node.guard.otherwise
        return best

    def _forbids(self, guard: Guard, count: int) -> bool:
        following = self._after(count)
        if following is None or following.text.upper() not in guard.words:
            return False
        return not guard.adjacent or following.start == self._tokens[self._next + count - 1].end

    def _role_of_as(self, token: Token) -> Role:
        """AS before a name, a bracket or Jinja gives a name; before anything else it starts the body of a statement."""
        following = self._after(1)
        if following is None:
            return words.CLAUSE
        kind, text = following.kind, following.text
        if kind is Kind.NAME:
            names = text.upper() not in _BODY_STARTS
        elif kind is Kind.JINJA_COMMENT:
            names = following.start > token.end
        elif kind is Kind.STRING:
            names = text[0] not in "'\""
        else:
            names = text[0] in "`({"
        return words.ALIAS if names else words.CLAUSE

    def _path(self, token: Token) -> Piece:
        """A name with the names after its dots, which may be any word."""
        tokens, count = self._tokens, 1
        if token.text.upper() in CURRENT:
            return self._take(1, words.FUNCTION, token.text.upper())
        last = len(tokens) - 2
        index = self._next
        while index < last and tokens[index + 1].kind is Kind.DOT and tokens[index + 2].kind in _NAMES:
            index += 2
        count = index - self._next + 1
        text = token.text if count == 1 else "".join([part.text for part in tokens[self._next : index + 1]])
        following = self._after(count)
        capital = text.upper()
        if following is not None and following.text == "(" and capital.removeprefix("SAFE.") in FUNCTIONS:
            return self._take(count, words.FUNCTION, capital)
        return self._take(count, words.VALUE, capital if capital in PSEUDO_COLUMNS else text)

    def _star(self, token: Token) -> Piece:
        following = self._after(1)
        if following is not None and following.kind is Kind.NAME:
            word = following.text.upper()
            if word in ("EXCEPT", "REPLACE"):
                return self._take(2, words.SPACED, f"* {word}")
        return self._take(1, words.OPERATOR, token.text)

    def _unknown(self, token: Token) -> Piece:
        """What is not GoogleSQL stays in one piece with all that touches it."""
        self.unsure = True
        count, text = 1, token.text
        end = token.end
        while (touching := self._after(count)) is not None and touching.start == end and touching.kind not in COMMENTS:
            count, end = count + 1, touching.end
            text += touching.text
        return self._take(count, words.OTHER, text)


def _jinja(statement: str) -> Role:
    block = _JINJA_BLOCK.match(statement)
    if block is None or (block[1] and block[2]):
        return words.JINJA_STATEMENT
    if block[2]:
        return words.JINJA_MIDDLE
    return words.JINJA_END if block[1] else words.JINJA_START


def _parts_numbers(number: Token, dot: Token) -> bool:
    """True for a dot some blanks after a number, which without them would be part of it."""
    return number.kind is Kind.NUMBER and number.end < dot.start
