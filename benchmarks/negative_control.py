"""Do the passing tests fail when they must? `python benchmarks/negative_control.py [-k EXPR] [--every N]`.

For every SQL test of mozilla/bigquery-etl that passes here: the first row of each fixture dropped, a cell of it changed, and
each first expected value changed. A change of a fixture *must* change the verdict when the result itself, with its NULLs
and all columns, is another one than before; a changed expectation always must. Folders as for `sql_tests.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from corpus import repository

from etl_orchestrator.api import Workplace
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import model_files, paths
from etl_orchestrator.layout.sql_test import SqlTest
from etl_orchestrator.layout.sql_test_compare import compare_documents
from etl_orchestrator.layout.sql_test_documents import documents_of, whole_documents
from etl_orchestrator.model import Model
from etl_orchestrator.proving.suite import keeper, places
from etl_orchestrator.proving.trial import run_test, trial
from etl_orchestrator.tools import Rows, TableData, Tools


def changed(value: Any) -> Any:
    """Another value of the same type, None where none is made."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime | date):
        return value + timedelta(days=1)
    if isinstance(value, int | float | Decimal):
        return value + 1
    return f"{value}x" if isinstance(value, str) else None


def fixture_changes(test: SqlTest) -> Iterator[tuple[str, SqlTest]]:
    for table, data in test.tables.items():
        if not data.rows:
            continue
        first, *rest = data.rows
        yield "row dropped", _with(test, table, data, rest)
        for name, value in first.items():
            column = next(column for column in data.schema if column.name == name)
            other = changed(value) if column.type not in ("JSON", "RECORD") else None
            if other is not None:
                yield "cell changed", _with(test, table, data, [{**first, name: other}, *rest])
                break


def _with(test: SqlTest, table: Any, data: TableData, rows: list[Any]) -> SqlTest:
    return replace(test, tables={**test.tables, table: TableData(data.schema, tuple(rows))})


def expectation_changes(test: SqlTest) -> Iterator[SqlTest]:
    if test.expect:
        first, *rest = test.expect
        for name, value in first.items():
            if (other := changed(value)) is not None:
                yield replace(test, expect=({**first, name: other}, *rest))
                break
        yield replace(test, expect=tuple(rest))


def control(model: Model, tools: Tools, test: SqlTest, rows: Rows, counts: Counter[tuple[str, str]]) -> None:
    before = sorted(json.dumps(row, sort_keys=True) for row in whole_documents(rows))
    for kind, other in fixture_changes(test):
        try:
            found = run_test(model, tools, other)
        except OrchestratorError:
            counts[kind, "not run"] += 1
            continue
        if found.problem is not None:
            counts[kind, "noticed"] += 1  # the query fails, and the test with it
            continue
        after = sorted(json.dumps(row, sort_keys=True) for row in whole_documents(found))
        noticed = bool(compare_documents(test.expect, documents_of(found)))
        counts[kind, "noticed" if noticed else "missed" if after != before else "same result"] += 1
    for other in expectation_changes(test):
        noticed = bool(compare_documents(other.expect, documents_of(rows)))
        counts["expectation changed", "noticed" if noticed else "missed"] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-k", dest="expression", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--repository", type=Path, help="a folder to lay the repository out in and keep")
    options = parser.parse_args()
    keep = keeper(options.expression)
    counts: Counter[tuple[str, str]] = Counter()
    passed = 0
    with repository(options.repository) as root:
        tools = Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools()
        for place in [place for place in places(tools.catalog.paths("tests/sql")) if keep(place.id)][:: options.every]:
            table = paths.table_of(place.path)
            assert table is not None
            model = model_files.read_model(tools.catalog.text, tools.catalog.paths, table)
            try:
                found = trial(model, tools, place.name, model_files.cases(model)[place.name])
            except OrchestratorError:
                continue
            if found.test is not None and not found.cause:
                passed += 1
                control(model, tools, found.test, found.rows, counts)
    print(f"{passed} passing tests")
    for (kind, verdict), count in sorted(counts.items()):
        print(f"  {kind:22}{verdict:14}{count:>6}")
    noticed = sum(count for (_, verdict), count in counts.items() if verdict == "noticed")
    missed = sum(count for (_, verdict), count in counts.items() if verdict == "missed")
    print(f"of {noticed + missed} changes that must change the verdict {noticed / max(noticed + missed, 1):.1%} do")


if __name__ == "__main__":
    main()
