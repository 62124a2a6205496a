"""Prints how strong the generated tests are: per model the mutants of its query that bind, and those that a test notices.

    python benchmarks/test_strength.py [--limit N] [--repo DIR] [REQUIREMENTS…]

Without arguments: the examples, in the example repository. `--limit` thins the mutants of a model out evenly. Every
survivor is printed with what it changes: whether it is equivalent to the query nobody has proved. An adopted query is
measured with the same cases; the test of the very first run is left out.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from builds import EXAMPLES, example_repository, files

from etl_orchestrator import api, intake
from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout.sql_test import FIRST_RUN
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.fixtures import cases
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.proving.strength import JudgedCase, Strength, measure
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.skills.bigquery_etl_core.dag_ranking import rank_dags
from etl_orchestrator.sql.templates import render
from etl_orchestrator.table import Schema, TableRef


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--repo", type=Path)
    parser.add_argument("requirements", nargs="*", type=Path)
    options = parser.parse_args()
    valid, killed = Counter[str](), Counter[str]()
    with example_repository() as examples:
        workplace = api.Workplace(options.repo or examples)
        for path in options.requirements or files(EXAMPLES / "requirements"):
            began = time.process_time()
            try:
                found = strength_of(workplace, path, options.limit)
            except OrchestratorError as error:
                print(f"{path.name:<36} not measured: {error.message}")
                continue
            print(f"{path.name:<36} {found.kills:>4} of {found.valid:>4} {time.process_time() - began:>7.1f} s")
            for mutant in found.survivors:
                print(f"    {mutant.operator:<9} {mutant.change}")
            for name, (dead, all_) in found.operators().items():
                killed[name] += dead
                valid[name] += all_
    print()
    for name, count in sorted(valid.items()):
        print(f"{name:<10} {killed[name]:>5} of {count:>5}")
    if total := valid.total():
        print(f"all        {killed.total():>5} of {total:>5} = {100 * killed.total() / total:.1f} %")


def strength_of(workplace: api.Workplace, path: Path, limit: int | None) -> Strength:
    """The strength of the tests that a requirements file gets. Raises OrchestratorError where it cannot be built."""
    outcome = api.build(workplace, path, api.BuildOptions(dry_run=True))
    query = next((artifact for artifact in outcome.artifacts if artifact.path.endswith("/query.sql")), None)
    if outcome.status != "delivered" or query is None:
        return Strength(0)
    sql = render(query.text, workplace.tools.catalog.text, at=query.path)
    return measure(sql, judged(workplace, path, sql), GoogleSql(), limit=limit)


def judged(workplace: api.Workplace, path: Path, sql: str) -> Iterator[JudgedCase]:
    """The generated cases with their expectations; what the requirement cannot tell is the query's own answer."""
    catalog = workplace.tools.catalog
    request = intake.read_request(str(path), path.read_bytes(), workplace.settings.project)
    requirements = intake.accept(request, workplace.tools, lambda asked: rank_dags(asked, catalog))
    for case in cases(requirements, schemas_of(requirements, workplace)):
        if case.name == FIRST_RUN:
            continue
        try:
            expected = expected_rows(requirements, case.tables, case.parameters)
        except CannotTell:
            expected = None
        if expected is None or expected.unknown:
            yield JudgedCase(case, GoogleSql().run(sql, case.tables, case.parameters).dicts())
        else:
            yield JudgedCase(case, expected.rows)


def schemas_of(requirements: Requirements, workplace: api.Workplace) -> dict[TableRef, Schema]:
    found = {}
    for table in requirements.sources:
        known = workplace.tools.catalog.schema(table)
        declared = requirements.schemas.get(str(table))
        found[table] = declared or (known.schema if known else ())
    return found


if __name__ == "__main__":
    main()
