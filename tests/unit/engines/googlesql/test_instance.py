"""A running engine: how it begins; its bounds of work, of memory, and answers that point outside of it."""

from __future__ import annotations

import stat
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl_orchestrator.engines.googlesql.catalog import base_catalog
from etl_orchestrator.engines.googlesql.instance import Guard, Instance, OutOfMemory
from etl_orchestrator.engines.googlesql.module import Compiled, load
from etl_orchestrator.engines.googlesql.session import Contents, Session, started
from etl_orchestrator.errors import EngineCrashed

_NOW = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_call_that_takes_too_much_memory_is_stopped() -> None:
    instance = Instance(load(), _NOW, seconds=30, memory_bytes=1 << 20)
    assert instance.memory_bytes > 1 << 20  # it begins with more, so the first call that lasts is stopped
    sql = f"SELECT {' + '.join(f'(SELECT a{n} FROM t{n})' for n in range(2_000))}"
    with pytest.raises(OutOfMemory, match="more than 1 MB"):
        Session(instance).table_names(sql)


def test_an_interruption_after_the_last_loop_stops_no_later_call(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Instance(load(), _NOW, seconds=30)
    stop = Guard.stop

    def late(self: Guard) -> None:
        self.interrupted = True
        instance._interrupt()
        stop(self)

    monkeypatch.setattr(Guard, "stop", late)
    session = Session(instance)
    assert session.table_names("SELECT x FROM t") == session.table_names("SELECT x FROM t")


@pytest.mark.parametrize(("pointer", "length"), [(0, 4), (1 << 31, 4), (4_000, 1 << 31)])
def test_an_answer_outside_the_memory_is_not_read(pointer: int, length: int) -> None:
    with pytest.raises(EngineCrashed, match="outside its memory"):
        Instance(load(), _NOW, seconds=30)._address(pointer, length)


@pytest.fixture
def compiled(tmp_path: Path) -> Compiled:
    """With no memory kept yet."""
    return replace(load(), memory=tmp_path / "kept.memory")


def test_the_first_start_keeps_its_memory_and_the_next_begins_with_it(compiled: Compiled) -> None:
    first = started(compiled, _NOW, seconds=30)
    assert compiled.memory
    assert stat.S_IMODE(compiled.memory.stat().st_mode) == 0o600
    kept = compiled.memory.read_bytes()
    later = Instance(compiled, _NOW, seconds=30)
    assert later.is_warm
    sql = "SELECT a.x, (SELECT MAX(y) FROM u) FROM t AS a"
    assert Session(later).table_names(sql) == first.table_names(sql)
    assert compiled.memory.read_bytes() == kept


@pytest.mark.parametrize("content", [b"", b"etl-orchestrator memory 2\nhalf a page", b"something else"])
def test_a_memory_that_is_damaged_is_not_used(compiled: Compiled, content: bytes) -> None:
    assert compiled.memory
    compiled.memory.write_bytes(content)
    instance = Instance(compiled, _NOW, seconds=30)
    assert not instance.is_warm
    assert Session(instance).table_names("SELECT 1 FROM t") == [("t",)]


def test_a_memory_that_cannot_be_kept_is_no_reason_to_stop(compiled: Compiled, tmp_path: Path) -> None:
    nowhere = replace(compiled, memory=tmp_path / "gone" / "kept.memory")
    assert started(nowhere, _NOW, seconds=30).table_names("SELECT 1 FROM t") == [("t",)]


def test_a_memory_kept_at_one_time_tells_another(compiled: Compiled) -> None:
    """The clock is not in it."""
    started(compiled, _NOW, seconds=30)
    session = started(compiled, datetime(2031, 2, 3, tzinfo=UTC), seconds=30)
    _, rows = session.evaluate(
        "SELECT UNIX_SECONDS(CURRENT_TIMESTAMP())", Contents(base_catalog(session.functions), {}), {}, {}
    )
    assert rows[0].cell[0].int64_value == 1_927_843_200


def test_waiting_is_no_work() -> None:
    stopped = threading.Event()
    guard = Guard(0.2, stopped.set, lambda: False)
    guard.start()
    assert not stopped.wait(0.4)
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass
    assert stopped.wait(30)


def test_what_has_ended_is_not_interrupted() -> None:
    interrupted = threading.Event()
    guard = Guard(0.02, interrupted.set, lambda: True)
    guard.start()
    guard.stop()
    was = interrupted.is_set()
    assert interrupted.wait(0.1) is was
    assert guard.interrupted is was
