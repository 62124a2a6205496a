"""The SQL analyzer's WebAssembly, made faster before it is compiled.

It is published without optimization: `wasm-opt` of Binaryen, which does not follow memory, changes nothing of its speed.
Small functions take the place of their calls (`inlining`), and variables leave the memory (`frames`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from etl_orchestrator.engines.googlesql.optimizer.binary import binary_of
from etl_orchestrator.engines.googlesql.optimizer.functions import Functions

_MOST_PARTS = 8
_LEAST_BYTES = 1_000_000  # of code, for which another process is worth its start


def optimized(wasm: Path) -> bytes:
    """The same module, each function doing the same; takes seconds of every processor for 28 MB."""
    binary = binary_of(wasm.read_bytes())
    size = sum(map(len, binary.bodies))
    parts = min(_MOST_PARTS, os.cpu_count() or 1, size // _LEAST_BYTES or 1)
    if parts == 1:
        return binary.with_code(Functions(binary).entries(0, len(binary.bodies)))
    ranges = list(pairwise(_borders(binary.bodies, size, parts)))
    with ThreadPoolExecutor(parts) as pool:
        return binary.with_code(b"".join(pool.map(lambda part: _elsewhere(wasm, *part), ranges)))


def _borders(bodies: Sequence[bytes], size: int, parts: int) -> Iterator[int]:
    """Where parts of about the same number of bytes begin, and where the last ends."""
    yield 0
    passed, made = 0, 1
    for number, body in enumerate(bodies):
        passed += len(body)
        if made < parts and passed >= size * made / parts:
            made += 1
            yield number + 1
    yield len(bodies)


def _elsewhere(wasm: Path, first: int, end: int) -> bytes:
    """The entries of these functions, made by a process of its own."""
    command = [sys.executable, "-m", __name__, str(wasm), str(first), str(end)]
    made = subprocess.run(command, check=False, capture_output=True, env={**os.environ, "PYTHONPATH": _path()})
    if made.returncode:
        return Functions(binary_of(wasm.read_bytes())).entries(first, end)
    return made.stdout


def _path() -> str:
    """Where the other process finds what this one has found."""
    return os.pathsep.join(part for part in sys.path if part)
