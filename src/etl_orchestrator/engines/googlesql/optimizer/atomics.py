"""Atomic instructions become plain ones, for one thread runs an instance: every other waits for its turn.

The analyzer was compiled for many threads. A store that they all see in one order waits for the memory of the machine, and
`malloc` and `free` end with one: a third of the time of an analysis.

Numbers of instructions: https://github.com/WebAssembly/threads/blob/main/proposals/threads/Overview.md.
"""

from __future__ import annotations

from etl_orchestrator.engines.googlesql.optimizer import code
from etl_orchestrator.engines.googlesql.optimizer.code import Function, unsigned

_ATOMIC = 0xFE
_FENCE, _FIRST_LOAD, _FIRST_STORE, _FIRST_CHANGE = 0x03, 0x10, 0x17, 0x1E
#: Each operation is there for values of these types and widths in memory, in this order.
_TYPES = (code.I32, code.I64, code.I32, code.I32, code.I64, code.I64, code.I64)
_LOADS = (0x28, 0x29, 0x2D, 0x2F, 0x31, 0x33, 0x35)
_STORES = (0x36, 0x37, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E)
#: add, sub, and, or, xor: what is stored is made of what was there and of what is given.
_CHANGES = {code.I32: (0x6A, 0x6B, 0x71, 0x72, 0x73), code.I64: (0x7C, 0x7D, 0x83, 0x84, 0x85)}
_EXCHANGE, _COMPARE_AND_EXCHANGE = 5, 6
_EQUAL = {code.I32: b"\x46", code.I64: b"\x51"}
_SELECT = b"\x1b"


def to_plain(function: Function) -> None:
    """Changes the function. What wakes or waits for other threads stays."""
    if not any(token[0] == _ATOMIC for token in function.tokens):
        return
    variables = _Variables(function)
    made: list[bytes] = []
    for token in function.tokens:
        if token[0] == _ATOMIC and token[1] >= _FENCE:
            made += _plain(token, variables)
        else:
            made.append(token)
    function.tokens = made


class _Variables:
    """Those that the instructions put in are in need of, one after another."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._made: dict[tuple[str, int], bytes] = {}

    def of(self, use: str, kind: int) -> bytes:
        if (use, kind) not in self._made:
            self._made[use, kind] = unsigned(self._function.new_local(kind))
        return self._made[use, kind]


def _plain(token: bytes, variables: _Variables) -> tuple[bytes, ...]:
    number, place = token[1], token[2:]
    if number == _FENCE:
        return ()
    if number < _FIRST_CHANGE:
        first, plain = (_FIRST_LOAD, _LOADS) if number < _FIRST_STORE else (_FIRST_STORE, _STORES)
        return (bytes([plain[number - first]]) + place,)
    operation, width = divmod(number - _FIRST_CHANGE, len(_TYPES))
    kind = _TYPES[width]
    load, store = bytes([_LOADS[width]]) + place, bytes([_STORES[width]]) + place
    address, given, before = (
        variables.of("address", code.I32),
        variables.of("given", kind),
        variables.of("before", kind),
    )
    change: tuple[bytes, ...]
    if operation == _COMPARE_AND_EXCHANGE:
        expected = variables.of("expected", kind)
        narrow = code.WIDENED.get(_LOADS[width], ())
        taken = (b"\x21" + given, *narrow, b"\x21" + expected, b"\x22" + address, b"\x20" + given)
        change = (b"\x22" + before, b"\x20" + before, b"\x20" + expected, _EQUAL[kind], _SELECT)
    else:
        taken = (b"\x21" + given, b"\x22" + address)
        if operation == _EXCHANGE:
            change = (b"\x21" + before, b"\x20" + given)
        else:
            change = (b"\x22" + before, b"\x20" + given, bytes([_CHANGES[kind][operation]]))
    return (*taken, b"\x20" + address, load, *change, store, b"\x20" + before)
