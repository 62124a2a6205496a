from __future__ import annotations

import re
from pathlib import Path

import pytest

from etl_orchestrator.api import Workplace
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.proving.suite import Place, keeper, places, run
from etl_orchestrator.proving.trial import ORDER_OPEN
from etl_orchestrator.tools import Tools

ROUTINE = "sql/acme-data/text/is_word/udf.sql"
ARRAYS = "sql/acme-data/lists/once/udf.sql"
TESTS = "tests/sql/acme-data/shop_derived/orders_v1"


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    root = tmp_path_factory.mktemp("suite")
    files = {
        "dags.yaml": "{}",
        "bqetl_project.yaml": "default: {project: acme-data}\nroutine: {project: shared-data}\n",
        ROUTINE: """CREATE OR REPLACE FUNCTION text.is_word(word STRING) AS (text.matches(word, r'^[a-z]+$'));
CREATE OR REPLACE FUNCTION text.matches(word STRING, pattern STRING) AS (REGEXP_CONTAINS(word, pattern));

-- Tests
SELECT claim.holds(text.is_word('abc')), claim.holds(NOT text.is_word('a1'));

#xfail
SELECT claim.holds(text.is_word('1'));

SELECT
  claim.holds(text.is_word('2'));
""",
        "sql/shared-data/claim/holds/udf.sql": """CREATE OR REPLACE FUNCTION claim.holds(claim BOOL)
AS (IF(claim, TRUE, ERROR('it does not hold')));
#xfail
SELECT claim.holds(TRUE);
SELECT claim.fails(TRUE);
""",
        ARRAYS: """CREATE OR REPLACE FUNCTION lists.once(given ANY TYPE)
AS (ARRAY(SELECT one FROM UNNEST(given) AS one GROUP BY one));
CREATE OR REPLACE FUNCTION lists.sorted(given ANY TYPE)
AS (ARRAY(SELECT one FROM UNNEST(given) AS one ORDER BY one));
SELECT assert.array_equals(['z', 'a'], lists.once(['z', 'a', 'z']));
SELECT assert.array_equals(['z', 'b'], lists.once(['z', 'a', 'z']));
SELECT assert.array_equals(['z', 'z', 'a'], lists.once(['z', 'a', 'z']));
SELECT assert.array_equals(['z', 'a'], lists.sorted(['z', 'a']));
#xfail
SELECT assert.array_equals(['z', 'a'], lists.once(['z', 'a', 'z']));
""",
        "sql/shared-data/assert/array_equals/udf.sql": """CREATE FUNCTION assert.array_equals(expected ANY TYPE, actual ANY TYPE)
AS (IF(TO_JSON_STRING(expected) = TO_JSON_STRING(actual), TRUE, ERROR('other elements')));
""",
        "sql/acme-data/shop_derived/orders_v1/query.sql": "SELECT shop, n FROM `acme-data.shop.orders`",
        f"{TESTS}/test_one/acme-data.shop.orders.yaml": "- {shop: a, n: '1'}",
        f"{TESTS}/test_one/expect.yaml": "- {shop: a, n: 1}",
        f"{TESTS}/test_bare/expect.yaml": "[]",
        f"{TESTS}/test_no_test/README.md": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Workplace(Path(root)).tools


def test_tests_are_folders_with_an_expectation_and_files_of_routines(tools: Tools) -> None:
    assert places(tools.catalog.paths("tests")) == (Place(TESTS, "test_bare"), Place(TESTS, "test_one"))
    assert [place.id for place in places(tools.catalog.paths("sql"))] == [
        f"{ARRAYS}::",
        f"{ROUTINE}::",
        "sql/shared-data/assert/array_equals/udf.sql::",
        "sql/shared-data/claim/holds/udf.sql::",
    ]


def test_sql_tests_are_run_by_place(tools: Tools) -> None:
    (good,) = run(Place(TESTS, "test_one"), tools)
    assert (good.status, good.place.id) == ("passed", f"{TESTS}/test_one")
    (bare,) = run(Place(TESTS, "test_bare"), tools)
    assert (bare.status, bare.trial.cause) == ("failed", "fixture")
    assert "no fixture for acme-data.shop.orders" in bare.trial.detail
    (absent,) = run(Place(TESTS, "test_absent"), tools)
    assert (absent.status, absent.trial.detail) == ("failed", "there is no such test")


def test_assertions_of_a_routine_are_run_with_its_own_and_shared_routines(tools: Tools) -> None:
    ran = list(run(Place(ROUTINE), tools))
    assert [(one.place.name, one.status) for one in ran] == [
        ("text.is_word#1", "passed"),
        ("text.is_word#2", "passed"),
        ("text.is_word#3", "failed"),
    ]
    assert ran[2].trial.at == f"{ROUTINE}:10"
    assert (ran[2].trial.cause, ran[2].trial.detail) == ("logic", "it does not hold")


def test_a_failure_that_does_not_come_is_a_failure_and_an_unknown_routine_is_no_answer(tools: Tools) -> None:
    unmet, unknown = run(Place("sql/shared-data/claim/holds/udf.sql"), tools)
    assert (unmet.status, unmet.trial.detail) == ("failed", "it is marked #xfail and does not fail")
    assert (unknown.status, unknown.trial.cause) == ("refused", "engine")
    assert "claim.fails" in unknown.trial.detail


def test_arrays_are_compared_in_any_order_where_a_routine_leaves_it_open(tools: Tools) -> None:
    """The last one must fail, and does: in order, as it is written."""
    ran = list(run(Place(ARRAYS), tools))
    assert [(one.status, one.trial.detail) for one in ran[:3]] == [
        ("passed", ORDER_OPEN),
        ("failed", "other elements"),
        ("failed", "other elements"),
    ]
    assert ran[4].status == "passed"


def test_arrays_are_compared_in_order_where_a_routine_sorts_them(tools: Tools) -> None:
    (ran,) = [one for one in run(Place(ARRAYS), tools) if one.place.name.endswith("#4")]
    assert (ran.status, ran.trial.detail) == ("failed", "other elements")


def test_one_assertion_is_run_by_its_name_or_an_expression(tools: Tools) -> None:
    assert [one.place.name for one in run(Place(ROUTINE, "text.is_word#2"), tools)] == ["text.is_word#2"]
    kept = run(Place(ROUTINE), tools, keep=keeper("#1 or #2"))
    assert [one.place.name for one in kept] == ["text.is_word#1", "text.is_word#2"]


@pytest.mark.parametrize(
    ("expression", "name", "kept"),
    [
        ("", "anything", True),
        ("Orders", "tests/orders_v1", True),
        ("orders and not v1", "tests/orders_v1", False),
        ("orders and not v2", "tests/orders_v1", True),
        ("a or b and c", "a", True),
        ("(a or b) and c", "a", False),
        ("not (a or b)", "c", True),
    ],
)
def test_an_expression_of_words_keeps_what_fits(expression: str, name: str, kept: bool) -> None:
    assert keeper(expression)(name) is kept


@pytest.mark.parametrize("expression", ["and", "a or", "(a", "a b", "a)", "not"])
def test_a_broken_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"`-k {expression}` cannot be read")):
        keeper(expression)
