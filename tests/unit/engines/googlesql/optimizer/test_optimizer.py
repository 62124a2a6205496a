"""Any function gives what it gave, and what is not understood stays as it is."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engines.googlesql.optimizer.modules import both, called
from wasmtime import wat2wasm

from etl_orchestrator.engines.googlesql.optimizer import optimized

SLOTS = (0, 4, 8, 12, 16, 20)
#: Callees that read and change what a pointer points to; `mix` branches by a table, so that it stays a function of its own.
CALLEES = """
  (func $next (param $p i32) (result i32) (local $fp i32)
    (local.set $fp (i32.sub (global.get $sp) (i32.const 16)))
    (i32.store offset=12 (local.get $fp) (local.get $p))
    (i32.add (i32.load (i32.load offset=12 (local.get $fp))) (i32.const 1)))
  (func $set (param $p i32) (param $v i32) (local $fp i32)
    (local.set $fp (i32.sub (global.get $sp) (i32.const 16)))
    (i32.store offset=12 (local.get $fp) (local.get $p))
    (i32.store offset=8 (local.get $fp) (local.get $v))
    (i32.store (i32.load offset=12 (local.get $fp)) (i32.load offset=8 (local.get $fp))))
  (func $least (param $p i32) (result i32) (local $fp i32)
    (local.set $fp (i32.sub (global.get $sp) (i32.const 16)))
    (i32.store offset=12 (local.get $fp) (local.get $p))
    (if (i32.lt_s (i32.load (i32.load offset=12 (local.get $fp))) (i32.const 9)) (then (return (i32.const 9))))
    (i32.load (local.get $p)))
  (func $mix (param $p i32) (result i32)
    (block (br_table 0 (i32.const 0)))
    (block (br_if 0 (i32.load (local.get $p))) (i32.store (local.get $p) (i32.const 5)))
    (i32.store (local.get $p) (i32.mul (i32.load (local.get $p)) (i32.const 3)))
    (i32.load (local.get $p)))
"""


def expressions(depth: int) -> st.SearchStrategy[str]:
    leaf = st.one_of(
        st.integers(-3, 200).map(lambda n: f"(i32.const {n})"),
        st.sampled_from(SLOTS).map(lambda slot: f"(i32.load offset={slot} (local.get $fp))"),
        st.sampled_from(SLOTS).map(lambda slot: f"(i32.load8_u offset={slot} (local.get $fp))"),
        st.sampled_from((28, 24)).map(lambda slot: f"(i32.load offset={slot} (local.get $fp))"),
    )
    if not depth:
        return leaf
    inner = expressions(depth - 1)
    address = st.sampled_from(SLOTS).map(lambda slot: f"(i32.add (local.get $fp) (i32.const {slot}))")
    return st.one_of(
        leaf,
        st.tuples(st.sampled_from(("add", "sub", "mul", "xor")), inner, inner).map(
            lambda t: f"(i32.{t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(st.sampled_from(("next", "least", "mix")), address).map(lambda t: f"(call ${t[0]} {t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"(if (result i32) {t[0]} (then {t[1]}) (else {t[2]}))"),
    )


def statements(depth: int) -> st.SearchStrategy[str]:
    value = expressions(2)
    simple = st.one_of(
        st.tuples(st.sampled_from(SLOTS), value).map(lambda t: f"(i32.store offset={t[0]} (local.get $fp) {t[1]})"),
        st.tuples(st.sampled_from(SLOTS), value).map(lambda t: f"(i32.store8 offset={t[0]} (local.get $fp) {t[1]})"),
        st.tuples(st.sampled_from(SLOTS), value).map(
            lambda t: f"(call $set (i32.add (local.get $fp) (i32.const {t[0]})) {t[1]})"
        ),
        st.sampled_from(SLOTS).map(lambda slot: f"(local.set $p (i32.add (local.get $fp) (i32.const {slot})))"),
        value.map(lambda v: f"(i32.store (local.get $p) {v})"),
        value.map(lambda v: f"(br_if $out {v})"),
    )
    if not depth:
        return simple
    inner = st.lists(statements(depth - 1), min_size=1, max_size=3).map(" ".join)
    return st.one_of(
        simple,
        st.tuples(value, inner, inner).map(lambda t: f"(if {t[0]} (then {t[1]}) (else {t[2]}))"),
        st.tuples(value, inner).map(lambda t: f"(block $out (br_if $out {t[0]}) {t[1]} (br $out))"),
        inner.map(
            lambda body: (
                f"(local.set $n{depth} (i32.const 3)) (loop $again (block $out {body}) "
                f"(br_if $again (local.tee $n{depth} (i32.sub (local.get $n{depth}) (i32.const 1)))))"
            )
        ),
    )


def function(body: str) -> str:
    clear = " ".join(f"(i32.store offset={slot} (local.get $fp) (i32.const {slot}))" for slot in SLOTS)
    total = "(i32.const 0)"
    for slot in (*SLOTS, 28, 24):
        total = f"(i32.add (i32.mul {total} (i32.const 31)) (i32.load offset={slot} (local.get $fp)))"
    return f"""(func (export "f") (param $a i32) (param $b i32) (result i32)
      (local $fp i32) (local $p i32) (local $n1 i32) (local $n2 i32) (local $r i32)
      (global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const 32))))
      (i32.store offset=28 (local.get $fp) (local.get $a)) (i32.store offset=24 (local.get $fp) (local.get $b))
      (drop (i32.load offset=28 (local.get $fp))) {clear}
      (local.set $p (i32.add (local.get $fp) (i32.const 4)))
      (block $out {body})
      (local.set $r {total}) (global.set $sp (i32.add (local.get $fp) (i32.const 32))) (local.get $r))"""


@settings(max_examples=150, deadline=None)
@given(body=st.lists(statements(2), min_size=1, max_size=6).map(" ".join))
def test_any_function_gives_what_it_gave(body: str) -> None:
    with TemporaryDirectory() as folder:
        plain, made = both(Path(folder), function(body) + CALLEES)
    for arguments in ((0, 0), (1, -1), (700, 3)):
        assert called(made, *arguments) == called(plain, *arguments)


def test_what_is_not_understood_stays_as_it_is(tmp_path: Path) -> None:
    """A block with parameters and a table of tables are in no module of the analyzer."""
    text = """(module (table 2 funcref)
      (func (param i32) (result i32) local.get 0 (block (param i32) (result i32) i32.const 1 i32.add))
      (func (result i32) (table.size 0)))"""
    file = tmp_path / "module.wasm"
    file.write_bytes(wat2wasm(text))
    assert optimized(file) == file.read_bytes()


def test_an_empty_module_stays_empty(tmp_path: Path) -> None:
    file = tmp_path / "module.wasm"
    file.write_bytes(b"\0asm\1\0\0\0")
    assert optimized(file) == file.read_bytes()
