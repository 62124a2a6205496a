"""Every Runner must answer the cases as BigQuery does; what it is known not to do stands in `gaps/<engine>.yaml`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from tests.conformance.engines.suite import Case, cases, gaps

from etl_orchestrator.engines import ENGINES, SECOND_OPINIONS
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.sql.values import equal
from etl_orchestrator.tools import Rows, Runner, Value

CASES = cases()
RUNNERS = (*ENGINES, *SECOND_OPINIONS)
#: Engines that speak with Google's words, so that the text of a refusal can be compared.
GOOGLE = ("googlesql", "bigquery")


def _asked() -> list[Any]:
    found = []
    for engine, make in RUNNERS:
        wrong = gaps(engine).wrong
        for case in CASES:
            reason = wrong.get(case.name)
            ends = not reason or not reason.startswith("never ends")
            marks = [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True, run=ends)] if reason else []
            found.append(pytest.param(engine, make, case, id=f"{engine}-{case.name}", marks=marks))
    return found


@pytest.fixture(scope="module")
def runner_of() -> Callable[[Callable[[], Runner]], Runner]:
    """Each engine starts once; a fixture, so that it ends before the interpreter does."""
    return cache(lambda make: make())


@pytest.mark.parametrize(("engine", "make", "case"), _asked())
def test_case(
    engine: str, make: Callable[[], Runner], case: Case, runner_of: Callable[[Callable[[], Runner]], Runner]
) -> None:
    runner = runner_of(make)
    if runner.name in [name for name, _ in SECOND_OPINIONS]:
        pytest.importorskip(runner.name, reason="an optional extra")
    refusal = gaps(engine).refusal(case)
    if refusal:
        with pytest.raises(Unsupported, match=re.escape(refusal)):
            runner.run(case.sql, case.tables, case.parameters, case.routines)
        return
    check(engine, case, runner.run(case.sql, case.tables, case.parameters, case.routines))


def check(engine: str, case: Case, rows: Rows) -> None:
    """Raises AssertionError unless the rows are those of the case."""
    if case.problem:
        assert rows.problem, f"no problem but {rows.rows}"
        assert engine not in GOOGLE or re.search(case.problem, rows.problem.message), rows.problem.message
        return
    assert rows.problem is None
    if case.columns is not None:
        shapes = [f"{c.name} {c.type}" + (" REPEATED" if c.mode == "REPEATED" else "") for c in rows.columns]
        assert shapes == case.columns
    for row in case.expect or ():
        assert list(row) == [column.name for column in rows.columns]
    try:
        expected = case.rows(rows.columns)
    except InvalidInput as error:
        raise AssertionError(f"the columns have other types than the expected rows: {error}") from None
    assert _same_rows(rows.dicts(), expected, case.ordered), f"got {rows.dicts()}"


def _same_rows(got: list[dict[str, Value]], expected: list[dict[str, Value]], ordered: bool) -> bool:
    if len(got) != len(expected):
        return False
    if ordered:
        return all(equal(a, b) for a, b in zip(got, expected, strict=True))
    left = list(got)
    for row in expected:
        match = next((index for index, other in enumerate(left) if equal(row, other)), None)
        if match is None:
            return False
        left.pop(match)
    return True


def _twice(values: Sequence[object]) -> list[object]:
    return [value for value, count in Counter(values).items() if count > 1]


def test_no_case_is_written_twice() -> None:
    assert _twice([case.name for case in CASES]) == []
    assert _twice([(" ".join(case.sql.split()), repr(case.tables), repr(case.parameters)) for case in CASES]) == []


def test_every_case_says_what_it_expects_and_where_that_is_documented() -> None:
    assert [case.name for case in CASES if (case.expect is None) == (not case.problem)] == []
    assert [case.name for case in CASES if not case.source.startswith("https://")] == []


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 600


@pytest.mark.parametrize("engine", [name for name, _ in RUNNERS])
def test_gaps_name_cases(engine: str) -> None:
    known = gaps(engine)
    names = {case.name for case in CASES} | {case.name.partition(": ")[0] + ": *" for case in CASES}
    assert sorted({*known.refused, *known.wrong} - names) == []
