"""YAML as a person writes it: the core schema of YAML 1.2, with the line of everything, and nothing that can hurt.

PyYAML reads YAML 1.1 (`on` is true, dates are objects, the last of two equal keys wins) and builds values by recursion.
Only its scanner and parser are used here; the tree is built from their events. Every scalar stays the text as written:
`Plain` when it was not quoted, so that `native` can tell the word "true" from the boolean.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml
from yaml import events

from etl_orchestrator.errors import InvalidInput

MAX_BYTES, MAX_DEPTH, MAX_NODES = 1_000_000, 40, 200_000
_WRITTEN_OUT = "write the values out, without anchors"

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
# At most 1000 digits: int() refuses more than 4300.
_INT = re.compile(r"[-+]?[0-9]{1,1000}\Z|0o[0-7]{1,1000}\Z|0x[0-9a-fA-F]{1,1000}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL = {".inf": float("inf"), "-.inf": float("-inf"), "+.inf": float("inf"), ".nan": float("nan")}

#: A value as read: text, None, a list or a mapping.
Value = str | None | list["Value"] | dict[str, "Value"]
#: Where something stands: the keys and indexes that lead to it.
Path = tuple[str | int, ...]


class Plain(str):
    """A scalar without quotes: the text as written."""

    __slots__ = ()


@dataclass(slots=True)
class Document:
    """A value and the line of each part of it. `capital_nulls` are the places where NULL was written as SQL writes it."""

    value: Value
    lines: dict[Path, int]
    origin: str
    capital_nulls: set[Path] = field(default_factory=set)

    def at(self, path: Path = ()) -> str:
        """`file:line` of a part, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.origin}:{self.lines.get(path, 1)}"


@dataclass(slots=True)
class _Node:
    """A node before anchors are expanded."""

    kind: str  # scalar list mapping alias
    line: int
    value: Value = None
    items: list[_Node] = field(default_factory=list)
    keys: list[tuple[str, int]] = field(default_factory=list)
    name: str = ""


def decoded(data: bytes, origin: str) -> str:
    """The text of a file. Raises InvalidInput for what is too large, not UTF-8 or holds control characters."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            f"the file has {len(data)} bytes, more than {MAX_BYTES}",
            at=origin,
            fix="requirements are written by people",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInput("the file is not UTF-8", at=f"{origin}:{line}", fix="save it as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    bad = re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        message = f"the file holds the control character U+{ord(bad.group()):04X}"
        raise InvalidInput(message, at=f"{origin}:{line}", fix="remove it, or write it as an escape where SQL needs it")
    return text


def read(text: str, origin: str, first_line: int = 1) -> Document:
    """The one document of a YAML text. `first_line` is the line of its first line in `origin`.

    Raises InvalidInput for malformed YAML, duplicate keys, tags, merge keys, deep nesting and expansion without bounds."""
    shift = first_line - 1
    try:
        # Events are taken one by one: the scanner is quadratic in the depth of brackets, and the builder stops it early.
        return _Builder(origin, shift).document(iter(yaml.parse(text, Loader=yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + 1 + shift
        raise InvalidInput(f"not YAML: {error.problem or error.context}", at=f"{origin}:{line}") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"not YAML: {' '.join(str(error).split())}", at=origin) from None


class _Builder:
    """Makes the tree from events, then expands anchors under a bound."""

    def __init__(self, origin: str, shift: int) -> None:
        self.origin = origin
        self.shift = shift
        self.anchors: dict[str, _Node] = {}
        self.lines: dict[Path, int] = {}
        self.nulls: set[Path] = set()
        self.count = 0

    def document(self, stream: Iterator[events.Event]) -> Document:
        root: _Node | None = None
        for event in stream:
            if isinstance(event, events.DocumentStartEvent) and root is not None:
                raise self._wrong("a second document begins", self._line(event))
            if isinstance(event, events.NodeEvent):
                root = self._node(event, stream, 0)
        if root is None:
            raise InvalidInput("the file is empty", at=f"{self.origin}:{self.shift + 1}")
        return Document(self._expanded(root, ()), self.lines, self.origin, self.nulls)

    def _line(self, event: events.Event) -> int:
        return (event.start_mark.line if event.start_mark else 0) + 1 + self.shift

    def _wrong(self, message: str, line: int, fix: str | None = None) -> InvalidInput:
        return InvalidInput(message, at=f"{self.origin}:{line}", fix=fix)

    def _node(self, event: events.Event, stream: Iterator[events.Event], depth: int) -> _Node:
        line = self._line(event)
        if depth > MAX_DEPTH:
            raise self._wrong(f"nested more than {MAX_DEPTH} deep", line)
        if isinstance(event, events.AliasEvent):
            if event.anchor not in self.anchors:
                raise self._wrong(f"no anchor &{event.anchor} before this alias", line)
            return _Node("alias", line, name=event.anchor)
        if (tag := getattr(event, "tag", None)) is not None:
            raise self._wrong(f"the tag `{tag}` is not allowed", line, "remove it; types come from the schemas")
        if isinstance(event, events.ScalarEvent):
            node = _Node("scalar", line, _scalar(event), name=str(event.value))
        elif isinstance(event, events.SequenceStartEvent):
            node = _Node("list", line)
            while not isinstance(item := next(stream), events.SequenceEndEvent):
                node.items.append(self._node(item, stream, depth + 1))
        else:
            node = self._mapping(line, stream, depth)
        # Known only from here on, so that nothing can hold itself.
        if anchor := getattr(event, "anchor", None):
            self.anchors[anchor] = node
        return node

    def _mapping(self, line: int, stream: Iterator[events.Event], depth: int) -> _Node:
        node = _Node("mapping", line)
        seen: dict[str, int] = {}
        while not isinstance(event := next(stream), events.MappingEndEvent):
            if not isinstance(event, events.ScalarEvent) or event.tag is not None:
                raise self._wrong("a key must be one word or string", self._line(event))
            key, at = str(event.value), self._line(event)
            if key == "<<" and event.style is None:
                raise self._wrong("merge keys (<<) are not part of YAML 1.2", at, "write the keys out")
            if key in seen:
                raise self._wrong(
                    f"the key `{key}` stands here a second time (first in line {seen[key]})", at, "keep one of them"
                )
            seen[key] = at
            node.keys.append((key, at))
            node.items.append(self._node(next(stream), stream, depth + 1))
        return node

    def _expanded(self, node: _Node, path: Path, depth: int = 0) -> Value:
        self.count += 1
        if self.count > MAX_NODES:
            raise self._wrong(f"more than {MAX_NODES} values after anchors are expanded", node.line, _WRITTEN_OUT)
        if depth > 2 * MAX_DEPTH:
            raise self._wrong("anchors are nested too deep", node.line, _WRITTEN_OUT)
        self.lines.setdefault(path, node.line)
        if node.kind == "alias":
            return self._expanded(self.anchors[node.name], path, depth + 1)
        if node.kind == "list":
            return [self._expanded(item, (*path, index), depth + 1) for index, item in enumerate(node.items)]
        if node.kind == "mapping":
            found: dict[str, Value] = {}
            for (key, line), item in zip(node.keys, node.items, strict=True):
                self.lines[(*path, key)] = line
                found[key] = self._expanded(item, (*path, key), depth + 1)
            return found
        if node.value is None and node.name == "NULL":
            self.nulls.add(path)
        return node.value


def _scalar(event: events.ScalarEvent) -> Value:
    text = str(event.value)
    if event.style is not None:
        return text
    return None if text in _NULL else Plain(text)


def native(value: Value) -> object:
    """The value with the types of YAML 1.2 (core schema): booleans and numbers where no quotes stood; dates stay text."""
    if isinstance(value, list):
        return [native(item) for item in value]
    if isinstance(value, dict):
        return {key: native(item) for key, item in value.items()}
    if not isinstance(value, Plain):
        return value
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    if _INT.match(value):
        return int(value[2:], 8) if value.startswith("0o") else int(value, 16) if value.startswith("0x") else int(value)
    if value.lower() in _SPECIAL:
        return _SPECIAL[value.lower()]
    number = float(value) if _FLOAT.match(value) else math.inf
    return str(value) if math.isinf(number) else number  # too large for a float: the text says more


def plain(value: Value) -> Value:
    """The value with every scalar as bare text."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return None if value is None else str(value)
