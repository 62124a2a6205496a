"""Small functions in the place of their calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.engines.googlesql.optimizer.modules import both, called, framed, kinds, touches_memory

from etl_orchestrator.engines.googlesql.optimizer.code import CALL

#: `std::vector<T>::operator[]` and the like: each parameter in memory, then one load.
GET = """(func $get (param $p i32) (result i32) (local $fp i32)
  (local.set $fp (i32.sub (global.get $sp) (i32.const 16)))
  (i32.store offset=12 (local.get $fp) (local.get $p))
  (i32.load (i32.load offset=12 (local.get $fp))))"""


def test_a_function_that_reads_through_a_pointer_keeps_nothing_in_memory(tmp_path: Path) -> None:
    plain, made = both(
        tmp_path,
        framed("""
          (i32.store offset=12 (local.get $fp) (local.get $a))
          (local.set $r (i32.add (call $get (i32.add (local.get $fp) (i32.const 12))) (i32.const 1)))
        """)
        + GET,
    )
    assert CALL in kinds(plain)
    assert CALL not in kinds(made)
    assert not touches_memory(made)
    assert called(made, 41) == called(plain, 41) == (42, 4096)


def test_arguments_are_taken_in_their_order(tmp_path: Path) -> None:
    functions = """(func (export "f") (param $a i32) (param $b i32) (result i32)
        (i32.sub (call $minus (local.get $a) (local.get $b)) (call $swapped (local.get $a) (local.get $b))))
      (func $minus (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
      (func $swapped (param i32 i32) (result i32) (i32.sub (local.get 1) (local.get 0)))"""
    plain, made = both(tmp_path, functions)
    assert CALL not in kinds(made)
    assert called(made, 9, 4) == called(plain, 9, 4) == (10, 4096)


def test_a_variable_that_is_read_before_it_is_written_starts_at_zero_each_time(tmp_path: Path) -> None:
    functions = """(func $f (export "f") (param $a i32) (result i32)
        (i32.add (call $counts (local.get $a)) (call $counts (local.get $a))))
      (func $counts (param i32) (result i32) (local $n i32)
        (local.set $n (i32.add (local.get $n) (local.get 0))) (local.get $n))"""
    plain, made = both(tmp_path, functions)
    assert CALL not in kinds(made)
    assert called(made, 5) == called(plain, 5) == (10, 4096)


def test_a_function_that_calls_itself_is_called(tmp_path: Path) -> None:
    functions = """(func $f (export "f") (param $a i32) (result i32) (call $down (local.get $a)))
      (func $down (param i32) (result i32)
        (if (result i32) (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 3))))"""
    plain, made = both(tmp_path, functions)
    assert CALL in kinds(made)
    assert called(made, 5) == called(plain, 5) == (3, 4096)


#: Each leaves in its middle by another way; `$a` is 5 or 0.
LEAVES = {
    "return": "(if (local.get 0) (then (return (i32.const 8)))) (i32.const 9)",
    "return in a loop": "(loop (br_if 0 (i32.eqz (local.get 0))) (return (i32.const 8))) (i32.const 9)",
    "a branch to its end": "(drop (br_if 0 (i32.const 8) (local.get 0))) (i32.const 9)",
    "a branch from a block": "(block (block (br_if 2 (i32.const 8) (local.get 0)) (drop)) (nop)) (i32.const 9)",
    "a branch to a block": "(block (result i32) (drop (br_if 0 (i32.const 8) (local.get 0))) (i32.const 9))",
    "no way to the end": "(if (local.get 0) (then (return (i32.const 8))) (else (return (i32.const 9)))) (unreachable)",
}


@pytest.mark.parametrize("way", LEAVES)
def test_a_function_that_branches_takes_the_place_of_its_call(tmp_path: Path, way: str) -> None:
    functions = f"""(func $f (export "f") (param $a i32) (result i32)
        (block (result i32) (i32.mul (i32.const 10) (i32.add (call $one (local.get $a)) (call $one (i32.const 1))))))
      (func $one (param i32) (result i32) {LEAVES[way]})"""
    plain, made = both(tmp_path, functions)
    assert CALL in kinds(plain)
    assert CALL not in kinds(made)
    for given in (5, 0) if way != "return in a loop" else (5,):
        assert called(made, given) == called(plain, given) == ((8 if given else 9) * 10 + 80, 4096)


def test_a_function_that_gives_nothing_and_returns_takes_the_place_of_its_call(tmp_path: Path) -> None:
    functions = """(func $f (export "f") (param $a i32) (result i32)
        (call $put (local.get $a)) (i32.load (i32.const 64)))
      (func $put (param i32) (br_if 0 (i32.eqz (local.get 0))) (i32.store (i32.const 64) (local.get 0)))"""
    plain, made = both(tmp_path, functions)
    assert CALL not in kinds(made)
    assert called(made, 5) == called(plain, 5) == (5, 4096)
    assert called(made, 0) == called(plain, 0) == (0, 4096)


def test_a_variable_written_on_some_ways_only_starts_at_zero_each_time(tmp_path: Path) -> None:
    functions = """(func $f (export "f") (param $a i32) (result i32)
        (i32.add (i32.mul (call $some (local.get $a)) (i32.const 10)) (call $some (i32.const 0))))
      (func $some (param i32) (result i32) (local $n i32)
        (if (local.get 0) (then (local.set $n (local.get 0)))) (local.get $n))"""
    plain, made = both(tmp_path, functions)
    assert CALL not in kinds(made)
    assert called(made, 5) == called(plain, 5) == (50, 4096)


def test_a_function_with_a_table_of_branches_is_called(tmp_path: Path) -> None:
    functions = """(func $f (export "f") (param $a i32) (result i32) (call $of (local.get $a)))
      (func $of (param i32) (result i32)
        (block (block (br_table 0 1 (local.get 0))) (return (i32.const 3))) (i32.const 4))"""
    plain, made = both(tmp_path, functions)
    assert CALL in kinds(made)
    assert called(made, 0) == called(plain, 0) == (3, 4096)
    assert called(made, 5) == called(plain, 5) == (4, 4096)
