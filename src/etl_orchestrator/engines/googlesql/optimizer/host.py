"""What the module asks of its host is found in two words of its memory.

`Config.epoch_interruption` of wasmtime looks at each call: a sixth of the time of an analysis. A look in each loop is
enough: what does not end comes by a loop again and again; what only calls itself ends with the stack.
"""

from __future__ import annotations

from etl_orchestrator.engines.googlesql.module import CLOCK_ADDRESS, STOP_ADDRESS
from etl_orchestrator.engines.googlesql.optimizer import code
from etl_orchestrator.engines.googlesql.optimizer.code import MEANINGS, Function, unsigned

CLOCK = "wasi_snapshot_preview1.clock_time_get"

#: An atomic load is made anew each time; of a plain one wasmtime may take the value of the time before.
_LOOK = (b"\x41" + unsigned(STOP_ADDRESS), b"\xfe\x10\x02\x00", b"\x04\x40", b"\x00", b"\x0b")
_DROP = b"\x1a"
_TIME = (b"\x41" + unsigned(CLOCK_ADDRESS), b"\x29\x03\x00")
_STORE_AND_SUCCEED = (b"\x37\x00\x00", b"\x41\x00")


def stoppable(function: Function) -> Function:
    """The same function; it traps where it comes to a loop while the word is not zero."""
    made: list[bytes] = []
    for token in function.tokens:
        made.append(token)
        if MEANINGS[token][0] == code.LOOP:
            made += _LOOK
    return Function(function.parameters, function.results, function.locals, made)


def read_clock(function: Function, clock: int | None) -> None:
    """Changes the function: calls of `clock`, a function of the host, give the time in the memory.

    Its arguments are which clock, how exact, and where the nanoseconds are to be put; it gives 0 for success.
    """
    if clock is None or (call := b"\x10" + unsigned(clock)) not in function.tokens:
        return
    place = unsigned(function.new_local(code.I32))
    instead = (b"\x21" + place, _DROP, _DROP, b"\x20" + place, *_TIME, *_STORE_AND_SUCCEED)
    function.tokens = [made for token in function.tokens for made in (instead if token == call else (token,))]
