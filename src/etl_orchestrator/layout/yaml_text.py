"""YAML in and out: one reader that refuses what is doubtful, one emitter for every file we make.

Reading uses libyaml where PyYAML was built with it (ten times faster). Writing always uses the Python emitter, so
that the bytes do not depend on the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from etl_orchestrator.errors import InvalidInput

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: A tag handler gets the value of the tagged node and its `path:line`.
Handler = Callable[[Any, str], Any]

_MAX_DEPTH = 100
#: Nodes that aliases may add to a document; the largest real fixture known repeats some 4,000.
_MAX_REPEATED = 100_000
_STANDARD = "tag:yaml.org,2002:"
_MERGE = f"{_STANDARD}merge"

# More than this many levels can only be reached with one of these; then the depth is counted exactly.
_MAYBE_DEEP = re.compile(r"(?m)^ {100}|(?:[-?:][ \t]+){100}")


def load(text: str, at: str, tags: Mapping[str, Handler] | None = None) -> Any:
    """The one document of a text as plain Python values, dates as `date` and `datetime`.

    `at` names the text in errors. Raises InvalidInput with `path:line` for anything that is not YAML, a key given
    twice, an alias bomb, nesting beyond 100 levels, a second document, and every tag without a handler in `tags`.
    """
    node = compose(text, at)
    return None if node is None else value_of(node, at, tags)


def value_of(node: yaml.Node, at: str, tags: Mapping[str, Handler] | None = None) -> Any:
    """The value of a node of `compose`; raises as `load` does."""
    return _Builder(at, tags or {}).value(node, 0)


def compose(text: str, at: str) -> yaml.Node | None:
    """The node tree of a text, for a reader who needs lines; None for an empty text."""
    if text.count("[") + text.count("{") > _MAX_DEPTH or _MAYBE_DEEP.search(text):
        _refuse_deep(text, at)
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _invalid(error, at) from error
    return node


def _refuse_deep(text: str, at: str) -> None:
    """libyaml's composer recurses in C and takes the process down with it, so the depth is counted from events."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
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
        if tag.startswith(_STANDARD):
            return self.standard(node, tag[len(_STANDARD) :], depth)
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


# Text that some reader of YAML (1.1 or 1.2, or of JSON) takes for a number, a truth value or nothing, beyond what
# PyYAML's own resolver already quotes.
_DOUBTFUL = re.compile(r"[-+]?(\d[\d_]*)?\.?[\d_]*([eE][-+]?\d+)?\Z|0[oxb][0-9a-fA-F_]+\Z|[yYnN]\Z")

# Line breaks of YAML 1.1 that PyYAML 6.0 loses in every style but double quotes, where it escapes them.
_EXOTIC_BREAK = re.compile("[\x85\u2028\u2029]")

#: yamllint of that repository allows 160; words that cannot be broken may be longer.
_WIDTH = 100
_LIMIT = 150


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if _EXOTIC_BREAK.search(text):
        style = '"'
    elif "\n" in text.rstrip("\n") and all(len(line) <= _LIMIT - 20 for line in text.split("\n")):
        style = "|"
    elif text and _DOUBTFUL.match(text):
        style = "'"
    return dumper.represent_scalar(f"{_STANDARD}str", text, style=style)


def _represent_mapping(dumper: yaml.SafeDumper, value: Mapping[Any, Any]) -> yaml.Node:
    return dumper.represent_mapping(f"{_STANDARD}map", value.items())


_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(Mapping, _represent_mapping)  # type: ignore[type-abstract]


def dump(value: Any) -> str:
    """Block-style YAML, keys in the order given, sequences at the column of their key, ending in one line break.

    Takes str, int, float, bool, None, date, datetime, lists, tuples and mappings; anything else is InvalidInput.
    """
    try:
        text = str(
            yaml.dump(
                value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=_WIDTH
            )
        )
    except yaml.YAMLError as error:
        raise InvalidInput(f"a {type(value).__name__} cannot be written as YAML: {error}") from error
    if all(len(line) <= _LIMIT for line in text.split("\n")):
        return text
    wrapped = "".join(f"{part}\n" for line in text.removesuffix("\n").split("\n") for part in _wrapped(line))
    return wrapped if yaml.load(wrapped, Loader=_Loader) == yaml.load(text, Loader=_Loader) else text


_FIRST_LINE = re.compile(r"\s*(- )*\S+:( |$)|\s*- ")


def _wrapped(line: str) -> list[str]:
    """PyYAML breaks only after its width is passed, so a long word (a link) sticks out: break before it as well.

    A single space between two words of a plain or quoted scalar may become a line break without a change of meaning.
    """
    indent = len(line) - len(line.lstrip())
    further = " " * (indent + 4 if _FIRST_LINE.match(line) else indent)
    parts: list[str] = []
    while len(line) > _LIMIT:
        cut = next((at for at in range(_LIMIT, len(further), -1) if _is_seam(line, at)), None)
        if cut is None:
            break
        parts.append(line[:cut])
        line = further + line[cut + 1 :]
    return [*parts, line]


def _is_seam(line: str, at: int) -> bool:
    return line[at] == " " and line[at - 1] not in " :-\\" and line[at + 1 : at + 2] not in ("", " ", "\\")
