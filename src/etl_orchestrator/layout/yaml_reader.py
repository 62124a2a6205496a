"""The reader of YAML, behind `yaml_text`. It uses libyaml where PyYAML was built with it (ten times faster)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout.yaml_text import STANDARD, Handler

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MAX_DEPTH = 100
#: Nodes that aliases may add to a document; the largest real fixture known repeats some 4,000.
_MAX_REPEATED = 100_000
_MERGE = f"{STANDARD}merge"

# More than this many levels can only be reached with one of these; then the depth is counted exactly.
_MAYBE_DEEP = re.compile(r"(?m)^ {100}|(?:[-?:][ \t]+){100}")


def value_of(node: yaml.Node, at: str, tags: Mapping[str, Handler]) -> Any:
    """See `yaml_text.value_of`."""
    return _Builder(at, tags).value(node, 0)


def compose(text: str, at: str) -> yaml.Node | None:
    """See `yaml_text.compose`."""
    if text.count("[") + text.count("{") > _MAX_DEPTH or _MAYBE_DEEP.search(text):
        _refuse_deep(text, at)
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise _invalid(error, at) from error
    return node


def _refuse_deep(text: str, at: str) -> None:
    """libyaml's composer recurses in C and takes the process down with it, so the depth is counted from events."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _MAX_DEPTH:
                    raise InvalidInput(f"nested deeper than {_MAX_DEPTH} levels", at=_place(at, event.start_mark))
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError as error:
        raise _invalid(error, at) from error


def _place(at: str, mark: Any) -> str:
    return at if mark is None else f"{at}:{mark.line + 1}"


def _invalid(error: yaml.YAMLError, at: str) -> InvalidInput:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        return InvalidInput(f"not YAML: {said}", at=_place(at, mark))
    return InvalidInput(f"not YAML: {str(error).splitlines()[0]}", at=at)


@dataclass(slots=True)
class _Builder:
    """Turns nodes into values; `seen` and `repeated` count what aliases add."""

    at: str
    tags: Mapping[str, Handler]
    seen: set[int] = field(default_factory=set)
    repeated: int = 0
    scalars: yaml.constructor.SafeConstructor = field(default_factory=yaml.constructor.SafeConstructor)

    def line(self, node: yaml.Node) -> str:
        return _place(self.at, node.start_mark)

    def value(self, node: yaml.Node, depth: int) -> Any:
        if id(node) in self.seen:
            self.repeated += 1
            if self.repeated > _MAX_REPEATED:
                raise InvalidInput("aliases make this document too large", at=self.line(node))
        else:
            self.seen.add(id(node))
        if depth > _MAX_DEPTH:
            raise InvalidInput(f"nested deeper than {_MAX_DEPTH} levels", at=self.line(node))
        tag: str = node.tag
        if tag.startswith(STANDARD):
            return self.standard(node, tag[len(STANDARD) :], depth)
        handler = self.tags.get(tag)
        if handler is None:
            raise InvalidInput(f"unknown tag `{tag}`", at=self.line(node))
        return handler(self.untagged(node, depth), self.line(node))

    def untagged(self, node: yaml.Node, depth: int) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        return node.value

    def standard(self, node: yaml.Node, kind: str, depth: int) -> Any:
        if kind == "str" and isinstance(node, yaml.ScalarNode):
            return node.value
        if kind == "map" and isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if kind == "seq" and isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        if kind == "value":  # a lone `=`
            return node.value
        make = _SCALARS.get(kind)
        if make is None or not isinstance(node, yaml.ScalarNode):
            raise InvalidInput(f"unknown tag `!!{kind}`", at=self.line(node))
        try:
            return make(self.scalars, node)
        except (ValueError, KeyError, IndexError, AttributeError, yaml.YAMLError) as error:
            raise InvalidInput(f"`{node.value}` is not a {kind}", at=self.line(node)) from error

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for key, value in self.merged(value_node, depth).items():
                    merged.setdefault(key, value)
                continue
            key = self.value(key_node, depth + 1)
            if isinstance(key, dict | list):
                raise InvalidInput("a key must be a scalar", at=self.line(key_node))
            if key in made:
                raise InvalidInput(f"the key `{key}` is given twice", at=self.line(key_node), fix="keep one of the two")
            made[key] = self.value(value_node, depth + 1)
        return {**merged, **made} if merged else made

    def merged(self, node: yaml.Node, depth: int) -> dict[Any, Any]:
        """The keys of `<<`: one mapping or a list of them, the first of which wins."""
        value = self.value(node, depth + 1)
        found: dict[Any, Any] = {}
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise InvalidInput("`<<` merges mappings only", at=self.line(node))
            for key, item in part.items():
                found.setdefault(key, item)
        return found


_SCALARS: dict[str, Callable[[Any, Any], Any]] = {
    "null": yaml.constructor.SafeConstructor.construct_yaml_null,
    "bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
    "int": yaml.constructor.SafeConstructor.construct_yaml_int,
    "float": yaml.constructor.SafeConstructor.construct_yaml_float,
    "timestamp": yaml.constructor.SafeConstructor.construct_yaml_timestamp,
}
