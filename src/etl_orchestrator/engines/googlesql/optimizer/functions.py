"""Each function optimized, those that it calls before it."""

from __future__ import annotations

from etl_orchestrator.engines.googlesql.optimizer import atomics, frames, host, inlining
from etl_orchestrator.engines.googlesql.optimizer.binary import Binary, entry
from etl_orchestrator.engines.googlesql.optimizer.code import MEANINGS, Function, function_of

_MOST_TOKENS = 100  # of a function that takes the place of its calls
_MOST_BYTES = 800  # of one that may become that small
_LARGE_BYTES = 6_400  # larger ones, 28 % of the code, gain nothing that could be measured
_MOST_DEPTH = 60  # of small functions that call small ones
_CALL = 0x10


class Functions:
    """The functions of a file; what was made of small ones is kept, for others call them."""

    def __init__(self, binary: Binary) -> None:
        self._binary = binary
        self._calls = [(len(takes), len(gives)) for takes, gives in map(binary.types.__getitem__, binary.of_functions)]
        self._indirect = [(len(takes) + 1, len(gives)) for takes, gives in binary.types]
        self._small: dict[int, inlining.Body | None] = {}
        self._made: dict[int, bytes] = {}

    def entries(self, first: int, end: int) -> bytes:
        """The entries in the section of code of these of its functions."""
        imported = self._binary.imported
        return b"".join(entry(self._body(imported + number)) for number in range(first, end))

    def _body(self, index: int) -> bytes:
        body = self._binary.bodies[index - self._binary.imported]
        if len(body) > _LARGE_BYTES:
            function = self._read(index)
            return host.stoppable(function).encoded() if function else body
        self._small_body(index, 0)
        return self._made.pop(index, None) or self._worked(index, 0)[1]

    def _small_body(self, index: int, depth: int) -> inlining.Body | None:
        """What stands in the place of a call of this function, if it is small."""
        if index in self._small:
            return self._small[index]
        if depth > _MOST_DEPTH:
            return None
        self._small[index] = None  # while it is being made: a function is not put into itself
        number = index - self._binary.imported
        if number >= 0 and len(self._binary.bodies[number]) <= _MOST_BYTES:
            function, self._made[index] = self._worked(index, depth)
            if function:
                self._small[index] = inlining.body_of(function, _MOST_TOKENS)
        return self._small[index]

    def _worked(self, index: int, depth: int) -> tuple[Function | None, bytes]:
        function = self._read(index)
        if not function:
            return None, self._binary.bodies[index - self._binary.imported]
        slots = frames.parameter_slots(function)
        self._put_in(function, depth)
        frames.to_variables(function, slots, self._calls, self._indirect)
        return function, host.stoppable(function).encoded()

    def _read(self, index: int) -> Function | None:
        """None when something in it is not known here."""
        function = function_of(
            self._binary.bodies[index - self._binary.imported], *self._binary.types[self._binary.of_functions[index]]
        )
        if function:
            atomics.to_plain(function)
            host.read_clock(function, self._binary.function_named(host.CLOCK))
        return function

    def _put_in(self, function: Function, depth: int) -> None:
        places = inlining.Places(function)
        made: list[bytes] = []
        for token in function.tokens:
            if token[0] == _CALL and (body := self._small_body(callee := MEANINGS[token][1], depth + 1)):
                made += places.of_call(callee, body)
            else:
                made.append(token)
        function.tokens = made
