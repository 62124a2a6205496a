"""From pieces to lines: where lines break, how far they are indented, which brackets fold back into one line.

First every bracket is opened up, then `fold` closes those again that fit into `WIDTH`. Lines are never wrapped otherwise.
Comments keep the blanks before them and are never moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NoReturn

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql import formatter_words as words
from etl_orchestrator.sql.formatter_pieces import Piece
from etl_orchestrator.sql.formatter_words import Level, Role
from etl_orchestrator.sql.tokens import place

WIDTH = 100
_DEEPEST = 2000  # the indentation of so deep a text is most of it
_INDENT = "  "
OFF = re.compile(r"\bformat\s*:?\s*off\b")
ON = re.compile(r"\bformat\s*:?\s*on\b")
_CHECK_LEVEL = re.compile(r"#(?:fail|warn)")
# A member of an Enum takes eight times as long to look up in its class.
_CLAUSE, _PIPE, _CASE = Level.CLAUSE, Level.PIPE, Level.CASE


class Line:
    """A line as it is written down: `lead` (line break and indentation, or a whole comment), then `text`."""

    __slots__ = ("closes", "fixed", "foldable", "lead", "opens", "remark", "text")

    def __init__(self, lead: str) -> None:
        self.lead = lead
        self.text = ""
        self.fixed = False  # never folded: verbatim, or starting with a comment
        self.opens = False  # ends with an opening bracket
        self.foldable = False  # and that bracket is not the body of a named query or window
        self.closes = False  # starts with a closing bracket
        self.remark = False  # ends with a line comment


class Layout:
    """Lays out the pieces of one text, with every bracket opened up."""

    def __init__(self, text: str, at: str = "") -> None:
        self._text = text
        self._at = at
        self._line = Line("")
        self.lines = [self._line]
        self._levels: list[Level] = []
        self.formatting = True
        self._role: Role | None = None  # of the last piece of all
        self._end = 0  # where it ended in the text
        self._unary = True  # an operator here would have one operand
        self._sticks = False  # the last piece was such an operator

    def run(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            role = piece.role
            if role.closes is not None:
                self._leave(role.closes)
            if role.is_comment:
                self._comment(piece)
                self._sticks = False
            else:
                if self.formatting:
                    self._write(role, piece.text)
                else:
                    self._line.text += self._text[self._end : piece.end]
                self._sticks = role.is_operator and self._unary
                self._unary = not role.ends_operand
            self._end = piece.end
            if role.opens is not None:
                self._levels.append(role.opens)
                if len(self._levels) > _DEEPEST:
                    self._refuse(piece)
            elif role is words.SEMICOLON:
                self._leave(_PIPE)
            elif role is words.WITH and not self.formatting and not self._text.startswith("WITH", piece.start):
                self._levels.append(_CLAUSE)  # where nothing is formatted, the style takes a small `with` for a clause
            self._role = role
        if not self.formatting:
            self._line.text += self._text[self._end :]

    def _leave(self, level: Level) -> None:
        levels = self._levels
        if level is _CLAUSE or level is _PIPE:
            if levels and levels[-1] is _CLAUSE:
                levels.pop()
            if level is _PIPE and levels and levels[-1] is _PIPE:
                levels.pop()
        elif level is _CASE:
            while levels and levels[-1] is _CASE:
                levels.pop()
        else:
            while levels and levels.pop() is not level:
                pass

    def _refuse(self, piece: Piece) -> NoReturn:
        raise InvalidInput(
            f"brackets and blocks are open within each other more than {_DEEPEST} deep",
            at=place(self._text, piece.start, self._at),
            fix="close those that are open",
        )

    def _write(self, role: Role, text: str) -> None:
        """Write a piece that is no comment, after what stands between it and the last one."""
        white = white_between(self._role, role)
        if white == " ":
            if not (self._sticks and role.is_value):
                self._line.text += white
        elif white:
            if white == "\n\n":
                self.lines.append(Line("\n"))
            self._line = Line("\n" + _INDENT * len(self._levels))
            self.lines.append(self._line)
        line = self._line
        if role is words.CLOSE and not line.text:
            line.closes = True
        elif role is words.OPEN:
            line.foldable = not (self._role is words.ALIAS and line.text)
        line.opens = role is words.OPEN
        line.remark = False
        line.text += text

    def _comment(self, piece: Piece) -> None:
        gap = self._text[self._end : piece.start]
        if not self.formatting:
            self._line.text += gap + piece.text
            self.formatting = ON.search(piece.text) is not None
            return
        broken = gap.rfind("\n")
        lead = gap[broken:] if broken >= 0 else gap
        if self._role is not None:
            # A blank line goes before a comment between statements and before the level of a check.
            level = _CHECK_LEVEL.fullmatch(piece.text) is not None
            if level and broken < 0:
                lead, broken = "\n" + lead, 0
            if level or (broken >= 0 and self._role is words.SEMICOLON):
                self.lines.append(Line("\n"))
        if broken >= 0:
            self._line = Line(lead + piece.text)
            self._line.fixed = True
            self.lines.append(self._line)
        else:
            self._line.text += lead + piece.text
            self._line.opens = False
            self._line.remark = piece.role is words.LINE_COMMENT
        if OFF.search(piece.text) is not None:
            self.formatting = False
            self._line.fixed = True


@cache  # there are few pairs of roles
def white_between(last: Role | None, role: Role) -> str:
    """What stands between two pieces, the second no comment; indentation follows a line break.

    A blank is left out after an operator with one operand.
    """
    if last is None:
        return ""
    if role is words.SEMICOLON:
        return "\n" if last is words.LINE_COMMENT else ""
    breaks = last.breaks_after
    if breaks and role.drops_break and (last.is_jinja or last.closes is Level.BLOCK):
        breaks = False
    if breaks or role.breaks_before:
        return "\n\n" if last is words.SEMICOLON and role.closes is not Level.BLOCK else "\n"
    if last is words.DOT or role is words.DOT or role is words.COMMA:
        return ""
    return " " if role is not words.OPEN or last.bracket_blank else ""


def fold(lines: list[Line]) -> Iterator[str]:
    """Yield the text of the lines, each block of brackets on one line where it fits: outer blocks before inner ones."""
    index = 0
    while index < len(lines):
        line = lines[index]
        yield line.lead
        yield line.text
        index += 1
        width = len(line.lead.lstrip("\n")) + len(line.text)
        while line.opens and line.foldable and not line.fixed:
            block = _block(lines, index, width)
            if block is None:
                break
            text, index = block
            yield text
            width += len(text)
            line = lines[index - 1]  # the line that closes the block may open the next: `) AND f(`


def _block(lines: list[Line], index: int, width: int) -> tuple[str, int] | None:
    """The block whose first inner line is at `index` as one text, and the index after it; None when it does not fit."""
    texts: list[str] = []
    depth, before = 1, lines[index - 1]
    for following in range(index, len(lines)):
        line = lines[following]
        if line.fixed or before.remark:
            return None
        if not before.opens and not line.closes:
            texts.append(" ")
            width += 1
        texts.append(line.text)
        width += len(line.text)
        if width > WIDTH:
            return None
        if line.closes:
            depth -= 1
            if depth == 0:
                return "".join(texts), following + 1
        depth += line.opens
        before = line
    return None
