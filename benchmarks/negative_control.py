"""Do the passing tests fail when they must? `python benchmarks/negative_control.py [-k EXPR] [--every N] [--jobs N]`.

For every SQL test of mozilla/bigquery-etl that passes here: the first row of each fixture dropped, two cells of it changed (of
columns that the query names, where there are any), two expected cells changed, an expected row dropped, or one added where
none is expected. A changed expectation always must change the verdict; a changed fixture must when the rows of the result
are others than before, compared here on their own terms: as texts of whole rows, without what that repository's plugin
leaves out (NULLs, `created_at`, `generated_time`). Prints changes, must and did of each test, and each miss with its cause.
Folders as for `sql_tests.py`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from corpus import repository

from etl_orchestrator.api import Workplace
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import model_files, paths
from etl_orchestrator.layout.sql_test import IGNORED, SqlTest
from etl_orchestrator.model import Model
from etl_orchestrator.proving.suite import Place, keeper, places
from etl_orchestrator.proving.trial import Trial, judged, run_test, trial
from etl_orchestrator.proving.trial_text import text_of
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Rows, TableData, Tools

_CELLS = 2


def changed(value: Any) -> Any:
    """Another value of the same type, None where none is made."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime | date):
        return value + timedelta(days=1)
    if isinstance(value, time):
        return value.replace(hour=(value.hour + 1) % 24)
    if isinstance(value, int | float | Decimal):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, bytes):
        return value + b"x"
    if isinstance(value, Mapping):
        return next(({**value, name: new} for name, part in value.items() if (new := changed(part)) is not None), None)
    if isinstance(value, list) and value and (new := changed(value[0])) is not None:
        return [new, *value[1:]]
    return None


def fixture_changes(test: SqlTest, sql: str) -> Iterator[tuple[str, SqlTest]]:
    named = {word.lower() for word in re.findall(r"\w+", sql)}
    for table, data in test.tables.items():
        if not data.rows:
            continue
        first, *rest = data.rows
        yield f"row of {table} dropped", _with(test, table, data, rest)
        columns = sorted(data.schema, key=lambda column: column.name.lower() not in named)
        cells = ((name, _cell(column, first.get(name))) for column in columns for name in [column.name])
        for name, other in islice((cell for cell in cells if cell[1] is not None), _CELLS):
            yield f"{table}.{name} changed", _with(test, table, data, [{**first, name: other}, *rest])


def _cell(column: Field, value: Any) -> Any:
    return None if "JSON" in {column.type, *(part.type for part in column.fields)} else changed(value)


def _with(test: SqlTest, table: TableRef, data: TableData, rows: list[Any]) -> SqlTest:
    return replace(test, tables={**test.tables, table: TableData(data.schema, tuple(rows))})


def expectation_changes(test: SqlTest) -> Iterator[tuple[str, SqlTest]]:
    if not test.expect:
        yield "expected row added", replace(test, expect=({"no_such_column": 1},))
        return
    yield "expected row dropped", replace(test, expect=test.expect[1:])
    for place, names in ((0, list(test.expect[0])), (len(test.expect) - 1, list(test.expect[-1])[::-1])):
        row = test.expect[place]
        found = ((name, changed(row[name])) for name in names)
        for name, other in islice((cell for cell in found if cell[1] is not None), 1):
            rows = (*test.expect[:place], {**row, name: other}, *test.expect[place + 1 :])
            yield f"expected {name} of row {place + 1} changed", replace(test, expect=rows)


def bag(rows: Rows, ordered: bool = True) -> list[str]:
    """The rows as texts, sorted, so that two results can be compared without the code that is measured."""
    return sorted(json.dumps(_plain(row, ordered), sort_keys=True, default=str) for row in rows.dicts())


def _plain(value: Any, ordered: bool) -> Any:
    if isinstance(value, Mapping):
        kept = {name: part for name, part in value.items() if part is not None and name not in IGNORED}
        return {name: _plain(part, ordered) for name, part in kept.items()}
    if isinstance(value, list):
        parts = [_plain(part, ordered) for part in value]
        return parts if ordered else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True, default=str))
    return value


@dataclass(slots=True)
class Outcome:
    """Of one test: what was asked, how often the verdict had to change and did; `misses` by change and cause."""

    test: str
    asked: int = 0
    must: int = 0
    did: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    def add(self, change: str, must: bool, did: bool, cause: str = "") -> None:
        kind = "expectation" if change.startswith("expected") else "row" if change.endswith("dropped") else "cell"
        self.asked += 1
        self.must += must
        self.did += must and did
        self.kinds[f"{kind}: {'must and did' if must and did else 'must' if must else 'need not'}"] += 1
        if must and not did:
            self.misses.append(f"{self.test}: {change}: {cause}")
        if did and not must:
            self.kinds[f"{kind}: need not and did"] += 1


def control(model: Model, tools: Tools, passing: Trial, outcome: Outcome) -> None:
    test = passing.test
    assert test is not None
    for change, other in fixture_changes(test, text_of(model, tools, test.name).sql):
        try:
            rows = run_test(model, tools, other)
        except OrchestratorError:
            outcome.kinds["not run"] += 1
            continue
        if rows.problem is not None:
            outcome.add(change, True, True)  # the query fails, and the test with it
            continue
        verdict = judged(model, tools, other, rows)
        only_order = bag(rows, ordered=False) == bag(passing.rows, ordered=False)
        cause = "only the order in arrays, which the query leaves open" if only_order else "not explained"
        outcome.add(change, bag(rows) != bag(passing.rows), bool(verdict.cause), cause)
    for change, other in expectation_changes(test):
        verdict = judged(model, tools, other, passing.rows)
        outcome.add(change, True, bool(verdict.cause), verdict.detail or "not explained")


def outcomes(root: Path, asked: list[Place]) -> list[Outcome]:
    """Of the tests among these that pass."""
    tools = Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools()
    found = []
    for place in asked:
        table = paths.table_of(place.path)
        assert table is not None
        model = model_files.read_model(tools.catalog.text, tools.catalog.paths, table)
        with suppress(OrchestratorError):
            passing = trial(model, tools, place.name, model_files.cases(model)[place.name])
            if passing.test is not None and not passing.cause:
                found.append(outcome := Outcome(place.id))
                control(model, tools, passing, outcome)
                print(row(outcome), file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-k", dest="expression", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--repository", type=Path, help="a folder to lay the repository out in and keep")
    options = parser.parse_args()
    keep = keeper(options.expression)
    with repository(options.repository) as root:
        known = Workplace(root).frozen_tools().catalog.paths("tests/sql")
        asked = [place for place in places(known) if keep(place.id)][:: options.every]
        if options.jobs > 1:
            with ProcessPoolExecutor(options.jobs) as pool:
                shares = [asked[number :: options.jobs] for number in range(options.jobs)]
                found = [one for share in pool.map(partial(outcomes, root), shares) for one in share]
        else:
            found = outcomes(root, asked)
    show(sorted(found, key=lambda one: one.test))


def row(one: Outcome) -> str:
    return f"{one.asked:>7}{one.must:>6}{one.did:>6}  {one.test}"


def show(found: list[Outcome]) -> None:
    print("changes  must   did  test")
    for one in found:
        print(row(one))
    kinds: Counter[str] = sum((one.kinds for one in found), Counter())
    print(f"{len(found)} passing tests, {sum(one.asked for one in found)} changes")
    for kind, count in sorted(kinds.items()):
        print(f"{count:>7}  {kind}")
    must, did = sum(one.must for one in found), sum(one.did for one in found)
    print(f"of {must} changes that must change the verdict {did} do ({did / max(must, 1):.1%})")
    print("\n".join(miss for one in found for miss in one.misses))


if __name__ == "__main__":
    main()
