"""Markdown cut into headings and blocks with their lines: as much of it as a requirements file uses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from etl_orchestrator.errors import InvalidInput

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*(.*?)\s*\Z")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)\Z")
_RULE = re.compile(r"\s*(?:[-_|:]|\*\s*\*)[-_*|:\s]*\Z")
_LABEL = re.compile(r"\s*(?:[-*+]\s+)?\*\*([^*]{1,60}?)\s*:?\*\*\s*:?\s*(.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: cells stripped, `line` in the file."""

    cells: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is paragraph, item, table or fence; a fence has the words behind its mark in `info`, a table its header
    and rows in `rows`."""

    kind: str
    text: str
    line: int
    info: str = ""
    rows: tuple[Row, ...] = ()


@dataclass(slots=True)
class Section:
    """A heading and the blocks up to the next one; the first section of a text without a heading has level 0."""

    title: str
    level: int
    line: int
    blocks: list[Block] = field(default_factory=list)


def sections(text: str, origin: str) -> list[Section]:
    """The sections in order. A bold label at the begin of a line (`**Grain:** …`) opens one too, of level 7.

    Raises InvalidInput for a fenced block that is not closed."""
    found = [Section("", 0, 1)]
    lines = _without_comments(text).split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        if fence := _FENCE.match(line):
            end = _fence_end(lines, number, fence[1], origin)
            body = "\n".join(lines[number + 1 : end])
            found[-1].blocks.append(Block("fence", body, number + 1, fence[2].strip()))
            number = end + 1
        elif heading := _HEADING.match(line):
            found.append(Section(heading[2], len(heading[1]), number + 1))
            number += 1
        elif "|" in line and number + 1 < len(lines) and _is_delimiter(lines[number + 1]):
            block, number = _table(lines, number)
            found[-1].blocks.append(block)
        elif not line.strip() or _RULE.match(line):
            number += 1
        elif label := _LABEL.match(line):
            found.append(Section(label[1], 7, number + 1))
            lines[number] = label[2]
            number += 0 if label[2].strip() else 1
        else:
            block, number = _words(lines, number)
            found[-1].blocks.append(block)
    return found


def _without_comments(text: str) -> str:
    """The text with HTML comments blanked outside fences, so that the lines stay the same."""
    return re.sub(
        r"(^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\2)|<!--.*?-->",
        lambda match: match[1] or "\n" * match[0].count("\n"),
        text,
        flags=re.DOTALL | re.MULTILINE,
    )


def _fence_end(lines: list[str], start: int, mark: str, origin: str) -> int:
    for number in range(start + 1, len(lines)):
        closing = _FENCE.match(lines[number])
        if closing and not closing[2] and closing[1].startswith(mark):
            return number
    raise InvalidInput(f"the block {mark} is not closed", at=f"{origin}:{start + 1}", fix=f"end it with {mark}")


def _words(lines: list[str], number: int) -> tuple[Block, int]:
    """A list item or a paragraph with the lines that continue it."""
    start = number
    item = _ITEM.match(lines[number])
    words = [item[1] if item else lines[number].strip().removeprefix("> ")]
    number += 1
    while number < len(lines):
        line = lines[number]
        begins = _HEADING.match(line) or _FENCE.match(line) or _ITEM.match(line) or _LABEL.match(line)
        if not line.strip() or begins or line.lstrip().startswith("|"):
            break
        words.append(line.strip())
        number += 1
    return Block("item" if item else "paragraph", " ".join(words).strip(), start + 1), number


def _is_delimiter(line: str) -> bool:
    return "-" in line and bool(re.fullmatch(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*", line))


def _table(lines: list[str], number: int) -> tuple[Block, int]:
    start = number
    rows = [Row(cells(lines[number]), number + 1)]
    number += 2
    while number < len(lines) and "|" in lines[number] and lines[number].strip():
        rows.append(Row(cells(lines[number]), number + 1))
        number += 1
    text = "\n".join(lines[start:number])
    return Block("table", text, start + 1, rows=tuple(rows)), number


def cells(line: str) -> tuple[str, ...]:
    """The cells of a row. A pipe inside backticks belongs to its cell, escaped or not (`a || b`)."""
    found, current, ticks = [], "", False
    body = line.strip().removeprefix("|")
    if body.endswith("|") and not body.endswith("\\|"):
        body = body[:-1]
    index = 0
    while index < len(body):
        character = body[index]
        if character == "\\" and body[index + 1 : index + 2] == "|":
            current += "|"
            index += 2
            continue
        if character == "`" and (ticks or "`" in body[index + 1 :]):
            ticks = not ticks
        if character == "|" and not ticks:
            found.append(current.strip())
            current = ""
        else:
            current += character
        index += 1
    return (*found, current.strip())


def heading_key(title: str) -> str:
    """A heading as it is compared: without number, marks, brackets and capitals; ` & `, ` / ` and `and` alike."""
    bare = re.sub(r"\s*\([^)]*\)\s*(?=\Z)", "", title.replace("(s)", "s"))
    bare = re.sub(r"^\s*\d+(?:\.\d+)*[.):]?\s+", "", bare)
    bare = re.sub(r"\s*(?:&|/|\band\b)\s*", " ", bare, flags=re.IGNORECASE)
    return " ".join(re.sub(r"[^\w\s-]", " ", bare).replace("_", " ").replace("-", " ").lower().split())
