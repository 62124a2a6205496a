"""Atomic instructions as plain ones give and leave what they gave and left."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.engines.googlesql.optimizer.modules import both, tokens
from wasmtime import Engine, Instance, Module, Store

WIDTHS = {"i32": ("", "8", "16"), "i64": ("", "8", "16", "32")}
CHANGES = ("add", "sub", "and", "or", "xor", "xchg")
BEFORE, GIVEN = 0x1122334455667788, -0x0102030405060709


def _function(kind: str, instruction: str, *given: int) -> str:
    constants = " ".join(f"({kind}.const {number})" for number in given)
    gives = kind if "store" not in instruction else "i32"
    last = "" if gives == kind and "store" not in instruction else "(i32.const 7)"
    return f"""(func (export "f") (result {gives})
      (i64.store offset=16 (i32.const 0) (i64.const {BEFORE}))
      ({kind}.atomic.{instruction} offset=8 (i32.const 8) {constants}) {last})
      (func (export "left") (result i64) (i64.load offset=16 (i32.const 0)))"""


def _results(wasm: bytes) -> tuple[object, object]:
    engine = Engine()
    store = Store(engine)
    exports = Instance(store, Module(engine, wasm), []).exports(store)
    return exports["f"](store), exports["left"](store)  # type: ignore[operator]


def _narrowed(kind: str, number: int) -> int:
    return number if kind == "i64" else (number + (1 << 31)) % (1 << 32) - (1 << 31)


def _instructions() -> list[tuple[str, str, tuple[int, ...]]]:
    found: list[tuple[str, str, tuple[int, ...]]] = []
    for kind, widths in WIDTHS.items():
        given = _narrowed(kind, GIVEN)
        for width in widths:
            unsigned = "_u" if width else ""
            there = BEFORE & (1 << int(width or kind[1:])) - 1
            found.append((kind, f"load{width}{unsigned}", ()))
            found.append((kind, f"store{width}", (given,)))
            found += [(kind, f"rmw{width}.{change}{unsigned}", (given,)) for change in CHANGES]
            found.append((kind, f"rmw{width}.cmpxchg{unsigned}", (there, given)))
            found.append((kind, f"rmw{width}.cmpxchg{unsigned}", (there + 1, given)))
            if width:  # what is beyond the width is not compared
                found.append((kind, f"rmw{width}.cmpxchg{unsigned}", (there + (1 << int(width)), given)))
    return found


@pytest.mark.parametrize(("kind", "instruction", "given"), _instructions())
def test_an_instruction_does_the_same(tmp_path: Path, kind: str, instruction: str, given: tuple[int, ...]) -> None:
    plain, made = both(tmp_path, _function(kind, instruction, *given))
    assert any(token[0] == 0xFE for token in tokens(plain))
    assert not any(token[0] == 0xFE for token in tokens(made))
    assert _results(made) == _results(plain)


def test_a_fence_is_left_out_and_what_wakes_others_stays(tmp_path: Path) -> None:
    function = """(func (export "f") (result i32) (atomic.fence) (memory.atomic.notify (i32.const 8) (i32.const 1)))
      (func (export "left") (result i64) (i64.const 0))"""
    plain, made = both(tmp_path, function)
    assert [token[1] for token in tokens(plain) if token[0] == 0xFE] == [3, 0]
    assert [token[1] for token in tokens(made) if token[0] == 0xFE] == [0]
    assert _results(made) == _results(plain)
