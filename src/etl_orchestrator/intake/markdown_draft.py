"""What has been read of a Markdown file so far."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from etl_orchestrator.intake import elements, phrases
from etl_orchestrator.intake.markdown_text import Block
from etl_orchestrator.requirements import (
    Column,
    Example,
    Parameter,
    Partitioning,
    Prose,
    Query,
    RefuseWhen,
    Schedule,
    Source,
)
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import Schema, TableRef

#: Behind the name of an element in `Prose.where`: the element was spoken of in words that no rule understands, or twice.
UNCLEAR = ": unclear"

_CODE = re.compile(r"(`+)(.+?)\1")
_COMPARISON = re.compile(r"(?:[=<>]|!=|\b(?:IS|IN|LIKE|BETWEEN|NOT|EXISTS)\b)", re.IGNORECASE)


@dataclass(slots=True)
class Draft:
    """A request in the making: readers fill it in, the first word on an element counts and a second one is kept."""

    origin: str
    project: str
    table: TableRef | None = None
    friendly_name: str | None = None
    description: str | None = None
    grain: str | tuple[str, ...] | None = None
    sources: list[Source] = field(default_factory=list)
    unnamed: set[int] = field(default_factory=set)  # sources without an alias of their own
    first_keys: str | None = None  # join keys written beside the first source
    columns: dict[str, Column] = field(default_factory=dict)
    blocks: list[tuple[str, str, str]] = field(default_factory=list)  # name, SQL, place
    conditions: dict[str, list[str]] = field(default_factory=lambda: {"where": [], "having": [], "qualify": []})
    distinct: bool = False
    query: Query | None = None
    python: str | None = None
    partitioning: Partitioning | None = None
    retention: int | None = None
    clustering: list[str] = field(default_factory=list)
    schedule: Schedule | None = None
    owners: list[str] = field(default_factory=list)
    tier: str | None = None
    consumers: list[str] = field(default_factory=list)
    monitoring: str | tuple[Mapping[str, object], ...] = "auto"
    labels: dict[str, object] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    refuse_when: list[RefuseWhen] = field(default_factory=list)
    schemas: dict[str, tuple[Schema, str]] = field(default_factory=dict)  # by table, with the place
    prose: list[Prose] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def at(self, line: int) -> str:
        return f"{self.origin}:{line}"

    def keep(self, where: str, text: str, line: int) -> None:
        """Words for the author; what the template put there is nobody's word."""
        if not phrases.is_placeholder(text):
            self.prose.append(Prose(where, text.strip(), line))

    def unclear(self, element: str, text: str, line: int) -> None:
        """Words that need an answer."""
        self.keep(element + UNCLEAR, text, line)

    def condition(self, text: str, line: int, kind: str = "") -> None:
        """A condition on rows, where it belongs: where it is said to, else on windows, on groups, on rows."""
        at = self.at(line)
        elements.expression(text, at)
        if expressions.has_window(text):
            kind = "qualify"
        elif not kind:
            kind = "having" if expressions.is_aggregate(text) else "where"
        self.conditions[kind].append(text.strip())
        self.lines.setdefault(kind, line)


def code(text: str) -> str | None:
    """The expression of a cell that is nothing but code; two pieces of code with "and" between are one condition."""
    bare = text.strip()
    pieces = list(_CODE.finditer(bare))
    if not pieces:
        return None
    between = _CODE.sub("\x00", bare).strip(" .")
    if between == "\x00":
        return pieces[0][2].strip()
    if re.fullmatch(r"\x00(?:\s*(?:,|and|,\s*and)\s*\x00)+", between, re.IGNORECASE):
        return " AND ".join(f"({piece[2].strip()})" for piece in pieces)
    return None


def condition_in(text: str) -> str | None:
    """The condition of a cell: code, or bare words that can only be a comparison."""
    found = code(text)
    if found is not None:
        return found
    if "`" in text or not _COMPARISON.search(text) or not re.search(r"\w", text):
        return None
    tree = expressions.parsed(text) if _is_safe(text) else None
    if tree is None or tree.key not in _CONDITIONS:
        return None
    return text.strip()


def _is_safe(text: str) -> bool:
    from etl_orchestrator.errors import InvalidInput

    try:
        expressions.check_expression(text, "")
    except InvalidInput:
        return False
    return True


_CONDITIONS = frozenset(
    [
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "is",
        "in",
        "like",
        "between",
        "not",
        "and",
        "or",
        "exists",
        "nullsafeeq",
        "nullsafeneq",
    ]
)


def words(blocks: list[Block]) -> list[tuple[str, int]]:
    """Paragraphs and items with their lines; a bold label is said before the words it stands for."""
    found: list[tuple[str, int]] = []
    label = ""
    for block in blocks:
        if block.kind == "label":
            label = f"{block.text}: "
        elif block.kind in ("paragraph", "item"):
            found.append((label + block.text, block.line))
            label = ""
    return found
