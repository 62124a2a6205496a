"""Functions as an unoptimizing compiler writes them, before and after: the same results, and what left the memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.engines.googlesql.optimizer.modules import ENTER, LEAVE, both, called, framed, kinds, touches_memory

from etl_orchestrator.engines.googlesql.optimizer.code import SP_SET, STORE


def test_a_variable_whose_address_stays_leaves_the_memory_and_the_frame_is_not_made(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=12 (local.get $fp) (local.get $a))
          (i32.store offset=8 (local.get $fp) (i32.add (i32.load offset=12 (local.get $fp)) (i32.const 5)))
          (local.set $r (i32.mul (i32.load offset=8 (local.get $fp)) (i32.load offset=12 (local.get $fp))))
        """),
    )
    assert touches_memory(plain)
    assert not touches_memory(made)
    assert SP_SET not in kinds(made)
    assert called(made, 7) == called(plain, 7) == (84, 4096)


@pytest.mark.parametrize(
    ("store", "load", "kind"),
    [
        ("i32.store8", "i32.load8_u", "i32"),
        ("i32.store8", "i32.load8_s", "i32"),
        ("i32.store16", "i32.load16_u", "i32"),
        ("i32.store16", "i32.load16_s", "i32"),
        ("i64.store8", "i64.load8_u", "i64"),
        ("i64.store8", "i64.load8_s", "i64"),
        ("i64.store16", "i64.load16_u", "i64"),
        ("i64.store16", "i64.load16_s", "i64"),
        ("i64.store32", "i64.load32_u", "i64"),
        ("i64.store32", "i64.load32_s", "i64"),
        ("i64.store", "i64.load", "i64"),
        ("f64.store", "f64.load", "f64"),
        ("f32.store", "f32.load", "f32"),
    ],
)
def test_narrow_values_are_widened_as_a_load_does(tmp_path: Path, store: str, load: str, kind: str) -> None:
    enter, leave = ENTER.format(size=16), LEAVE.format(size=16)
    plain, made = both(
        tmp_path,
        f"""(func (export "f") (param $a {kind}) (result {kind}) (local $fp i32) (local $r {kind}) {enter}
          ({store} offset=8 (local.get $fp) (local.get $a)) (local.set $r ({load} offset=8 (local.get $fp)))
          {leave} (local.get $r))""",
    )
    assert not touches_memory(made)
    for value in (0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, -1, -128, -129, -(2**31)):
        argument = float(value) if kind.startswith("f") else value
        assert called(made, argument) == called(plain, argument)


@pytest.mark.parametrize(("offset", "byte"), [(12, 0x34), (13, 0x12)])
def test_a_variable_read_in_two_widths_stays(tmp_path: Path, offset: int, byte: int) -> None:
    plain, made = both(
        tmp_path,
        framed(f"""
          (i32.store offset=12 (local.get $fp) (local.get $a))
          (local.set $r (i32.load8_u offset={offset} (local.get $fp)))
        """),
    )
    assert touches_memory(made)
    assert called(made, 0x1234) == called(plain, 0x1234) == (byte, 4096)


#: It branches by a table, so that it stays a function of its own.
CHANGES = """(func $changes (param $p i32) (block (br_table 0 (i32.const 0)))
  (i32.store (local.get $p) (i32.add (i32.load (local.get $p)) (i32.const 1))))"""


def test_a_variable_whose_address_is_handed_on_stays(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=12 (local.get $fp) (local.get $a))
          (i32.store offset=8 (local.get $fp) (i32.load offset=12 (local.get $fp)))
          (call $changes (i32.add (local.get $fp) (i32.const 8)))
          (local.set $r (i32.add (i32.load offset=8 (local.get $fp)) (i32.load offset=12 (local.get $fp))))
        """)
        + CHANGES,
    )
    assert called(made, 20) == called(plain, 20) == (41, 4096)
    # The parameter's own place left the memory, the variable's did not.
    assert (kinds(plain).count(STORE), kinds(made).count(STORE)) == (2, 1)


def test_a_variable_whose_address_is_kept_in_memory_stays(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=8 (local.get $fp) (local.get $a))
          (i32.store (i32.const 0) (i32.add (local.get $fp) (i32.const 8)))
          (local.set $r (i32.load (i32.load (i32.const 0))))
        """),
    )
    assert called(made, 20) == called(plain, 20) == (20, 4096)


def test_a_variable_that_held_an_address_may_hold_something_else(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store (i32.const 64) (i32.const 7))
          (local.set $r (local.get $a))
          (local.set $a (i32.add (local.get $fp) (i32.const 8)))
          (i32.store (local.get $a) (i32.const 9))
          (local.set $a (local.get $r))
          (local.set $r (i32.load (local.get $a)))
        """),
    )
    assert called(made, 64) == called(plain, 64) == (7, 4096)


def test_parameters_that_optimized_code_builds_an_object_of_stay(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        """(func $f (export "f") (param $a i32) (param $b i32) (result i32) (local $fp i32) (local $r i32)
          (global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const 16))))
          (i32.store offset=8 (local.get $fp) (local.get $a))
          (i32.store offset=12 (local.get $fp) (local.get $b))
          (drop (i32.load (local.get $fp)))
          (local.set $r (call $sum (i32.add (local.get $fp) (i32.const 8))))
          (local.set $r (i32.add (local.get $r) (i32.load offset=12 (local.get $fp))))
          (global.set $sp (i32.add (local.get $fp) (i32.const 16))) (local.get $r))
        (func $sum (param $p i32) (result i32) (block (br_table 0 (i32.const 0)))
          (i32.store offset=4 (local.get $p) (i32.add (i32.load (local.get $p)) (i32.load offset=4 (local.get $p))))
          (i32.load offset=4 (local.get $p)))""",
    )
    assert kinds(made).count(STORE) == 2
    assert called(made, 3, 4) == called(plain, 3, 4) == (14, 4096)


def test_both_halves_of_a_parameter_of_16_bytes_stay(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        """(func $f (export "f") (param $a i64) (param $b i64) (result i64) (local $fp i32) (local $r i64)
          (global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const 32))))
          (i64.store offset=16 (local.get $fp) (local.get $a))
          (i64.store offset=24 (local.get $fp) (local.get $b))
          (local.set $r (i64.load offset=16 (local.get $fp)))
          (call $swap (i32.add (local.get $fp) (i32.const 16)))
          (local.set $r (i64.sub (local.get $r) (i64.load offset=24 (local.get $fp))))
          (global.set $sp (i32.add (local.get $fp) (i32.const 32))) (local.get $r))
        (func $swap (param $p i32) (local $t i64) (block (br_table 0 (i32.const 0)))
          (local.set $t (i64.load (local.get $p)))
          (i64.store (local.get $p) (i64.load offset=8 (local.get $p)))
          (i64.store offset=8 (local.get $p) (local.get $t)))""",
    )
    assert called(made, 9, 4) == called(plain, 9, 4) == (0, 4096)


def test_a_variable_that_holds_an_address_on_one_way_only_keeps_the_frame(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=12 (local.get $fp) (i32.const 70))
          (i32.store (i32.const 0) (i32.const 30))
          (local.set $r (i32.const 0))
          (if (local.get $a) (then (local.set $r (i32.add (local.get $fp) (i32.const 12)))))
          (local.set $r (i32.load (local.get $r)))
        """),
    )
    assert called(made, 1) == called(plain, 1) == (70, 4096)
    assert called(made, 0) == called(plain, 0) == (30, 4096)


def test_a_variable_that_a_loop_makes_an_address_keeps_the_frame(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=12 (local.get $fp) (i32.const 70))
          (i32.store offset=16 (local.get $fp) (i32.const 0))
          (local.set $r (i32.const 64))
          (loop $again
            (i32.store offset=16 (local.get $fp) (i32.add (i32.load offset=16 (local.get $fp)) (i32.load (local.get $r))))
            (local.set $r (i32.add (local.get $fp) (i32.const 12)))
            (br_if $again (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))
          (local.set $r (i32.load offset=16 (local.get $fp)))
        """),
    )
    for times in (1, 2, 3):
        assert called(made, times) == called(plain, times) == (70 * (times - 1), 4096)


def test_code_that_is_never_reached_is_left_out_and_the_module_stays_valid(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=12 (local.get $fp) (local.get $a))
          (local.set $r (block $out (result i32)
            (loop $again
              (block $else
                (br_table $else $again (i32.and (i32.load offset=12 (local.get $fp)) (i32.const 0)))
                (drop (i32.load offset=12 (local.get $fp))) (block (br $again)))
              (br $out (i32.load offset=12 (local.get $fp)))
              (br $again))
            (unreachable)))
        """),
    )
    assert not touches_memory(made)
    assert called(made, 11) == called(plain, 11) == (11, 4096)
