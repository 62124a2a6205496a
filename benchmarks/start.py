"""A process start to the verdict on a query that was just edited: `python benchmarks/start.py [--queries N] [--turns N]`.

Takes ETLO_BIGQUERY_ETL, ETLO_GENERATED_SQL and, for the schemas of stable tables, ETLO_PIPELINE_SCHEMAS. Each of some
queries that are accepted gets a comment at its end and is validated by a process of its own, once to begin with and then
`turns` times; the fastest turn counts, for what slows a process down is the machine. Byte code, the compiled engine and
answers about other files are kept from the first, as they are for somebody at work. `--keep FOLDER` keeps the repository
that is made of the branches, and with it the index of it.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from corpus import repository

_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def validated(root: Path, name: str) -> tuple[bool, float, float]:
    """Whether the file is accepted, wall and CPU seconds."""
    command = [sys.executable, "-m", "etl_orchestrator", "validate", name]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=root, env=_ENVIRONMENT, capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode == 0, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fastest(root: Path, file: Path, turns: int) -> tuple[float, float] | None:
    """Wall and CPU seconds of a file that is edited before each turn; None where it is not accepted."""
    name, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
    if not validated(root, name)[0]:
        return None
    file.unlink()  # a link, whose other end must stay as it is
    spent = []
    try:
        for turn in range(turns):
            file.write_text(f"{text.rstrip()}\n-- edited {turn} {time.time_ns()}\n", encoding="utf-8")
            spent.append(validated(root, name)[1:])
    finally:
        file.write_text(text, encoding="utf-8")
    return min(wall for wall, _ in spent), min(cpu for _, cpu in spent)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure a process start to the verdict on an edited query.")
    parser.add_argument("--queries", type=int, default=30, help="how many are tried")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    with repository(options.keep) as root:
        files = sorted((root / "sql").rglob("query.sql"))
        chosen = random.Random(options.seed).sample(files, min(options.queries, len(files)))
        found = {file: spent for file in chosen if (spent := fastest(root, file, options.turns)) is not None}
        for file, (wall, cpu) in sorted(found.items(), key=lambda item: item[1]):
            print(f"{wall:6.2f} s wall {cpu:6.2f} s CPU  {file.parent.relative_to(root / 'sql')}")
    print(f"{len(found)} of {len(chosen)} accepted")
    for index, what in enumerate(("wall", "CPU")) if found else ():
        seconds = [spent[index] for spent in found.values()]
        within = sum(one <= 0.5 for one in seconds)
        print(f"{what}: median {statistics.median(seconds):.2f} s, fastest {min(seconds):.2f} s, {within} within 0.5 s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
