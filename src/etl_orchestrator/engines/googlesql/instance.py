"""One running analyzer: protobuf messages in, protobuf messages out, and traps told apart from refusals."""

from __future__ import annotations

import ctypes
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import tzdata  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from wasmtime import ExitTrap, Linker, Store, Trap, WasiConfig, WasmtimeError

from etl_orchestrator.engines.googlesql.kept_memory import packed, unpacked
from etl_orchestrator.engines.googlesql.module import CLOCK_ADDRESS, STOP_ADDRESS, Compiled, keep
from etl_orchestrator.errors import EngineCrashed, EngineError, TimedOut, Unsupported

# protobuf 7 reads 100 nested messages, which `a || b || ...` with 30 parts exceeds; this lifts the limit (its name says
# less than it does). Remove when protobuf has a public setting. Without it such queries are refused as too deep.
with suppress(ImportError, AttributeError):
    import_module("google._upb._message").SetAllowOversizeProtos(True)

_ERROR = re.compile(r"Code: (\d+), Message: (.*)", re.DOTALL)
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: What an instance may take; it is looked at so often while a call runs. A query of a SQL test takes 10 to 100 MB.
MEMORY_BYTES = 400 << 20
_WATCH_SECONDS = 0.02
_PAGE_BYTES = 1 << 16


class Refusal(EngineError):
    """An orderly answer of the service that it will not do it; `code` is an absl::StatusCode."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class OutOfMemory(EngineCrashed):
    """Raised when a call took more memory than the instance allows."""


class Guard:
    """Calls `interrupt` when this thread has worked for so many seconds, or when `is_full`; `full` says which it was.

    Waiting for other processes does not count, where the system tells it (macOS does not).
    """

    def __init__(self, seconds: float, interrupt: Callable[[], None], is_full: Callable[[], bool]) -> None:
        own = getattr(time, "pthread_getcpuclockid", None)
        self._clock: int = own(threading.get_ident()) if own else time.CLOCK_MONOTONIC
        self._end = time.clock_gettime(self._clock) + seconds
        self._interrupt = interrupt
        self._is_full = is_full
        self._stopped = threading.Event()
        self._turn = threading.Lock()
        self.full = False
        self.interrupted = False

    def start(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """After it nothing is interrupted."""
        with self._turn:
            self._stopped.set()

    def _watch(self) -> None:
        while not self.full and (left := self._end - time.clock_gettime(self._clock)) > 0:
            if self._stopped.wait(min(left, _WATCH_SECONDS)):
                return
            self.full = self._is_full()
        with self._turn:
            if not self._stopped.is_set():
                self.interrupted = True
                self._interrupt()


class Instance:
    """The service with a memory of its own; after EngineCrashed it must not be used again.

    `now` is what CURRENT_TIMESTAMP and its kin see in every call; `seconds` of work are the most
    a call may take.
    """

    def __init__(self, compiled: Compiled, now: datetime, seconds: float, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds = seconds
        self._most = memory_bytes
        self._store = Store(compiled.engine)
        wasi = WasiConfig()  # no stdin, stdout, environment; the only files it sees are the time zones
        wasi.preopen_dir(str(Path(tzdata.__file__).parent / "zoneinfo"), "/usr/share/zoneinfo")
        self._store.set_wasi(wasi)
        linker = Linker(compiled.engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, compiled.module).exports(self._store)
        self._memory: Any = self._exports["memory"]  # a SharedMemory, which has no read and write of its own
        self.is_warm = compiled.memory is not None and self._restored(compiled.memory)
        ctypes.c_uint64.from_address(self._start() + CLOCK_ADDRESS).value = (now - _EPOCH) // _MICROSECOND * 1000
        self._before = b"" if self.is_warm or not compiled.memory else bytes(self._content())
        if not self.is_warm:
            self._run("_initialize")

    def keep_memory(self, file: Path) -> None:
        """For instances to come, which begin with it: no call may be under way, nothing registered."""
        with suppress(OSError):  # they start without it
            keep(file, packed(self._before, bytes(self._content())))
        self._before = b""

    def _restored(self, file: Path) -> bool:
        """Whether the memory now holds what another instance of the same module kept.

        All that it knows is there: its variables outside the memory are where the stack begins, which is so between
        calls, and files are closed.
        """
        try:
            kept = unpacked(file.read_bytes())
        except OSError:
            return False
        if kept is None or kept[0] % _PAGE_BYTES or kept[0] < self.memory_bytes:
            return False
        self._memory.grow((kept[0] - self.memory_bytes) // _PAGE_BYTES)
        content = self._content()
        for start, part in kept[1]:
            content[start : start + len(part)] = part
        return True

    def _content(self) -> memoryview:
        """The memory, to be read and written as long as it does not grow."""
        return memoryview((ctypes.c_char * self.memory_bytes).from_address(self._start())).cast("B")

    def _start(self) -> int:
        """Where the memory stands in the process; it never moves."""
        return ctypes.addressof(self._memory.data_ptr().contents)

    def call(self, method: str, request: Any, response: Any) -> Any:
        """Calls a method of ZetaSqlLocalService; `response` is the class of the answer.

        Raises Refusal when the service says no, EngineCrashed when it traps.
        """
        data = request.SerializeToString()
        sent = self._run("wasm_malloc", max(len(data), 1))
        size = self._run("wasm_malloc", 4)
        ctypes.memmove(self._address(sent, len(data)), data, len(data))
        answer = self._run(f"ZetaSqlLocalService_{method}", sent, len(data), size)
        self._run("wasm_free", sent)
        if answer == 0:
            self._run("wasm_free", size)
            raise self._refusal()
        length = int.from_bytes(ctypes.string_at(self._address(size, 4), 4), "little")
        content = ctypes.string_at(self._address(answer, length), length)
        self._run("wasm_free", answer)
        self._run("wasm_free", size)
        try:
            return response.FromString(content)
        except DecodeError:
            raise Unsupported("this query is too deeply nested for the local engine") from None

    @property
    def memory_bytes(self) -> int:
        """The size of the memory, which never shrinks."""
        size: int = self._memory.data_len()
        return size

    def _address(self, pointer: int, length: int) -> int:
        """Where this part of the memory stands in the process; an engine that names another place is broken."""
        start = pointer & 0xFFFFFFFF
        if not 0 < start <= start + length <= self.memory_bytes:
            raise EngineCrashed("the SQL engine answered with a place outside its memory")
        return self._start() + start

    def _refusal(self) -> Refusal:
        length = self._run("wasm_get_last_error_size")
        text = ctypes.string_at(self._address(self._run("wasm_get_last_error"), length), length).decode(
            errors="replace"
        )
        found = _ERROR.match(text)
        return Refusal(int(found.group(1)), found.group(2)) if found else Refusal(2, text)

    def _run(self, function: str, *arguments: int) -> int:
        service = function.startswith("ZetaSql")
        guard = Guard(self._seconds, self._interrupt, self._is_full) if service else None
        try:
            if guard:
                guard.start()
            return self._exports[function](self._store, *arguments) or 0  # type: ignore[operator]
        except Trap as trap:
            raise self._crash(trap, guard) from None
        except (ExitTrap, WasmtimeError) as error:
            raise EngineCrashed(f"the SQL engine stopped: {str(error).splitlines()[0]}") from None
        finally:
            if guard:
                guard.stop()
                if guard.interrupted:  # when nothing was left to stop, the answer is whole and others may follow
                    self._stop_word().value = 0

    def _is_full(self) -> bool:
        return self.memory_bytes > self._most

    def _interrupt(self) -> None:
        """Whatever the engine does, it traps at its next look at this word."""
        self._stop_word().value = 1

    def _stop_word(self) -> ctypes.c_uint32:
        return ctypes.c_uint32.from_address(self._start() + STOP_ADDRESS)

    def _crash(self, trap: Trap, guard: Guard | None) -> EngineCrashed:
        if guard and guard.full:
            return OutOfMemory(f"the SQL engine took more than {self._most >> 20} MB")
        if guard and guard.interrupted:
            return TimedOut(f"the SQL engine did not end within {self._seconds:g} s")
        code = trap.trap_code
        reason = code.name.lower().replace("_", " ") if code else trap.message.splitlines()[0]
        return EngineCrashed(f"the SQL engine crashed: {reason}")
