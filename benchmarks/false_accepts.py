"""Queries that BigQuery refuses, made of real ones: `python benchmarks/false_accepts.py [--json] [--each N] [--queries N]`.

Takes the folders from ETLO_BIGQUERY_ETL, ETLO_GENERATED_SQL and ETLO_PIPELINE_SCHEMAS. Into every query.sql and view.sql
that the dry run accepts each operator of `refused_mutants.py` seeds one fault, until it has made `--each` of them or
`--queries` were used; files come in a random order that is always the same. A mutant is refused, named unknown (a table that nobody knows), or survives, and survivors are listed. `on its line` counts
the refusals that point to the line of the fault, `near` those within three lines.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from corpus import folder, repository
from refused_mutants import OPERATORS, Edit, Text

from etl_orchestrator.api import Workplace
from etl_orchestrator.errors import EngineError, InvalidInput, OrchestratorError, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.dry_run import resolved
from etl_orchestrator.sql.resolution import Resolved
from etl_orchestrator.sql.tokens import position
from etl_orchestrator.table import TableRef


def measured(root: Path, generated: Path, each: int, most: int) -> dict[str, Any]:
    catalog = resolved(Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools())
    made: dict[str, Counter[str]] = defaultdict(Counter)
    survivors: list[str] = []
    chance = random.Random(7)
    began = time.process_time()
    files = [path for kind in ("query.sql", "view.sql") for path in sorted((generated / "sql").rglob(kind))]
    chance.shuffle(files)
    queries = 0
    for path in files:
        due = [name for name in OPERATORS if made[name].total() < each]
        if not due or queries == most:
            break
        name = path.relative_to(generated).as_posix()
        home = paths.table_of(name)
        base = _accepted(catalog, name, home) if home is not None else None
        if base is None or home is None:
            continue
        queries += 1
        if queries % 10 == 0:
            print(f"{queries} queries, {sum(one.total() for one in made.values())} mutants", file=sys.stderr)
        for operator in due:
            edits = [edit for edit in OPERATORS[operator](base) if base.proves(edit)]
            if edits:
                edit = chance.choice(edits)
                verdict, said = asked(catalog, home, base.sql, edit)
                made[operator][verdict] += 1
                if verdict == "survived":
                    line, column = position(base.sql, edit.start)
                    survivors.append(f"{operator}: {name}:{line}:{column} {edit.new!r} {said}".rstrip())
    return {
        "queries": queries,
        "operators": {name: dict(made[name]) for name in OPERATORS},
        "survivors": survivors,
        "seconds": round(time.process_time() - began, 1),
    }


def _accepted(catalog: Resolved, name: str, home: TableRef) -> Text | None:
    """The rendered text of a query that the dry run accepts."""
    try:
        sql = catalog.template(name, home, catalog.text(name) or "").render()
        analysis = catalog.analyze(sql, home)
        if analysis.problem is not None or not analysis.columns:
            return None
        return Text(sql, analysis.columns[0].name)
    except OrchestratorError:
        return None


def asked(catalog: Resolved, home: TableRef, sql: str, edit: Edit) -> tuple[str, str]:
    """The verdict on a mutant: refused on its line, near it or elsewhere, unknown by name, or survived."""
    mutant = sql[: edit.start] + edit.new + sql[edit.end :]
    try:
        problem = catalog.analyze(mutant, home).problem
    except (Unavailable, InvalidInput) as error:
        return "unknown", error.message
    except EngineError as error:
        return "survived", f"not judged: {error.message}"
    if problem is None:
        return "survived", ""
    first, last = position(sql, edit.start)[0], position(sql, edit.start)[0] + edit.new.count("\n")
    if first <= problem.line <= last:
        return "on its line", problem.message
    return ("near" if abs(problem.line - first) <= 3 else "elsewhere"), problem.message


def printed(result: dict[str, Any]) -> None:
    verdicts = ("on its line", "near", "elsewhere", "unknown", "survived")
    print(f"{'operator':34}{'mutants':>9}" + "".join(f"{verdict:>12}" for verdict in verdicts))
    total: Counter[str] = Counter()
    for name, counts in result["operators"].items():
        print(f"{name:34}{sum(counts.values()):>9}" + "".join(f"{counts.get(verdict, 0):>12}" for verdict in verdicts))
        total.update(counts)
    print(f"{'all':34}{total.total():>9}" + "".join(f"{total[verdict]:>12}" for verdict in verdicts))
    seen = max(total.total(), 1)
    print(
        f"{result['queries']} queries; not accepted {1 - total['survived'] / seen:.2%}; of the refused, on its line "
        f"{total['on its line'] / max(seen - total['survived'] - total['unknown'], 1):.1%}; CPU {result['seconds']} s"
    )
    for survivor in result["survivors"]:
        print(f"survived {survivor}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Seed faults that BigQuery refuses into real queries.")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--each", type=int, default=40, help="mutants of each operator")
    parser.add_argument("--queries", type=int, default=150, help="stop after so many queries")
    options = parser.parse_args()
    generated = folder("ETLO_GENERATED_SQL")
    with repository() as root:
        result = measured(root, generated, options.each, options.queries)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        printed(result)


if __name__ == "__main__":
    main()
