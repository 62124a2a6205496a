from __future__ import annotations

from xml.etree import ElementTree

from etl_orchestrator.layout.sql_test_compare import Difference
from etl_orchestrator.proving.suite import Place, Ran
from etl_orchestrator.proving.trial import Trial
from etl_orchestrator.report import tests
from etl_orchestrator.tools import SqlProblem

PLACE = Place("tests/sql/p/d/t", "test_a")
WRONG = Ran(
    PLACE,
    Trial(
        "test_a",
        "tests/sql/p/d/t/test_a/expect.yaml",
        "logic",
        "row 1, n: …",
        differences=(
            Difference(0, "n", 1, 2),
            Difference(0, "word", 1, "1", "type"),
            Difference(1, "", {"n": 3}, None, "missing row"),
            Difference(-1, "", None, {"n": 4}, "extra row"),
        ),
        sql="SELECT 1",
    ),
    0.25,
)


def test_what_differs_is_a_table_of_cells() -> None:
    assert tests.failure(WRONG).split("\n") == [
        "failed (logic)  tests/sql/p/d/t/test_a  (0.25 s)",
        "  at tests/sql/p/d/t/test_a/expect.yaml",
        "  row  column     expected          got",
        "  1    n          1                 2",
        "  1    word       1 (whole number)  '1' (text)",
        '  2    (the row)  {"n": 3}          nothing',
        '  -    (a row)    nothing           {"n": 4}',
    ]


def test_a_problem_is_shown_at_its_place_and_line_of_the_sql() -> None:
    problem = SqlProblem("no such column", 3, 8, "sql/p/d/t/query.sql")
    ran = Ran(PLACE, Trial("test_a", "x", "error", "no such column", problem=problem, sql="SELECT\n\n  a"))
    told = tests.failure(ran, verbose=1)
    assert "  at sql/p/d/t/query.sql:3:8\n  no such column" in told
    assert told.endswith("       1 SELECT\n  >    3   a")


def test_junit_tells_failures_from_what_could_not_be_run() -> None:
    refused = Ran(PLACE, Trial("test_b", "x", "engine", "no \x00 such function"))
    suite = ElementTree.fromstring(tests.junit([WRONG, refused, Ran(PLACE, Trial("test_c", "x"))], 1.5))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("time")) == (
        "3",
        "1",
        "1",
        "1.500",
    )
    assert [[child.tag for child in case] for case in suite] == [["failure"], ["error"], []]
    assert suite[1][0].get("message") == "no ? such function"


def test_the_last_line_counts() -> None:
    assert tests.summary([WRONG, Ran(PLACE, Trial("test_c", "x"))], 2.0) == "2 tests: 1 passed, 1 failed  (2.00 s)"
