"""The messages and enums of the analyzer's protocol by name: `from …protocol import TypeProto, TypeKind`.

Running the modules that `zetasql` has for them makes a class for each of some 2,000 messages, which takes a tenth of a
start. What they hold, the descriptions of the messages, is read from them without running them, and only the messages
that are asked for (and what they consist of) get a class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import zetasql
from google.protobuf import descriptor_pool  # type: ignore[import-untyped]
from google.protobuf.descriptor_pb2 import FileDescriptorProto  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessageClass  # type: ignore[import-untyped]

_POOL = descriptor_pool.Default()
_MODULES = Path(zetasql.__file__).parent / "wasi" / "_pb2"
_PACKAGES = ("zetasql", "zetasql.local_service")


class Enum:
    """The numbers of an enum by the names of its values."""

    def __init__(self, descriptor: Any) -> None:
        self._numbers: dict[str, int] = {value.name: value.number for value in descriptor.values}
        self._names = {number: name for name, number in reversed(self._numbers.items())}  # the first of two names

    def __getattr__(self, name: str) -> int:
        try:
            return self._numbers[name]
        except KeyError:
            raise AttributeError(f"the analyzer's protocol has no value `{name}` there") from None

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._numbers.items())

    def name_of(self, number: int) -> str:
        """Raises KeyError for a number that no value has."""
        return self._names[number]


def __getattr__(name: str) -> Any:
    """The class of a message, or an Enum."""
    for package in _PACKAGES:
        for find, make in ((_POOL.FindMessageTypeByName, GetMessageClass), (_POOL.FindEnumTypeByName, Enum)):
            try:
                made = make(find(f"{package}.{name}"))
            except KeyError:
                continue
            globals()[name] = made
            return made
    raise AttributeError(f"the analyzer's protocol has no `{name}`")


def _describe(file: str) -> None:
    """Tells protobuf of a .proto file, after those that it builds on."""
    module = file.removesuffix(".proto").replace("/", ".") + "_pb2"
    if not file.startswith("zetasql/"):
        import_module(module)
        return
    content = _content(file, module)
    if content is None:  # a release of zetasql that keeps it otherwise
        import_module(f"zetasql.wasi._pb2.{module}")
        return
    for needed in FileDescriptorProto.FromString(content).dependency:
        if needed not in _described:
            _described.add(needed)
            _describe(needed)
    _POOL.AddSerializedFile(content)


def _content(file: str, module: str) -> bytes | None:
    """The description that a generated module holds, which is the longest of its constants."""
    source = _MODULES / f"{file.removesuffix('.proto')}_pb2.py"
    with suppress(OSError, ImportError, DecodeError):
        code = SourceFileLoader(module, str(source)).get_code(module)
        constants = code.co_consts if code is not None else ()
        content = max((part for part in constants if isinstance(part, bytes)), key=len, default=b"")
        return content if FileDescriptorProto.FromString(content).name == file else None
    return None


_described: set[str] = set()
_describe("zetasql/local_service/local_service.proto")
