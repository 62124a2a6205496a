"""Two words in the memory: one stops what does not end, the other is the clock."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engines.googlesql.optimizer.modules import both
from wasmtime import Engine, Instance, Linker, Memory, Module, Store, Trap, TrapCode, wat2wasm

from etl_orchestrator.engines.googlesql.module import CLOCK_ADDRESS, STOP_ADDRESS
from etl_orchestrator.engines.googlesql.optimizer import optimized

ENDLESS = {
    "a loop": "(func (export \"f\") (loop (br 0)))",
    "a loop in a loop": "(func (export \"f\") (loop (loop (br_if 0 (i32.const 1))) (br 0)))",
    "a loop in a small function": "(func (export \"f\") (call $turn)) (func $turn (loop (br 0)))",
    "a loop in a large function": f"(func (export \"f\") (loop {'(drop (i32.const 1))' * 4_000} (br 0)))",
}  # fmt: skip


def _start(exports: Any, store: Store) -> int:
    memory = exports["memory"]
    assert isinstance(memory, Memory)
    return ctypes.addressof(memory.data_ptr(store).contents)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_function_without_end_traps_when_the_word_is_set(tmp_path: Path, name: str) -> None:
    _, made = both(tmp_path, ENDLESS[name])
    engine = Engine()
    store = Store(engine)
    exports = Instance(store, Module(engine, made), []).exports(store)
    word = ctypes.c_uint32.from_address(_start(exports, store) + STOP_ADDRESS)
    timer = threading.Timer(0.05, setattr, (word, "value", 1))
    timer.start()
    with pytest.raises(Trap) as trapped:
        exports["f"](store)  # type: ignore[operator]
    timer.join()
    assert trapped.value.trap_code == TrapCode.UNREACHABLE


def test_a_loop_that_ends_gives_what_it_gave(tmp_path: Path) -> None:
    _, made = both(
        tmp_path,
        """(func (export "f") (param $n i32) (result i32) (local $sum i32)
          (loop (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (local.get $sum))""",
    )
    engine = Engine()
    store = Store(engine)
    assert Instance(store, Module(engine, made), []).exports(store)["f"](store, 100) == 5050  # type: ignore[operator]


def test_the_clock_of_the_host_is_read_in_the_memory(tmp_path: Path) -> None:
    """The import stands there still, for others are told apart by their numbers; nothing calls it."""
    file = tmp_path / "clock.wasm"
    file.write_bytes(
        wat2wasm("""(module
          (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
          (memory (export "memory") 5)
          (func (export "f") (result i64) (local $error i32)
            (local.set $error (call $clock (i32.const 1) (i64.const 1000) (i32.const 1024)))
            (i64.add (i64.load (i32.const 1024)) (i64.extend_i32_u (local.get $error)))))""")
    )
    engine = Engine()
    store = Store(engine)
    linker = Linker(engine)
    linker.define_unknown_imports_as_traps(module := Module(engine, optimized(file)))
    exports = linker.instantiate(store, module).exports(store)
    ctypes.c_uint64.from_address(_start(exports, store) + CLOCK_ADDRESS).value = 1_234_567_890_123_456_789
    assert exports["f"](store) == 1_234_567_890_123_456_789  # type: ignore[operator]
