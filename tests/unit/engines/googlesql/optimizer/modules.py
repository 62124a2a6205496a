"""Small modules written as an unoptimizing compiler writes them, plain and optimized."""

from __future__ import annotations

from pathlib import Path

from wasmtime import Engine, Instance, Module, Store, wat2wasm

from etl_orchestrator.engines.googlesql.optimizer import optimized
from etl_orchestrator.engines.googlesql.optimizer.binary import binary_of
from etl_orchestrator.engines.googlesql.optimizer.code import LOAD, MEANINGS, STORE, function_of

#: The stack pointer comes first, as the linker has it; the memory holds the words of the host.
MODULE = """
(module
  (memory (export "memory") 5)
  (global $sp (mut i32) (i32.const 4096))
  {functions}
  (func (export "pointer") (result i32) (global.get $sp)))
"""
ENTER = "(global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const {size}))))"
LEAVE = "(global.set $sp (i32.add (local.get $fp) (i32.const {size})))"


def both(tmp_path: Path, functions: str) -> tuple[bytes, bytes]:
    """The module as written and as optimized."""
    plain = bytes(wat2wasm(MODULE.replace("{functions}", functions)))
    file = tmp_path / "module.wasm"
    file.write_bytes(plain)
    made = optimized(file)
    Module.validate(Engine(), made)
    return plain, made


def called(wasm: bytes, *arguments: object) -> object:
    """What `f` gives, and where the stack pointer is then."""
    engine = Engine()
    store = Store(engine)
    exports = Instance(store, Module(engine, wasm), []).exports(store)
    return exports["f"](store, *arguments), exports["pointer"](store)  # type: ignore[operator]


def tokens(wasm: bytes, number: int = 0) -> list[bytes]:
    """The instructions of a function."""
    binary = binary_of(wasm)
    function = function_of(binary.bodies[number], *binary.types[binary.of_functions[number]])
    assert function
    return function.tokens


def kinds(wasm: bytes, number: int = 0) -> list[int]:
    """What the instructions of a function are."""
    return [MEANINGS[token][0] for token in tokens(wasm, number)]


def touches_memory(wasm: bytes, number: int = 0) -> bool:
    return bool({LOAD, STORE} & set(kinds(wasm, number)))


def framed(body: str, size: int = 32, results: str = "(result i32)", parameters: str = "(param $a i32)") -> str:
    enter, leave = ENTER.format(size=size), LEAVE.format(size=size)
    return f'(func $f (export "f") {parameters} {results} (local $fp i32) (local $r i32) {enter} {body} {leave} (local.get $r))'
