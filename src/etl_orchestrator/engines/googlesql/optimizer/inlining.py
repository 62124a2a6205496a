"""Small functions take the place of their calls, from the bottom of the call graph up.

C++ compiled without optimization calls a function for each `operator[]`, `get()` and `std::move`.
"""

from __future__ import annotations

from dataclasses import dataclass

from etl_orchestrator.engines.googlesql.optimizer import code
from etl_orchestrator.engines.googlesql.optimizer.code import MEANINGS, Function, unsigned

_ZERO = {code.I32: b"\x41\x00", code.I64: b"\x42\x00", code.F32: b"\x43" + bytes(4), code.F64: b"\x44" + bytes(8)}


@dataclass(frozen=True, slots=True)
class Body:
    """A function ready to stand where it is called."""

    parameters: int
    locals: bytes
    tokens: tuple[bytes, ...]  # without the final `end`; in a block of their own where they branch to it
    zeroed: tuple[int, ...]  # variables that it may read before it writes them


def body_of(function: Function, most_tokens: int) -> Body | None:
    """None when it is too long, or is left by a `br_table` or with several values."""
    if len(function.tokens) > most_tokens + 1 or len(function.results) > 1:
        return None
    written = set(range(function.parameters))
    zeroed = set()
    tokens: list[bytes] = []
    depth, leaves = 0, False
    for token in function.tokens[:-1]:
        kind, a, _ = MEANINGS[token]
        if code.BLOCK <= kind <= code.IF:
            depth += 1
        elif kind == code.END:
            depth -= 1
        elif kind == code.BR_TABLE:
            return None
        elif kind == code.RETURN:
            token, leaves = b"\x0c" + unsigned(depth), True
        elif kind in (code.BR, code.BR_IF):
            leaves |= a == depth
        elif kind in (code.LOCAL_SET, code.LOCAL_TEE) and not depth:
            written.add(a)
        elif kind == code.LOCAL_GET and a not in written:
            zeroed.add(a)
        tokens.append(token)
    if leaves:
        tokens = [b"\x02" + (function.results or b"\x40"), *tokens, b"\x0b"]
    return Body(function.parameters, bytes(function.locals), tuple(tokens), tuple(sorted(zeroed)))


class Places:
    """Puts bodies into one function; its variables for them serve one body after another."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._variables: dict[int, list[int]] = {}
        self._placed: dict[int, list[bytes]] = {}

    def of_call(self, callee: int, body: Body) -> list[bytes]:
        """The tokens that stand for a call; the arguments are on the stack."""
        made = self._placed.get(callee)
        if made is None:
            made = self._placed[callee] = _placed(body, self._for(body.locals))
        return made

    def _for(self, kinds: bytes) -> list[int]:
        """A variable for each of these types."""
        used: dict[int, int] = {}
        found = []
        for kind in kinds:
            variables = self._variables.setdefault(kind, [])
            number = used.get(kind, 0)
            used[kind] = number + 1
            if number == len(variables):
                variables.append(self._function.new_local(kind))
            found.append(variables[number])
        return found


def _placed(body: Body, places: list[int]) -> list[bytes]:
    made = [b"\x21" + unsigned(places[number]) for number in reversed(range(body.parameters))]
    for number in body.zeroed:
        made += (_ZERO[body.locals[number]], b"\x21" + unsigned(places[number]))
    for token in body.tokens:
        kind, a, _ = MEANINGS[token]
        made.append(token[:1] + unsigned(places[a]) if code.LOCAL_GET <= kind <= code.LOCAL_TEE else token)
    if made[0][:1] == b"\x21" and len(made) > 1 and made[1] == b"\x20" + made[0][1:]:
        made[:2] = [b"\x22" + made[0][1:]]  # the argument is what the body reads first
    return made
