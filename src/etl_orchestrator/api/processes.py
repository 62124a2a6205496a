"""Processes of our own that end with the one that began them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

from etl_orchestrator.api.workplace import Workplace

_CLEANING = "ignore:resource_tracker:UserWarning"  # as -W takes it; what is begun from here inherits it


def pool(workers: int) -> ProcessPoolExecutor:
    """Spawned, not forked: a WASM instance and an open SQLite file do not survive a fork."""
    # One process more cleans up after the first, whatever way it ends, and would warn that it has to: Ctrl-C is no leak.
    if _CLEANING not in sys.warnoptions:
        sys.warnoptions.append(_CLEANING)
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)


@lru_cache(maxsize=1)
def workplace_of(root: Path) -> Workplace:
    """The same for the life of a process that is there for one command, so that the engine starts once."""
    return Workplace(root).frozen()


def _begin() -> None:
    """A terminal sends Ctrl-C to all: the first process answers it. However that one ends, nobody waits for ours then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
