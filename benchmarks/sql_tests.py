"""Every SQL test and every assertion of a routine of mozilla/bigquery-etl, run here: `python benchmarks/sql_tests.py`.

Takes the folders from ETLO_BIGQUERY_ETL, ETLO_GENERATED_SQL and ETLO_PIPELINE_SCHEMAS. Prints how many pass, with the cause
of each that does not, the CPU time of a test and the memory of the process. `--tests` or `--routines` for one kind, `-k`
for some, `--json` for the figures alone.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from corpus import folder, repository

from etl_orchestrator.api import Workplace
from etl_orchestrator.layout import paths
from etl_orchestrator.proving.suite import Place, Ran, keeper, places, run
from etl_orchestrator.proving.trial import ORDER_OPEN

_GENERATED = "of these on generated-sql"


def measured(root: Path, tops: list[str], expression: str) -> dict[str, Any]:
    tools = Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools()
    keep = keeper(expression)
    counts: dict[str, Counter[str]] = {
        top: Counter() for top in [*tops, *([_GENERATED] if "tests/sql" in tops else [])]
    }
    causes: list[str] = []
    times: list[float] = []
    began = time.perf_counter()
    for top in tops:
        for place in places(tools.catalog.paths(top)):
            start = time.process_time()
            for ran in run(place, tools, keep=keep):
                times.append(time.process_time() - start)
                start = time.process_time()
                counts[top][verdict_of(ran)] += 1
                if is_generated(place):
                    counts[_GENERATED][verdict_of(ran)] += 1
                if ran.status != "passed":
                    causes.append(f"{verdict_of(ran)}: {ran.place.id}: {ran.trial.detail[:200]}")
    return {
        "counts": counts,
        "causes": causes,
        "median": statistics.median(times) if times else 0.0,
        "slowest": max(times, default=0.0),
        "cpu": sum(times),
        "wall": time.perf_counter() - began,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def is_generated(place: Place) -> bool:
    """Whether what an SQL test runs stands on the branch of generated files alone."""
    table = paths.table_of(place.path)
    home = folder("ETLO_BIGQUERY_ETL") / paths.table_folder(table) if table else Path()
    texts = (paths.QUERY_SQL, paths.VIEW_SQL, paths.SCRIPT_SQL)
    return place.path.startswith("tests/") and not any((home / text).is_file() for text in texts)


def verdict_of(ran: Ran) -> str:
    """Passed ones by whether only by the order of arrays, which the query leaves open."""
    if ran.status != "failed":
        return "passed, order of arrays open" if ran.trial.detail == ORDER_OPEN else ran.status
    return {"logic": "wrong", "schema": "wrong"}.get(ran.trial.cause, ran.trial.cause)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--routines", action="store_true")
    parser.add_argument("-k", dest="expression", default="")
    parser.add_argument("--repository", type=Path, help="a folder to lay the repository out in and keep")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    both = options.tests == options.routines
    tops = [top for top, wanted in (("tests/sql", options.tests), ("sql", options.routines)) if wanted or both]
    with repository(options.repository) as root:
        result = measured(root, tops, options.expression)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for top, counts in result["counts"].items():
        total = sum(counts.values())
        print(f"{top}: {total} tests, {counts['passed']} passed ({counts['passed'] / max(total, 1):.1%})")
        for verdict, count in counts.most_common():
            print(f"  {count:>5} {verdict}")
    print(
        f"median {result['median']:.3f} s CPU, slowest {result['slowest']:.2f} s, all {result['cpu']:.1f} s CPU,"
        f" {result['wall']:.1f} s; {result['megabytes']:.0f} MB"
    )
    print("\n".join(result["causes"]))


if __name__ == "__main__":
    main()
