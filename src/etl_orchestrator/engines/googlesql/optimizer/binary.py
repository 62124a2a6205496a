"""The parts of a WebAssembly file: https://webassembly.github.io/spec/core/binary/modules.html."""

from __future__ import annotations

from dataclasses import dataclass

from etl_orchestrator.engines.googlesql.optimizer.code import read_unsigned, unsigned

_TYPES, _IMPORTS, _FUNCTIONS, _CODE = 1, 2, 3, 10
_HEAD = 8


@dataclass(frozen=True, slots=True)
class Binary:
    """Sections by number and content, and what is read of them; functions are counted with the imported ones first."""

    head: bytes
    sections: tuple[tuple[int, bytes], ...]
    types: tuple[tuple[bytes, bytes], ...]  # of each type of function the types of what it takes and gives
    of_functions: tuple[int, ...]  # the type of each function
    imports: tuple[str, ...]  # the names of the functions that are imported
    bodies: tuple[bytes, ...]  # of the other ones

    @property
    def imported(self) -> int:
        """How many functions are imported."""
        return len(self.imports)

    def function_named(self, name: str) -> int | None:
        """The number of an imported function, named with its module."""
        return self.imports.index(name) if name in self.imports else None

    def with_code(self, entries: bytes) -> bytes:
        """The whole file with other entries of as many functions."""
        out = bytearray(self.head)
        for number, content in self.sections:
            data = unsigned(len(self.bodies)) + entries if number == _CODE else content
            out += bytes([number]) + unsigned(len(data)) + data
        return bytes(out)


def binary_of(wasm: bytes) -> Binary:
    sections, at = [], _HEAD
    while at < len(wasm):
        size, start = read_unsigned(wasm, at + 1)
        sections.append((wasm[at], wasm[start : start + size]))
        at = start + size
    parts = dict(sections)
    own = _numbers(parts.get(_FUNCTIONS, b"\0"))
    imported = _imported(parts.get(_IMPORTS, b"\0"))
    of_functions = (*(number for _, number in imported), *own)
    bodies = _entries(parts.get(_CODE, b"\0"))
    types = _types(parts.get(_TYPES, b"\0"))
    return Binary(wasm[:_HEAD], tuple(sections), types, of_functions, tuple(name for name, _ in imported), bodies)


def entry(body: bytes) -> bytes:
    """One entry of the section of code."""
    return unsigned(len(body)) + body


def _types(section: bytes) -> tuple[tuple[bytes, bytes], ...]:
    count, at = read_unsigned(section, 0)
    found = []
    for _ in range(count):
        takes, at = read_unsigned(section, at + 1)  # after the byte that says that it is of a function
        kinds = section[at : at + takes]
        gives, at = read_unsigned(section, at + takes)
        found.append((kinds, section[at : at + gives]))
        at += gives
    return tuple(found)


def _numbers(section: bytes) -> list[int]:
    count, at = read_unsigned(section, 0)
    found = []
    for _ in range(count):
        number, at = read_unsigned(section, at)
        found.append(number)
    return found


def _imported(section: bytes) -> list[tuple[str, int]]:
    """Imported functions: module and name, and the type."""
    count, at = read_unsigned(section, 0)
    found = []
    for _ in range(count):
        names = []
        for _ in range(2):
            length, at = read_unsigned(section, at)
            names.append(section[at : at + length].decode())
            at += length
        kind, at = section[at], at + 1
        if kind == 0:
            number, at = read_unsigned(section, at)
            found.append((".".join(names), number))
            continue
        if kind != 3:  # a table or memory: its type or nothing, then its limits
            at += kind == 1
            with_maximum = section[at] & 1
            for _ in range(1 + with_maximum):
                _, at = read_unsigned(section, at + 1 if _ == 0 else at)
            continue
        at += 2  # a variable: its type, whether it changes
    return found


def _entries(section: bytes) -> tuple[bytes, ...]:
    count, at = read_unsigned(section, 0)
    found = []
    for _ in range(count):
        size, at = read_unsigned(section, at)
        found.append(section[at : at + size])
        at += size
    return tuple(found)
