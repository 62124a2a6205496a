"""A schema.yaml brought up to date as an edit of its text: what need not change stays as it is, byte for byte.

Kept are the order of fields and keys, comments, quotes, tags and descriptions. A field that is new is put after the one
that it follows in the wanted schema; one that is gone goes with its lines, and comments above it stay. REQUIRED agrees
with a wanted NULLABLE, for a query can never say it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import schema_yaml, yaml_text
from etl_orchestrator.layout.schema_yaml import Resolve
from etl_orchestrator.table import Field, Schema

_BY_HAND = "change it by hand"


def updated(text: str, wanted: Schema, at: str, resolve: Resolve | None = None, describe: bool = False) -> str:
    """The text of a schema.yaml with the fields, types and modes that are wanted.

    Descriptions of `wanted` are taken for fields that are new and, with `describe`, for those that have none.

    Raises InvalidInput for a text that is no schema, and naming a field that differs and is borrowed from elsewhere.
    """
    standing = schema_yaml.read(text, at, resolve)
    if _agree(standing, wanted) and not (describe and schema_yaml.undescribed(standing)):
        return text
    root = yaml_text.compose(text, at)
    fields = _value(root, "fields") if isinstance(root, yaml.MappingNode) else root
    assert fields is not None  # or it would have been no schema
    editor = _Editor(text, at, resolve, _aliased(root), describe)
    editor.sequence(fields, wanted, "")
    changed = editor.result()
    if not _agree(schema_yaml.read(changed, at, resolve), wanted):
        raise InvalidInput("the columns of this schema cannot be changed in its text", at=at, fix=_BY_HAND)
    return changed


def _agree(standing: Schema, wanted: Schema) -> bool:
    """Whether two schemas have the same fields in whatever order."""
    found = {one.name: one for one in standing}
    return len(found) == len(wanted) and all(
        one.name in found and _same(found[one.name], one) and _agree(found[one.name].fields, one.fields)
        for one in wanted
    )


def _same(standing: Field, wanted: Field) -> bool:
    return standing.type == wanted.type and _optional(standing.mode) == _optional(wanted.mode)


def _optional(mode: str) -> str:
    return "NULLABLE" if mode == "REQUIRED" else mode


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _aliased(root: yaml.Node | None) -> frozenset[int]:
    """Nodes that stand in the document more than once, by `&name` and `*name`: their text is not only theirs."""
    seen: set[int] = set()
    twice: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) or node is None:
            continue
        if id(node) in seen:
            twice.add(id(node))
            continue
        seen.add(id(node))
        waiting += [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    return frozenset(twice)


@dataclass
class _Editor:
    """Collects edits as (start, end, new text); places are offsets into the text."""

    text: str
    at: str
    resolve: Resolve | None
    aliased: frozenset[int]
    describe: bool
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def result(self) -> str:
        """Edits that stand at one place are done in the order in which they were asked for."""
        pieces: list[str] = []
        done = 0
        for start, end, new in sorted(self.edits, key=lambda edit: edit[:2]):
            pieces += [self.text[done:start], new]
            done = end
        return "".join([*pieces, self.text[done:]])

    # --- fields

    def sequence(self, node: yaml.Node, wanted: Schema, path: str) -> None:
        """Makes a list of fields the wanted one."""
        if not isinstance(node, yaml.SequenceNode) or id(node) in self.aliased:
            self._borrowed(node, wanted, path)
            return
        goal = {one.name.lower(): one for one in wanted}
        holders: dict[str, yaml.Node] = {}
        gone: list[yaml.Node] = []
        for item in node.value:
            names = [one.name.lower() for one in self._read(item)]
            if not any(name in goal for name in names):
                gone.append(item)
                continue
            self._item(item, tuple(goal[name] for name in names if name in goal), path)
            holders.update(dict.fromkeys(names, item))
        self._insert(node, holders, wanted)
        self._remove(node, gone)

    def _read(self, node: yaml.Node) -> Schema:
        return schema_yaml.fields_of(node, self.at, self.resolve)

    def _item(self, item: yaml.Node, wanted: Schema, path: str) -> None:
        plain = isinstance(item, yaml.MappingNode) and item.tag == "tag:yaml.org,2002:map"
        if not plain or id(item) in self.aliased or any(key.value == "<<" for key, _ in item.value):
            self._borrowed(item, wanted, path)
        elif isinstance(item, yaml.MappingNode):
            self._field(item, wanted[0], f"{path}{wanted[0].name}")

    def _borrowed(self, node: yaml.Node, wanted: Schema, path: str) -> None:
        """What comes from elsewhere must agree, for it cannot be changed here."""
        standing = self._read(node)
        if _agree(standing, wanted):
            return
        goal = {one.name: one for one in wanted}
        differing = [one for one in standing if one.name not in goal or not _agree((one,), (goal[one.name],))]
        new = [one for one in wanted if one.name not in {one.name for one in standing}]
        name = f"{path}{(differing or new)[0].name}"
        raise InvalidInput(
            f"`{name}` differs from the query, and comes from another place",
            at=f"{self.at}:{node.start_mark.line + 1}",
            fix="change it there, or write the field out here",
        )

    def _field(self, node: yaml.MappingNode, wanted: Field, path: str) -> None:
        (standing,) = self._read(node)
        name, kind, mode = (_value(node, key) for key in ("name", "type", "mode"))
        parts = _value(node, "fields")
        assert name is not None
        assert kind is not None
        if standing.name != wanted.name:
            self._scalar(name, wanted.name)
        if standing.type != wanted.type:
            self._scalar(kind, wanted.type)
        if _optional(standing.mode) != _optional(wanted.mode):
            if mode is not None:
                self._scalar(mode, wanted.mode)
            else:
                self._key_after(node, kind, f"mode: {wanted.mode}")
        if self.describe and wanted.description and not (standing.description or "").strip():
            self._describe(node, wanted.description, mode or kind)
        if parts is not None and wanted.fields:
            self.sequence(parts, wanted.fields, f"{path}.")
        elif parts is not None and standing.fields:
            self._remove_key(node, "fields")
        elif wanted.fields and node.flow_style:
            self._key_after(node, node.value[-1][1], f"fields: [{', '.join(map(_flow, wanted.fields))}]")
        elif wanted.fields:
            self._key_after(node, node.value[-1][1], schema_yaml.write(wanted.fields).rstrip("\n"))

    def _describe(self, node: yaml.MappingNode, words: str, before: yaml.Node) -> None:
        if node.flow_style:
            lines = f"description: {json.dumps(words, ensure_ascii=False)}"
        else:
            lines = yaml_text.dump({"description": words}).rstrip("\n")
        empty = next((pair for pair in node.value if pair[0].value == "description"), None)
        if empty is None:
            self._key_after(node, before, lines)
            return
        start, end = empty[0].start_mark.index, empty[1].end_mark.index
        indented = lines.replace("\n", self._newline() + " " * empty[0].start_mark.column)
        self.edits.append((start, max(end, self._end(empty[1])), indented))

    # --- text

    def _scalar(self, node: yaml.Node, value: str) -> None:
        self.edits.append((node.start_mark.index, node.end_mark.index, value))

    def _key_after(self, node: yaml.MappingNode, before: yaml.Node, lines: str) -> None:
        end = self._end(before)
        if node.flow_style:
            self.edits.append((end, end, f", {lines}"))
        else:
            self._line_after(end, lines, node.value[0][0].start_mark.column)

    def _line_after(self, end: int, lines: str, column: int) -> None:
        """New lines below the one on which something ends, whose comment stays beside it."""
        place = self._line_end(end)
        new = "".join(self._newline() + " " * column + line if line else self._newline() for line in lines.split("\n"))
        self.edits.append((place, place, new))

    def _remove_key(self, node: yaml.MappingNode, key: str) -> None:
        position = next(index for index, (name, _) in enumerate(node.value) if name.value == key)
        name, value = node.value[position]
        following = node.value[position + 1][0] if position + 1 < len(node.value) else None
        if position == 0 and following is not None:
            self.edits.append((name.start_mark.index, following.start_mark.index, ""))
        elif node.flow_style:
            self.edits.append((self._end(node.value[position - 1][1]), self._end(value), ""))
        else:
            self._remove_lines(name.start_mark.index, self._end(value))

    def _insert(self, node: yaml.SequenceNode, holders: Mapping[str, yaml.Node], wanted: Schema) -> None:
        """The fields that are new, each run of them after the field that it follows."""
        runs: list[tuple[yaml.Node | None, list[Field]]] = [(None, [])]
        for one in wanted:
            if one.name.lower() in holders:
                runs.append((holders[one.name.lower()], []))
            else:
                runs[-1][1].append(one)
        for after, fields in runs:
            if fields and node.flow_style:
                self._insert_flow(node, after, ", ".join(map(_flow, fields)), bool(holders))
            elif fields and after is not None:
                self._line_after(self._end(after), _block(fields), self._dash(node.value[0])[1])
            elif fields:
                dash, column = self._dash(node.value[0])
                lines = "".join(f"{' ' * column}{line}{self._newline()}" for line in _block(fields).split("\n"))
                start = self._line_start(dash)
                self.edits.append((start, start, lines))

    def _insert_flow(self, node: yaml.SequenceNode, after: yaml.Node | None, made: str, keeps: bool) -> None:
        if after is not None:
            self.edits.append((self._end(after), self._end(after), f", {made}"))
        elif node.value:
            start = node.value[0].start_mark.index
            self.edits.append((start, start, f"{made}, " if keeps else made))
        else:
            self.edits.append((node.start_mark.index, node.end_mark.index, f"[{made}]"))

    def _remove(self, node: yaml.SequenceNode, gone: Sequence[yaml.Node]) -> None:
        """Items with all their lines; of a list in brackets, runs of items with the commas between them."""
        ids = {id(item) for item in gone}
        if not node.flow_style:
            for item in gone:
                self._remove_lines(self._dash(item)[0], self._end(item))
            return
        items: list[yaml.Node] = node.value
        for first, item in enumerate(items):
            if id(item) not in ids or (first and id(items[first - 1]) in ids):
                continue
            last = next((place for place in range(first, len(items)) if id(items[place]) not in ids), len(items))
            if last < len(items):
                self.edits.append((item.start_mark.index, items[last].start_mark.index, ""))
            else:
                start = self._end(items[first - 1]) if first else item.start_mark.index
                self.edits.append((start, self._end(items[-1]), ""))

    def _remove_lines(self, start: int, end: int) -> None:
        start, end = self._line_start(start), self._line_end(end)
        following = len(self._newline()) if self.text.startswith(self._newline(), end) else 0
        self.edits.append((start, end + following, ""))

    def _dash(self, item: yaml.Node) -> tuple[int, int]:
        """Where the dash of an item of a block list stands, and its column."""
        dash = self.text.rindex("-", 0, item.start_mark.index)
        return dash, dash - self._line_start(dash)

    def _end(self, node: yaml.Node) -> int:
        """Where the text of a node ends; the marks of blocks are those of what follows."""
        last: yaml.Node = node
        while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
            item = last.value[-1]
            last = item[1] if isinstance(item, tuple) else item
        start, end = last.start_mark.index, last.end_mark.index
        return start + len(self.text[start:end].rstrip())

    def _line_start(self, place: int) -> int:
        return self.text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        end = self.text.find("\n", place)
        if end < 0:
            return len(self.text)
        return end - 1 if end > place and self.text[end - 1] == "\r" else end

    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"


def _block(fields: Sequence[Field]) -> str:
    """Fields as items of a block list, without the indentation that all lines have."""
    written = schema_yaml.write(tuple(fields))
    return written.removeprefix("fields:\n").rstrip("\n")


def _flow(one: Field) -> str:
    """A field on one line."""
    entry = yaml.safe_load(_block((one,)))[0]
    return str(yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)).strip()
