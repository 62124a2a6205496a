"""From pieces to lines: where lines break, how far they are indented, which brackets fold back into one line.

First every bracket is opened up, then `fold` closes those again that fit into `WIDTH`. Lines are never wrapped otherwise.
Comments keep the blanks before them and are never moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_TO_BOTTOM = frozenset({Level.BRACKET, Level.BLOCK, Level.JINJA})


class Line:
    """A line as it is written down: `lead` (line break and indentation, or a whole comment), then `text`."""

    __slots__ = ("closes", "fixed", "foldable", "lead", "opens", "remark", "text")

    def __init__(self, lead: str, fixed: bool = False) -> None:
        self.lead = lead
        self.text = ""
        self.fixed = fixed  # never folded: verbatim, or starting with a comment
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
        self._last: Piece | None = None  # last piece of all
        self._role: Role | None = None  # its role
        self._end = 0  # where it ended in the text
        self._unary = True  # an operator here would have one operand
        self._sticks = False  # the last piece was such an operator

    def run(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self._add(piece)
        if not self.formatting:
            self._line.text += self._text[self._end :]

    def _add(self, piece: Piece) -> None:
        role = piece.role
        if role.closes is not None:
            self._leave(role.closes)
        if role.is_comment:
            self._comment(piece)
        elif self.formatting:
            self._space(role)
            self._write(piece)
        else:
            self._line.text += self._text[self._end : piece.end]
        self._end = piece.end
        self._enter(piece)
        if not role.is_comment:
            self._sticks = self._unary and role.is_operator
            self._unary = not role.ends_operand
        else:
            self._sticks = False
        self._role = role

    def _leave(self, level: Level) -> None:
        levels = self._levels
        if level in _TO_BOTTOM:
            while levels and levels.pop() is not level:
                pass
        elif level is Level.CASE:
            while levels and levels[-1] is level:
                levels.pop()
        else:
            if levels and levels[-1] is Level.CLAUSE:
                levels.pop()
            if level is Level.PIPE and levels and levels[-1] is Level.PIPE:
                levels.pop()

    def _enter(self, piece: Piece) -> None:
        role = piece.role
        if role.opens is not None:
            self._levels.append(role.opens)
            if len(self._levels) > _DEEPEST:
                self._refuse(piece)
        elif role is words.WITH and not self.formatting and not self._text.startswith("WITH", piece.start):
            self._levels.append(Level.CLAUSE)  # where nothing is formatted, the style takes a small `with` for a clause
        elif role is words.SEMICOLON:
            self._leave(Level.PIPE)

    def _refuse(self, piece: Piece) -> NoReturn:
        raise InvalidInput(
            f"brackets and blocks are open within each other more than {_DEEPEST} deep",
            at=place(self._text, piece.start, self._at),
            fix="close those that are open",
        )

    def _space(self, role: Role) -> None:
        """Write what stands between the last piece and one of this role, which is no comment."""
        last = self._role
        if last is None:
            return
        if role is words.SEMICOLON:
            if last is words.LINE_COMMENT:
                self._break()
            return
        after_end = last is words.SEMICOLON
        breaks = last.breaks_after
        if breaks and role.drops_break and (last.is_jinja or last.closes is Level.BLOCK):
            breaks = False
        if breaks or role.breaks_before:
            if after_end and role.closes is not Level.BLOCK:
                self._line = Line("\n")
                self.lines.append(self._line)
            self._break()
        elif (
            last is not words.DOT
            and role is not words.DOT
            and role is not words.COMMA
            and (role is not words.OPEN or last.bracket_blank)
            and not (self._sticks and role.is_value)
        ):
            self._line.text += " "

    def _break(self) -> None:
        self._line = Line("\n" + _INDENT * len(self._levels))
        self.lines.append(self._line)

    def _write(self, piece: Piece) -> None:
        line, role = self._line, piece.role
        if role is words.CLOSE and not line.text:
            line.closes = True
        elif role is words.OPEN:
            line.foldable = not (self._role is words.ALIAS and line.text)
        line.opens = role is words.OPEN
        line.remark = False
        line.text += piece.text

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
            self._line = Line(lead + piece.text, fixed=True)
            self.lines.append(self._line)
        else:
            self._line.text += lead + piece.text
            self._line.opens = False
            self._line.remark = piece.role is words.LINE_COMMENT
        if OFF.search(piece.text) is not None:
            self.formatting = False
            self._line.fixed = True


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
