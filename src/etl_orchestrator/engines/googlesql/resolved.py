"""Walking the engine's resolved tree: protobuf messages in several layers of oneofs and parents."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

_LEAVES = {"ResolvedColumnProto", "ResolvedFunctionCallInfoProto"}


def kind(node: Any) -> str:
    """`TableScan`, `FunctionCall` ... of a concrete node."""
    name: str = node.DESCRIPTOR.name
    return name.removeprefix("Resolved").removesuffix("Proto")


def concrete(node: Any) -> Any:
    """The node itself, out of the oneofs around it."""
    while node.DESCRIPTOR.name.startswith("AnyResolved"):
        chosen = node.WhichOneof("node")
        if chosen is None:
            return node
        node = getattr(node, chosen)
    return node


def column_list(scan: Any) -> Any:
    """The columns a scan gives, which its base class holds."""
    node = scan
    while not hasattr(node, "column_list"):
        node = node.parent
    return node.column_list


def inherited(node: Any, name: str, *default: Any) -> Any:
    """A field of the node or of the nearest base class that has it; with a default, that where none has, as `getattr`."""
    while not hasattr(node, name):
        if default and not hasattr(node, "parent"):
            return default[0]
        node = node.parent
    return getattr(node, name)


def children(node: Any) -> Iterator[Any]:
    """Concrete nodes directly below, those of the base classes included."""
    for name, repeated in _fields(node.DESCRIPTOR):
        if repeated:
            for item in getattr(node, name):
                yield concrete(item)
        elif node.HasField(name):
            child = getattr(node, name)
            if name == "parent":
                yield from children(child)
            else:
                yield concrete(child)


def walk(node: Any) -> Iterator[Any]:
    """The node and everything below, parents first."""
    waiting = [concrete(node)]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(children(current))


@cache
def _fields(descriptor: Any) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (field.name, field.is_repeated)
        for field in descriptor.fields
        if field.message_type is not None
        and field.message_type.name.startswith(("Resolved", "AnyResolved"))
        and field.message_type.name not in _LEAVES
    )
