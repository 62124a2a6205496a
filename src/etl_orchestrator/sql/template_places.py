"""From a place in rendered SQL back to the place in the template as it was written.

A template is rendered once more with a mark before every line of its text and before every `{{ }}`; Jinja carries the
marks along through macros, loops and includes, and they say where each piece of the result came from. (Comparing the
lines of the template with those of the result instead goes wrong where a loop or a macro repeats itself.) Where marks
change the result (a template that measures its own text), the lines are compared after all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.sql.templates import Template, has_template
from etl_orchestrator.sql.tokens import offset_of, position

# Two characters of the private use area, which no SQL file holds.
_OPEN, _CLOSE = "\ue000", "\ue001"
_NEW_LINE = re.compile(r"\r\n|\r|\n")
_MARK = re.compile(f"{_OPEN}(\\d+),(\\d+),([01]){_CLOSE}")


@dataclass(frozen=True, slots=True)
class Place:
    """A line and column, both from 1, of a file; `macro` is where a macro of another file puts in what it is given here."""

    path: str
    line: int
    column: int
    macro: Place | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place in one of the sources; what an expression gives has no other."""

    source: int
    offset: int
    is_expression: bool


def place_of(template: Template, rendered: str, line: int, column: int) -> Place:
    """Where in the template, or in what it includes, that stands which the rendered text has at a line and column."""
    if line < 1:
        return Place(template.at, 1, 1)
    if rendered == template.text:
        return Place(template.at, line, max(column, 1))
    sources: list[tuple[str, str]] = []

    def mark(path: str, text: str) -> str:
        text = "\n".join(_NEW_LINE.split(text))  # as Jinja reads it
        sources.append((path, text))
        return _marked(text, len(sources) - 1)

    try:
        marked = template.render(mark) if _OPEN not in template.text else ""
    except OrchestratorError:
        marked = ""
    if _MARK.sub("", marked) != rendered:
        return Place(template.at, nearest_line(template.text, rendered, line), 1)
    of_template = {number for number, (path, _) in enumerate(sources) if path == template.at}
    origin, call = _origin(marked, offset_of(rendered, line, column), of_template)

    def place(mark: _Mark, macro: Place | None = None) -> Place:
        path, text = sources[mark.source]
        return Place(path, *position(text, mark.offset), macro)

    if origin.is_expression and call.is_expression and origin.source not in of_template:
        return place(call, place(origin))
    return place(origin)


def _marked(text: str, number: int) -> str:
    """The source with its marks: `{{` gets one as an expression, whose result stands for no characters of the source."""
    if not has_template(text):
        return "".join(_lines(text, 0, number))
    from jinja2 import Environment
    from jinja2.exceptions import TemplateSyntaxError

    pieces: list[str] = []
    end = 0
    try:
        for _, kind, value in Environment().lexer.tokeniter(text, None):
            start = text.index(value, end)
            if kind == "data":
                pieces += [text[end:start], *_lines(value, start, number)]
            elif kind == "variable_begin":
                # Before the white space that `{{-` takes away, or the mark would keep it.
                pieces += [f"{_OPEN}{number},{start},1{_CLOSE}", text[end : start + len(value)]]
            else:
                pieces.append(text[end : start + len(value)])
            end = start + len(value)
    except (TemplateSyntaxError, ValueError):
        return text
    return "".join([*pieces, text[end:]])


def _lines(data: str, start: int, number: int) -> Iterator[str]:
    """Text of a source with a mark before the first character of each line that is no white space."""
    for line in data.splitlines(keepends=True):
        white = len(line) - len(line.lstrip())
        yield line[:white]
        if white < len(line):
            yield f"{_OPEN}{number},{start + white},0{_CLOSE}{line[white:]}"
        start += len(line)


def _origin(marked: str, wanted: int, of_template: set[int]) -> tuple[_Mark, _Mark]:
    """Where a character of the result, counted without the marks, comes from, and the last mark of the template itself."""
    last = call = _Mark(0, 0, False)
    passed = reached = 0
    for mark in _MARK.finditer(marked):
        if passed + mark.start() - reached > wanted:
            break
        passed += mark.start() - reached
        reached = mark.end()
        last = _Mark(int(mark[1]), int(mark[2]), mark[3] == "1")
        call = last if last.source in of_template else call
    return last if last.is_expression else replace(last, offset=last.offset + wanted - passed), call


def nearest_line(template: str, rendering: str, line: int) -> int:
    """The line of the template from which a line of its rendering comes, or the nearest one before, found by comparing
    the lines."""
    if template == rendering or line < 1:
        return max(line, 1)
    import difflib

    matcher = difflib.SequenceMatcher(None, template.splitlines(), rendering.splitlines(), autojunk=False)
    found = 1
    for block in matcher.get_matching_blocks():
        if block.b >= line:
            break
        found = block.a + min(line - block.b, block.size) if block.size else found
    return found
