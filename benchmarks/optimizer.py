"""The optimized engine against the one that is published: `python benchmarks/optimizer.py [--every N] [--tests]`.

Each call is made on both, and the bytes of the answers are compared; prints the calls, what differs, and the CPU of both.
The calls are those of the dry run of every Nth query of mozilla/bigquery-etl, with `--tests` those of its SQL tests; takes
the folders from ETLO_BIGQUERY_ETL, ETLO_GENERATED_SQL and ETLO_PIPELINE_SCHEMAS. Answers kept from earlier runs ask the
engine nothing: give ETLO_CACHE_DIR an empty folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from corpus import folder, repository
from wasmtime import Engine, Module

from etl_orchestrator.api import Selection, Workplace
from etl_orchestrator.api.testing import run_tests
from etl_orchestrator.engines.googlesql import session
from etl_orchestrator.engines.googlesql.instance import Instance, Refusal
from etl_orchestrator.engines.googlesql.module import Compiled, analyzer_file, config, load
from etl_orchestrator.engines.googlesql.optimizer import host
from etl_orchestrator.engines.googlesql.optimizer.binary import binary_of, entry
from etl_orchestrator.engines.googlesql.optimizer.code import function_of
from etl_orchestrator.sql.dry_run import verdict_of

calls: Counter[str] = Counter()
seconds = {"published": 0.0, "optimized": 0.0}
different: list[str] = []


class Both:
    """In the place of an Instance: asks both, answers as the optimized one."""

    published: Compiled
    is_warm = True

    def __init__(self, compiled: Compiled, *options: Any) -> None:
        self._published = Instance(self.published, *options)
        self._optimized = Instance(replace(compiled, memory=None), *options)

    def call(self, method: str, request: Any, response: Any) -> Any:
        calls[method] += 1
        one, other = (
            _asked(name, partial(instance.call, method, request, response))
            for name, instance in (("published", self._published), ("optimized", self._optimized))
        )
        if _bytes(one) != _bytes(other):
            different.append(f"{method}: {str(one)[:200]} / {str(other)[:200]}")
        if isinstance(other, Refusal):
            raise other
        return other

    @property
    def memory_bytes(self) -> int:
        return self._optimized.memory_bytes


def _asked(name: str, ask: Callable[[], Any]) -> Any:
    began = time.process_time()
    try:
        return ask()
    except Refusal as refusal:
        return refusal
    finally:
        seconds[name] += time.process_time() - began


def _bytes(answer: Any) -> object:
    return str(answer) if isinstance(answer, Refusal) else answer.SerializeToString(deterministic=True)


def published() -> Compiled:
    """As it is published, but with the clock of the optimized one, so that both see the same time."""
    binary = binary_of(analyzer_file().read_bytes())
    clock = binary.function_named(host.CLOCK)
    entries = bytearray()
    for number, body in enumerate(binary.bodies):
        function = function_of(body, *binary.types[binary.of_functions[binary.imported + number]])
        if function:
            host.read_clock(function, clock)
        entries += entry(function.encoded() if function else body)
    engine = Engine(config())
    return Compiled(engine, Module(engine, binary.with_code(bytes(entries))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=20, help="take one query of N")
    parser.add_argument("--tests", action="store_true", help="run the SQL tests instead")
    parser.add_argument("--repository", type=Path, help="where the two branches are laid together and kept")
    options = parser.parse_args()
    checkout, generated = folder("ETLO_BIGQUERY_ETL"), folder("ETLO_GENERATED_SQL")
    folder("ETLO_PIPELINE_SCHEMAS")
    load(on_compile=lambda text: print(text, file=sys.stderr))
    Both.published = published()
    vars(session)["Instance"] = Both
    if options.tests:
        tests = sorted(str(path) for path in (checkout / "tests" / "sql").glob("*/*/*") if path.is_dir())
        run_tests(Workplace(checkout), tests, Selection())
    else:
        with repository(options.repository) as root:
            tools = Workplace(root).frozen_tools()
            for path in sorted((generated / "sql").rglob("query.sql"))[:: options.every]:
                verdict_of(path.relative_to(generated).as_posix(), tools)
    print(*(f"{method:34}{number:>8}" for method, number in calls.most_common()), sep="\n")
    print(f"CPU published {seconds['published']:.1f} s, optimized {seconds['optimized']:.1f} s: ", end="")
    print(f"{seconds['published'] / max(seconds['optimized'], 0.01):.2f} times as fast")
    print(f"answers that differ: {len(different)} of {calls.total()}", *different, sep="\n  ")


if __name__ == "__main__":
    main()
