"""Which description stands at which column name, in all schema.yaml of a repository.

Literal descriptions go into the index as they are; a description borrowed by `!include-field-description` goes in as
the options of the tag and is looked up when asked for, so that an edit of the other file is never missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from etl_orchestrator.catalogs.index import Entry, Fact
from etl_orchestrator.catalogs.tree import Tree
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import schema_yaml, yaml_text

_BORROWED = "!include-field-description"
_DEPTH = 20


def fact(tree: Tree, path: str) -> Fact:
    """The descriptions in one schema.yaml; for one that cannot be read, why ({"problem": …})."""
    try:
        node = yaml_text.compose(tree.text(path) or "", path)
        return Fact("", tuple(_walk(_get(node, "fields"), "", 0)))
    except OrchestratorError as error:
        return Fact(json.dumps({"problem": f"{error.message} ({error.at or path})"}))


def borrowed(options: str, resolve: schema_yaml.Resolve) -> str:
    """The text that the options of a tag, kept as JSON, stand for."""
    kept = json.loads(options)
    reference = {key: str(kept[key]) for key in ("file", "table") if kept.get(key)}
    return schema_yaml.included_description(kept, resolve(reference), str(reference)).strip()


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key in a mapping node. Nodes and not values: building values takes five times as long."""
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            if key_node.value == key:
                return value  # type: ignore[no-any-return]
    return None


def _walk(node: yaml.Node | None, prefix: str, depth: int) -> Iterator[Entry]:
    if not isinstance(node, yaml.SequenceNode) or depth > _DEPTH:
        return
    for item in node.value:
        name = _get(item, "name")
        if item.tag.startswith("!") or not isinstance(name, yaml.ScalarNode):
            continue
        path = f"{prefix}{name.value}"
        said = _get(item, "description")
        if isinstance(said, yaml.ScalarNode) and said.value.strip():
            yield Entry(path, said.value.strip())
        elif isinstance(said, yaml.MappingNode) and said.tag == _BORROWED:
            yield Entry(path, json.dumps({key.value: value.value for key, value in said.value}, sort_keys=True), True)
        yield from _walk(_get(item, "fields"), f"{path}.", depth + 1)
