"""Bounds of a running engine: time of work, memory, and answers that point outside of it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest

from etl_orchestrator.engines.googlesql.instance import Guard, Instance, OutOfMemory
from etl_orchestrator.engines.googlesql.module import load
from etl_orchestrator.engines.googlesql.session import Session
from etl_orchestrator.errors import EngineCrashed

_NOW = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_call_that_takes_too_much_memory_is_stopped() -> None:
    instance = Instance(load(), _NOW, seconds=30, memory_bytes=1 << 20)
    assert instance.memory_bytes > 1 << 20  # it begins with more, so the first call that lasts is stopped
    sql = f"SELECT {' + '.join(f'(SELECT a{n} FROM t{n})' for n in range(2_000))}"
    with pytest.raises(OutOfMemory, match="more than 1 MB"):
        Session(instance).table_names(sql)


@pytest.mark.parametrize(("pointer", "length"), [(0, 4), (1 << 31, 4), (4_000, 1 << 31)])
def test_an_answer_outside_the_memory_is_not_read(pointer: int, length: int) -> None:
    with pytest.raises(EngineCrashed, match="outside its memory"):
        Instance(load(), _NOW, seconds=30)._address(pointer, length)


def test_waiting_is_no_work() -> None:
    stopped = threading.Event()
    guard = Guard(0.2, stopped.set, lambda: False)
    guard.start()
    assert not stopped.wait(0.4)
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass
    assert stopped.wait(1)
