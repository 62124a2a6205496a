"""Processes of our own that end with the one that began them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_CLEANING = "ignore:resource_tracker:UserWarning"  # as -W takes it; what is begun from here inherits it


def pool(workers: int, begin: Callable[..., object] | None = None, *words: Any) -> ProcessPoolExecutor:
    """Of processes that call `begin(*words)` first; functions of modules, for the other process finds them by name.

    Spawned, not forked: a WASM instance and an open SQLite file do not survive a fork.
    """
    # One process more cleans up after the first, whatever way it ends, and would warn that it has to: Ctrl-C is no leak.
    if _CLEANING not in sys.warnoptions:
        sys.warnoptions.append(_CLEANING)
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (begin, words))


def _begin(begin: Callable[..., object] | None, words: tuple[Any, ...]) -> None:
    """A terminal sends Ctrl-C to all: the first process answers it. However that one ends, nobody waits for ours then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin:
        begin(*words)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
