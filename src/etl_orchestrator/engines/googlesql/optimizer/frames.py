"""Variables that a function keeps on the stack in memory become variables of WebAssembly.

The analyzer was compiled without optimization: each parameter and variable of C++ lives in memory, in the frame of its
function, and is loaded and stored at each use. A slot of the frame moves when nothing but loads and stores of its one
width touch it and its address goes nowhere:

* in a frame of which no address leaves, each slot;
* in any other one, each slot that a parameter is stored in at the beginning: an object of its own in C++, that no
  pointer to another object may reach. So only where the code is seen to be unoptimized (`parameter_slots`); libraries
  that were optimized build larger objects of their parameters.

A frame with nothing left in it is not made.
"""

from __future__ import annotations

from collections.abc import Sequence

from etl_orchestrator.engines.googlesql.optimizer import code
from etl_orchestrator.engines.googlesql.optimizer.addresses import Frame, Reading
from etl_orchestrator.engines.googlesql.optimizer.code import ACCESS, MEANINGS, WIDENED, Function, unsigned

_SP_GET = b"\x23\x00"
_NOWHERE: frozenset[int] = frozenset()
_FIRST_STORE = 0x36
_Edits = dict[int, tuple[bytes, ...]]


def parameter_slots(function: Function) -> frozenset[int]:
    """Where a function as the compiler wrote it stores its parameters, from the stack pointer it was called with.

    Empty unless it loads one of them before anything could have changed it, as only unoptimized code does.
    """
    tokens = function.tokens
    uses = [MEANINGS[token] for token in tokens[:5]]
    if [kind for kind, _, _ in uses[:2]] != [code.SP_GET, code.I32_CONST] or len(uses) < 5:
        return _NOWHERE
    if uses[2][0] not in (code.I32_ADD, code.I32_SUB) or uses[3][0] not in (code.LOCAL_SET, code.LOCAL_TEE):
        return _NOWHERE
    base = uses[1][1] if uses[2][0] == code.I32_ADD else -uses[1][1]
    pointer = uses[3][1]
    at = 5 if uses[4][0] == code.SP_SET else 4
    if at == 4 and uses[3][0] == code.LOCAL_TEE:
        at = 3  # the tee is the address of the first store
    slots: set[int] = set()
    last = -1
    while at + 2 < len(tokens):
        (first, variable, _), (second, parameter, _), (third, _, offset) = (MEANINGS[t] for t in tokens[at : at + 3])
        is_address = first in (code.LOCAL_GET, code.LOCAL_TEE) and variable == pointer
        if not is_address or second != code.LOCAL_GET or third != code.STORE:
            break
        if not last < parameter < function.parameters:
            break
        last = parameter
        slots.add(offset)
        at += 3
    for index in range(at, len(tokens) - 1):
        kind, variable, _ = MEANINGS[tokens[index]]
        if kind >= code.CALL or (kind in (code.LOCAL_SET, code.LOCAL_TEE) and variable == pointer):
            return _NOWHERE
        if kind == code.LOCAL_GET and variable == pointer:
            kind, _, offset = MEANINGS[tokens[index + 1]]
            if kind == code.LOAD and offset in slots:
                return frozenset(base + slot for slot in slots)
    return _NOWHERE


def to_variables(
    function: Function,
    slots: frozenset[int],
    calls: Sequence[tuple[int, int]],
    types: Sequence[tuple[int, int]],
) -> None:
    """Changes the function; `calls` and `types` tell how many values calls of functions and of types take and give."""
    if _SP_GET not in function.tokens:
        return
    reading = Reading(function, slots, calls, types)
    reading.read()
    edits: _Edits = dict.fromkeys(reading.dead, ())
    edits.update(dict.fromkeys(reading.ends_nowhere, (b"\x0b", b"\x00")))
    for frame in reading.frames.values():
        if not frame.is_opaque and not frame.variables & reading.stale:
            _move(function, frame, edits, reading.keeps_pointer)
    if edits:
        function.tokens = [token for index, old in enumerate(function.tokens) for token in edits.get(index, (old,))]


def _move(function: Function, frame: Frame, edits: _Edits, keeps_pointer: bool) -> None:
    kinds: dict[int, set[tuple[int, int]]] = {}
    for _, instruction, slot, _ in frame.accesses:
        kinds.setdefault(slot, set()).add(ACCESS[instruction])
    moved: dict[int, int] = {}
    overlapping = _overlapping({slot: max(width for _, width in found) for slot, found in kinds.items()})
    for slot, found in kinds.items():
        if len(found) == 1 and slot not in overlapping and frame.owns(slot, next(iter(found))[1]):
            moved[slot] = function.new_local(next(iter(found))[0])
    for index, instruction, slot, (_, _, only, tee) in frame.accesses:
        if slot not in moved:
            continue
        variable = unsigned(moved[slot])
        if instruction < _FIRST_STORE:
            edits[index] = (b"\x20" + variable, *WIDENED.get(instruction, ()))
        else:
            edits[index] = (b"\x21" + variable,)
        for maker in only:
            edits[maker] = ()
        if tee >= 0:
            edits[tee] = (b"\x21" + function.tokens[tee][1:],)
    if not frame.escapes and not keeps_pointer and len(moved) == len(kinds):
        for index in frame.tokens:
            edits[index] = ()


def _overlapping(widths: dict[int, int]) -> set[int]:
    """The slots that share bytes with another one."""
    found: set[int] = set()
    furthest = min(widths, default=0)  # of those before, the one that reaches furthest
    for slot in sorted(widths)[1:]:
        if slot < furthest + widths[furthest]:
            found |= {slot, furthest}
        furthest = max(furthest, slot, key=lambda other: other + widths[other])
    return found
