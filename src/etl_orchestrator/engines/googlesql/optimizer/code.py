"""Instructions of a WebAssembly function as tokens: the bytes of each, told apart by one regular expression.

Numbers of instructions: https://webassembly.github.io/spec/core/binary/instructions.html (1.0 with sign extension,
bulk memory and threads). What is not known here is not changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

I32, I64, F32, F64 = 0x7F, 0x7E, 0x7D, 0x7C

# What an instruction is, as far as the passes tell them apart.
PLAIN, LOCAL_GET, LOCAL_SET, LOCAL_TEE, I32_CONST, I32_ADD, I32_SUB, LOAD, STORE, SP_GET, SP_SET = range(11)
CALL, CALL_INDIRECT, BLOCK, LOOP, IF, ELSE, END, BR, BR_IF, BR_TABLE, RETURN, UNREACHABLE = range(11, 23)

_MOST_TARGETS = 2000  # of a br_table; a function with a larger one is left as it is
_LEB = rb"[\x80-\xff]{0,9}[\x00-\x7f]"


def unsigned(number: int) -> bytes:
    """LEB128."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def read_unsigned(data: bytes, at: int) -> tuple[int, int]:
    """The number and where the next byte is."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def targets(token: bytes) -> list[int]:
    """Where a br_table branches to."""
    count, at = read_unsigned(token, 1)
    found = []
    for _ in range(count + 1):
        target, at = read_unsigned(token, at)
        found.append(target)
    return found


def _signed(data: bytes, at: int) -> int:
    number, end = read_unsigned(data, at)
    bits = 7 * (end - at)
    return number - (1 << bits) if number >> (bits - 1) else number


def _pattern() -> re.Pattern[bytes]:
    tables = b"|".join(
        re.escape(unsigned(count)) + b"(?:" + _LEB + b"){%d}" % (count + 1) for count in range(_MOST_TARGETS)
    )
    kinds = (
        b"[\x20-\x24\x10\x0c\x0d\x41\x42\xd2]" + _LEB,  # variables, calls, branches, constants
        rb"[\x28-\x3e]" + _LEB + _LEB,  # loads and stores
        rb"[\x00\x01\x05\x0b\x0f\x1a\x1b\x45-\xc4]",
        b"[\x02-\x04][\x40\x7c-\x7f]",  # no parameters, at most one result
        rb"\x11" + _LEB + _LEB,
        rb"[\x3f\x40]\x00",
        rb"\x43.{4}",
        rb"\x44.{8}",
        rb"\xfc(?:[\x00-\x07]|\x08" + _LEB + rb"\x00|\x09" + _LEB + rb"|\x0a\x00\x00|\x0b\x00)",
        rb"\xfe(?:\x03\x00|[\x00-\x02\x10-\x4e]" + _LEB + _LEB + rb")",
        rb"\x0e(?:" + tables + rb")",
    )
    return re.compile(b"|".join(kinds), re.DOTALL)


_TOKEN = _pattern()


@dataclass(slots=True)
class Function:
    """`locals` are the types of parameters and variables, `results` those of what it gives; the last token is the final
    `end`."""

    parameters: int
    results: bytes
    locals: bytearray
    tokens: list[bytes]

    def encoded(self) -> bytes:
        """Its entry of the code section, without the length before it."""
        groups: list[tuple[int, int]] = []
        for kind in self.locals[self.parameters :]:
            if groups and groups[-1][1] == kind:
                groups[-1] = (groups[-1][0] + 1, kind)
            else:
                groups.append((1, kind))
        head = unsigned(len(groups)) + b"".join(unsigned(count) + bytes([kind]) for count, kind in groups)
        return head + b"".join(self.tokens)

    def new_local(self, kind: int) -> int:
        self.locals.append(kind)
        return len(self.locals) - 1


def function_of(body: bytes, parameters: bytes, results: bytes) -> Function | None:
    """None when something in it is not known here."""
    groups, at = read_unsigned(body, 0)
    kinds = bytearray(parameters)
    for _ in range(groups):
        count, at = read_unsigned(body, at)
        kinds.extend(body[at : at + 1] * count)
        at += 1
    tokens = _TOKEN.findall(body, at)
    if sum(map(len, tokens)) != len(body) - at or tokens[-1] != b"\x0b":
        return None
    return Function(len(parameters), results, kinds, tokens)


#: Load and store instructions: the type of the value and how many bytes they touch.
ACCESS: dict[int, tuple[int, int]] = {
    0x28: (I32, 4), 0x29: (I64, 8), 0x2A: (F32, 4), 0x2B: (F64, 8), 0x2C: (I32, 1), 0x2D: (I32, 1), 0x2E: (I32, 2),
    0x2F: (I32, 2), 0x30: (I64, 1), 0x31: (I64, 1), 0x32: (I64, 2), 0x33: (I64, 2), 0x34: (I64, 4), 0x35: (I64, 4),
    0x36: (I32, 4), 0x37: (I64, 8), 0x38: (F32, 4), 0x39: (F64, 8), 0x3A: (I32, 1), 0x3B: (I32, 2), 0x3C: (I64, 1),
    0x3D: (I64, 2), 0x3E: (I64, 4),
}  # fmt: skip
#: What a load that widens does, done to a value in a variable.
WIDENED: dict[int, tuple[bytes, ...]] = {
    0x2C: (b"\xc0",), 0x2D: (b"\x41\xff\x01", b"\x71"), 0x2E: (b"\xc1",), 0x2F: (b"\x41\xff\xff\x03", b"\x71"),
    0x30: (b"\xc2",), 0x31: (b"\x42\xff\x01", b"\x83"), 0x32: (b"\xc3",), 0x33: (b"\x42\xff\xff\x03", b"\x83"),
    0x34: (b"\xc4",), 0x35: (b"\x42\xff\xff\xff\xff\x0f", b"\x83"),
}  # fmt: skip

_Info = tuple[int, int, int]


class Meanings(dict[bytes, _Info]):
    """What each token is: its kind and two numbers.

    PLAIN: how many values it takes and gives. Variables, constants, calls, branches: their number. LOAD and STORE: the
    instruction and the offset. Blocks: how many values they give.
    """

    def __missing__(self, token: bytes) -> _Info:
        made = self[token] = _meaning(token)
        return made


_NUMBERED = {
    0x20: LOCAL_GET, 0x21: LOCAL_SET, 0x22: LOCAL_TEE, 0x10: CALL, 0x11: CALL_INDIRECT, 0x0C: BR, 0x0D: BR_IF,
}  # fmt: skip
_SINGLE = {0x00: UNREACHABLE, 0x05: ELSE, 0x0B: END, 0x0E: BR_TABLE, 0x0F: RETURN, 0x6A: I32_ADD, 0x6B: I32_SUB}
_BLOCKS = {0x02: BLOCK, 0x03: LOOP, 0x04: IF}
_PLAIN = {0x01: (0, 0), 0x1A: (1, 0), 0x1B: (3, 1), 0x3F: (0, 1), 0x40: (1, 1), 0xD2: (0, 1)}


def _meaning(token: bytes) -> _Info:
    first = token[0]
    if first in _NUMBERED:
        return _NUMBERED[first], read_unsigned(token, 1)[0], 0
    if first in _SINGLE:
        return _SINGLE[first], 0, 0
    if first == 0x41:
        return I32_CONST, _signed(token, 1), 0
    if first in ACCESS:
        return LOAD if first < 0x36 else STORE, first, read_unsigned(token, read_unsigned(token, 1)[1])[0]
    if first in (0x23, 0x24):
        if read_unsigned(token, 1)[0]:
            return (PLAIN, 0, 1) if first == 0x23 else (PLAIN, 1, 0)
        return SP_GET if first == 0x23 else SP_SET, 0, 0
    if first in _BLOCKS:
        return _BLOCKS[first], int(token[1] != 0x40), 0
    return (PLAIN, *_plain(token))


def _plain(token: bytes) -> tuple[int, int]:
    """How many values it takes and gives."""
    first = token[0]
    if first in _PLAIN:
        return _PLAIN[first]
    if first in (0x42, 0x43, 0x44):
        return 0, 1
    if first == 0xFC:
        return (1, 1) if token[1] < 0x08 else (0, 0) if token[1] == 0x09 else (3, 0)
    if first == 0xFE:
        return _atomic(token[1])
    unary = first in (0x45, 0x50) or 0x67 <= first <= 0x69 or 0x79 <= first <= 0x7B
    unary = unary or 0x8B <= first <= 0x91 or 0x99 <= first <= 0x9F or 0xA7 <= first <= 0xC4
    return (1, 1) if unary else (2, 1)


def _atomic(number: int) -> tuple[int, int]:
    if number == 0x03:  # fence
        return 0, 0
    if number <= 0x02:  # notify, wait32, wait64
        return (2 if number == 0x00 else 3), 1
    if number <= 0x16:
        return 1, 1
    if number <= 0x1D:
        return 2, 0
    return (2, 1) if number <= 0x47 else (3, 1)


MEANINGS = Meanings()
