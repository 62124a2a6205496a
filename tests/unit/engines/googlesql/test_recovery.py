"""After a crash, a query without end or one that takes too much memory: a new engine, the same answer, and it is said."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from wasmtime import Trap

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.instance import MEMORY_BYTES, Guard, Instance, OutOfMemory
from etl_orchestrator.engines.googlesql.module import CLOCK_ADDRESS, STOP_ADDRESS
from etl_orchestrator.engines.googlesql.session import Session
from etl_orchestrator.errors import EngineCrashed, TimedOut, Unsupported

_WORDS_BYTES = CLOCK_ADDRESS + 8 - STOP_ADDRESS


def test_after_a_query_without_end_the_next_one_runs() -> None:
    engine = GoogleSql(seconds=0.5)
    endless = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT MAX(n) AS m FROM r"
    with pytest.raises(TimedOut, match=r"0\.5 s"):
        engine.run(endless, {}, {})
    assert engine.run("SELECT 1 AS a", {}, {}).rows == ((1,),)


def test_after_a_crash_the_next_query_runs() -> None:
    engine = GoogleSql()
    deep = f"SELECT {'+'.join(['1'] * 5_000)} AS a"
    with pytest.raises(EngineCrashed):
        engine.analyze(deep, {}, {})
    assert engine.run("SELECT 1 AS a", {}, {}).rows == ((1,),)


@pytest.mark.parametrize("depth", [850, 1_000, 2_000])
def test_no_depth_ends_the_process(depth: int) -> None:
    """The stack in the memory or that of the machine ends first: either is a trap."""
    engine = GoogleSql()
    with suppress(EngineCrashed):
        engine.analyze(f"SELECT {'IF(TRUE, ' * depth}1{', 2)' * depth} AS a", {}, {})
    assert engine.run("SELECT 1 AS a", {}, {}).rows == ((1,),)


@pytest.mark.parametrize(("opens", "closes"), [("CASE WHEN TRUE THEN ", " END"), ("ABS(", ")"), ("(SELECT ", ")")])
def test_the_stack_ends_far_above_the_words_of_the_host(
    monkeypatch: pytest.MonkeyPatch, opens: str, closes: str
) -> None:
    below = STOP_ADDRESS + _WORDS_BYTES
    touched: list[bool] = []

    def crash(self: Instance, trap: Trap, guard: Guard | None) -> EngineCrashed:
        low = bytes(self._content()[: 4 * below])
        touched.append(any(low[:STOP_ADDRESS]) or any(low[below:]))
        return _crash(self, trap, guard)

    _crash = Instance._crash
    monkeypatch.setattr(Instance, "_crash", crash)
    engine = GoogleSql()
    with pytest.raises(EngineCrashed, match="stack"):
        engine.analyze(f"SELECT {opens * 3_000}1{closes * 3_000} AS a", {}, {})
    assert touched
    assert not any(touched)


def test_nothing_is_where_null_points_to() -> None:
    """The analyzer reads through NULL, and takes the zero there as none."""
    with pytest.raises(Unsupported, match="normalizer"):
        GoogleSql().run("SELECT NORMALIZE_AND_CASEFOLD('a', NFKC) AS a", {}, {})


class _TrapsOnce(GoogleSql):
    """An engine whose first instance answers nothing but a trap."""

    instances = 0

    def _started(self, memory_bytes: int = MEMORY_BYTES) -> Session:
        self.instances += 1
        session = super()._started(memory_bytes)
        if self.instances == 1:
            for call in ("table_names", "analyze", "routines"):
                setattr(session, call, _trap)
        return session


def _trap(*_: object) -> Any:
    raise EngineCrashed("the SQL engine crashed: unreachable code")


def test_after_a_trap_a_new_instance_gives_the_answer_and_the_evidence_says_so() -> None:
    engine = _TrapsOnce()
    analysis = engine.analyze("SELECT 1 AS a", {}, {})
    assert [column.name for column in analysis.columns] == ["a"]
    assert "asked again of a new engine" in analysis.notes[0]
    assert "unreachable code" in analysis.notes[0]
    assert engine.analyze("SELECT 2 AS a", {}, {}).notes == ()
    rows = _TrapsOnce().run("SELECT 1 AS a", {}, {})
    assert rows.rows == ((1,),)
    assert "unreachable code" in rows.note


class _FillsUp(GoogleSql):
    """An engine whose instances take too much memory, but for those that may take more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.started: list[int] = []

    def _started(self, memory_bytes: int = MEMORY_BYTES) -> Session:
        self.started.append(memory_bytes)
        session = super()._started(memory_bytes)
        if memory_bytes < self.most:
            vars(session)["analyze"] = _fills
        return session


def _fills(*_: object) -> Any:
    raise OutOfMemory("the SQL engine took more than 400 MB")


def test_a_query_that_takes_too_much_memory_is_asked_again_of_an_engine_with_more() -> None:
    engine = _FillsUp(MEMORY_BYTES + 1)
    analysis = engine.analyze("SELECT 1 AS a", {}, {})
    assert [column.name for column in analysis.columns] == ["a"]
    assert "more than 400 MB" in analysis.notes[0]
    assert engine.started[0] == MEMORY_BYTES < engine.started[1]
    engine.references("SELECT 1 AS a")  # the large one is given up, for it never gives back
    assert engine.started[2:] == [MEMORY_BYTES]


def test_a_query_that_takes_more_than_there_is_is_not_asked_twice() -> None:
    engine = _FillsUp(1 << 40)
    for _ in range(2):
        with pytest.raises(OutOfMemory):
            engine.analyze("SELECT 1 AS a", {}, {})
    assert len(engine.started) == 2
