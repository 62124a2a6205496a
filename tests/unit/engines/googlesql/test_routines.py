"""Calls of a repository's routines: their types, their faults, what they call themselves."""

from __future__ import annotations

import json

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.answers import Answers
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Routine

VISITS = TableRef("proj-one", "web", "visits_v1")
SCHEMAS = {VISITS: (Field("day", "DATE"), Field("n", "INTEGER"), Field("page", "STRING"))}


def routine(name: str, sql: str, project: str = "proj-one") -> Routine:
    return Routine(TableRef(project, *name.split(".")), sql, at=f"sql/{project}/{name.replace('.', '/')}/udf.sql")


ROUTINES = (
    routine("fn.more", "CREATE OR REPLACE FUNCTION fn.more(a INT64) RETURNS FLOAT64 AS ((SELECT fn.twice(a) + 1))"),
    routine("fn.twice", "CREATE FUNCTION `proj-one.fn.twice`(a INT64) AS (a * 2)"),
    routine("fn.text", "CREATE FUNCTION fn.text(a ANY TYPE) AS (IF(a IS NULL, 'none', CAST(a AS STRING)))"),
    routine("fn.script", "CREATE FUNCTION fn.script(a STRING) RETURNS ARRAY<STRING> LANGUAGE js AS 'return [a]'"),
    routine("fn.half", "CREATE AGGREGATE FUNCTION fn.half(a FLOAT64) AS (SUM(a) / 2)"),
    routine("fn.of_day", "CREATE TABLE FUNCTION fn.of_day(d DATE) AS SELECT page, n FROM web.visits_v1 WHERE day = d"),
    routine("fn.with_any", "CREATE TABLE FUNCTION fn.with_any(d ANY TYPE) AS SELECT page, d AS d FROM web.visits_v1"),
    routine(
        "fn.far", "CREATE FUNCTION fn.far(a INT64) RETURNS INT64 REMOTE WITH CONNECTION us.c OPTIONS(endpoint = 'x')"
    ),
    routine("fn.broken", "CREATE FUNCTION fn.broken(a INT64) AS (\n  a + nothing\n)"),
    routine("fn.with_with", "CREATE FUNCTION fn.with_with(a INT64) AS ((WITH q AS (SELECT a AS b) SELECT b FROM q))"),
    routine("twin.f", "CREATE FUNCTION twin.f() AS (1)", "proj-one"),
    routine("twin.f", "CREATE FUNCTION twin.f() AS ('one')", "proj-two"),
)


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("SELECT fn.more(n) AS a, `proj-one`.fn.twice(n) AS b, `proj-one.fn.more`(1) AS c FROM web.visits_v1", "FLOAT INTEGER FLOAT"),
        ("SELECT fn.text(day) AS a, fn.text(1) AS b FROM web.visits_v1", "STRING STRING"),
        ("SELECT fn.more(a => 1) AS a, SAFE.fn.more(2) AS b", "FLOAT FLOAT"),
        ("SELECT x FROM UNNEST(fn.script('x')) AS x", "STRING"),
        ("SELECT fn.half(n) AS h FROM web.visits_v1", "FLOAT"),
        ("SELECT * FROM fn.of_day(DATE '2025-01-01')", "STRING INTEGER"),
        ("SELECT * FROM `proj-one.fn.with_any`(1.5) AS t", "STRING FLOAT"),
        ("SELECT fn.far(1) AS a, fn.with_with(2) AS b", "INTEGER INTEGER"),
        ("SELECT `proj-two`.twin.f() AS a, `proj-one`.twin.f() AS b", "STRING INTEGER"),
    ],
)  # fmt: skip
def test_a_call_has_the_type_of_the_routine(engine: GoogleSql, sql: str, types: str) -> None:
    analysis = engine.analyze(sql, SCHEMAS, {}, ROUTINES)
    assert analysis.problem is None, analysis.problem
    assert " ".join(column.type for column in analysis.columns) == types


@pytest.mark.parametrize(
    ("sql", "line", "column", "message"),
    [
        ("SELECT\n fn.more('x') AS a", 2, 2, "No matching signature for function proj-one.fn.more\nArgument types: STRING"),
        ("SELECT fn.more(1, 2) AS a", 1, 8, "No matching signature for function proj-one.fn.more"),
        ("SELECT\n fn.text([1]) AS a", 2, 2, "function proj-one.fn.text: Invalid cast from ARRAY<INT64> to STRING"),
        ("SELECT * FROM fn.of_day('x')", 1, 25, "DATE"),
        ("SELECT fn.broken(1) AS a", 0, 0,
         "the routine proj-one.fn.broken is refused (sql/proj-one/fn/broken/udf.sql:2): Unrecognized name: nothing"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_refused(engine: GoogleSql, sql: str, line: int, column: int, message: str) -> None:
    problem = engine.analyze(sql, SCHEMAS, {}, ROUTINES).problem
    assert problem
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_a_routine_that_is_not_given_is_unknown_not_refused(engine: GoogleSql) -> None:
    with pytest.raises(Unsupported, match=r"does not know the routine fn\.twice"):
        engine.analyze("SELECT fn.more(1) AS a", SCHEMAS, {}, ROUTINES[:1])


def test_a_short_name_of_two_routines_is_none(engine: GoogleSql) -> None:
    with pytest.raises(Unsupported, match=r"does not know the routine twin\.f"):
        engine.analyze("SELECT twin.f() AS a", SCHEMAS, {}, ROUTINES)


def test_another_body_is_another_routine(engine: GoogleSql) -> None:
    for kind, expected in (("1", "INTEGER"), ("'a'", "STRING")):
        changed = (ROUTINES[0], routine("fn.twice", f"CREATE FUNCTION fn.twice(a INT64) AS ({kind})"))
        one = (*changed[1:], routine("fn.calls", "CREATE FUNCTION fn.calls(a INT64) AS (fn.twice(a))"))
        assert engine.analyze("SELECT fn.calls(1) AS a", {}, {}, one).columns == (Field("a", expected),)


def test_what_creates_no_routine_is_invalid(engine: GoogleSql) -> None:
    with pytest.raises(InvalidInput, match="is not made by a CREATE FUNCTION"):
        engine.analyze("SELECT fn.q() AS a", {}, {}, (routine("fn.q", "SELECT 1 AS a"),))


FIRST = routine("poly.first", "CREATE FUNCTION poly.first(a ANY TYPE, b ANY TYPE) AS (IF(TRUE, a, CAST(b AS STRING)))")
SAME = routine("poly.same", "CREATE FUNCTION poly.same(a ANY TYPE) AS (a)")
AROUND = routine("poly.around", "CREATE FUNCTION poly.around(a ANY TYPE) AS (poly.same(a))")
CHOSEN = routine("poly.most", "CREATE AGGREGATE FUNCTION poly.most(a ANY TYPE) AS (MAX(a))")


def test_what_a_function_over_any_type_gave_before_does_not_decide_other_calls() -> None:
    """Each call is asked of an engine that has met all the calls before it, and of one that has forgotten them."""
    calls = [
        "poly.same(DATE '2025-01-01')", "poly.same('x')", "poly.same('2025-01-01')", "poly.same(1.5)", "poly.same(1)",
        "poly.same(NULL)", "poly.same([])", "poly.same([1])", "poly.same(STRUCT(1 AS k))", "poly.same(STRUCT('x' AS k))",
        "poly.same(NUMERIC '1')", "poly.same(1)", "poly.first('a', 1)", "poly.first('a', 'b')", "poly.first('a', DATE '2025-01-01')",
        "poly.most(n)", "poly.most(page)", "poly.most(day)", "poly.same(poly.same(n))", "poly.same(DATETIME '2025-01-01')",
    ]  # fmt: skip
    calls += ["poly.around('x')", "poly.around(TIME '10:00:00')", "poly.around(b'x')", "poly.around(n)"]
    offered = (FIRST, SAME, AROUND, CHOSEN)
    practised, forgetful = GoogleSql(), GoogleSql()
    for call in [*calls, *calls[::-1]]:
        sql = f"SELECT {call} AS x FROM web.visits_v1"
        found, alone = practised.analyze(sql, SCHEMAS, {}, offered), forgetful.analyze(sql, SCHEMAS, {}, offered)
        for engine in (practised, forgetful):
            engine._scripts.clear()  # so that the second round is read too
        assert forgetful._session
        forgetful._session.answers = Answers()
        assert found.problem is None, found.problem
        assert (call, found.columns) == (call, alone.columns)
    problem = practised.analyze("SELECT poly.first(1, 'a') AS x", SCHEMAS, {}, offered).problem
    assert problem
    assert problem.message.startswith("function proj-one.poly.first: No matching signature for function IF")


class _Kept(dict[str, str]):
    """Plays Answers."""

    def recall(self, key: str) -> str | None:
        return self.get(key)

    def keep(self, key: str, text: str) -> None:
        self[key] = text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT fn.more(1) AS a, fn.text(DATE '2025-01-01') AS b, SUM(n) AS s FROM web.visits_v1",
        "SELECT x, fn.with_with(2) AS c, fn.far(1) AS d FROM UNNEST(fn.script('x')) AS x",
        "SELECT fn.half(n) AS h FROM web.visits_v1",
        "SELECT fn.more('x') AS a",
    ],
)
def test_what_another_process_read_is_as_good(engine: GoogleSql, sql: str) -> None:
    kept = _Kept()
    first = GoogleSql(answers=kept).analyze(sql, SCHEMAS, {}, ROUTINES)
    assert kept
    before = dict(kept)
    again = GoogleSql(answers=kept).analyze(sql, SCHEMAS, {}, ROUTINES)
    assert kept == before
    assert engine.analyze(sql, SCHEMAS, {}, ROUTINES) == first == again


def test_what_was_kept_is_used_as_long_as_nothing_below_has_changed() -> None:
    def types(inner: str) -> list[str]:
        routines = (routine("a.outer", "CREATE FUNCTION a.outer() AS (a.inner())"), routine("a.inner", inner))
        return [
            column.type for column in GoogleSql(answers=kept).analyze("SELECT a.outer() AS x", {}, {}, routines).columns
        ]

    kept = _Kept()
    assert types("CREATE FUNCTION a.inner() AS (1)") == ["INTEGER"]
    assert len(kept) == 2
    # Only what is recalled can tell that the routine of 1 gives text.
    assert types("CREATE FUNCTION a.inner() AS ('one')") == ["STRING"]
    number, text = [key for key in kept if "outer" in kept[key]]
    kept[number] = kept[text]
    assert types("CREATE FUNCTION a.inner() AS (1)") == ["STRING"]


def test_what_a_function_gave_is_kept_with_what_it_is_made_of() -> None:
    def types(inner: str, call: str = "a.outer('x', 1)") -> list[str]:
        routines = (
            routine("a.outer", "CREATE FUNCTION a.outer(x ANY TYPE, n INT64) AS (IF(n > 1, a.inner(n), x))"),
            routine("a.inner", inner),
        )
        found = GoogleSql(answers=kept).analyze(f"SELECT {call} AS x", {}, {}, routines)
        return [column.type for column in found.columns] if found.problem is None else [found.problem.message]

    text, number = "CREATE FUNCTION a.inner(n INT64) AS ('one')", "CREATE FUNCTION a.inner(n INT64) AS (1)"
    kept = _Kept()
    assert types(text) == ["STRING"]
    (learned,) = [key for key in kept if key.startswith("calls ")]
    before = dict(kept)
    assert types(text) == ["STRING"]
    assert kept == before  # nothing was learned anew
    assert "No matching signature" in types(text, "a.outer(1, 1)")[0]
    assert "No matching signature" in types(number)[0]
    assert types(number, "a.outer(1, 1)") == ["INTEGER"]
    (other,) = [key for key in kept if key.startswith("calls ") and key != learned]
    kept[learned] = kept[other]
    assert types(text, "a.outer(1, 1)") == ["INTEGER"]  # only what is recalled can tell so


def test_of_what_a_function_gave_only_what_is_short_is_kept() -> None:
    offered = (routine("a.same", "CREATE FUNCTION a.same(x ANY TYPE) AS (x)"),)
    kept = _Kept()
    fields = ", ".join(f"{number} AS a_field_of_a_long_name_{number}" for number in range(500))
    GoogleSql(answers=kept).analyze(f"SELECT a.same(1) AS a, a.same(STRUCT({fields})) AS b", {}, {}, offered)
    (learned,) = [kept[key] for key in kept if key.startswith("calls ")]
    assert len(json.loads(learned)) == 1


def test_a_routine_that_reads_a_table_is_read_each_time() -> None:
    kept = _Kept()
    found = GoogleSql(answers=kept).analyze("SELECT * FROM fn.of_day(DATE '2025-01-01')", SCHEMAS, {}, ROUTINES)
    assert (found.problem, kept) == (None, {})


@pytest.mark.parametrize("given", ["ANY TYPE", "INT64"])
def test_what_a_routine_gives_that_reads_a_table_through_another_holds_for_its_schema_only(given: str) -> None:
    routines = (
        routine("fn.above", f"CREATE FUNCTION fn.above(a {given}) AS (fn.below(a))"),
        routine("fn.below", f"CREATE FUNCTION fn.below(a {given}) AS ((SELECT ANY_VALUE(n) FROM web.visits_v1))"),
    )
    kept = _Kept()
    for kind in ("INTEGER", "STRING"):
        schemas = {VISITS: (Field("n", kind),)}
        found = GoogleSql(answers=kept).analyze("SELECT fn.above(1) AS a, n FROM web.visits_v1", schemas, {}, routines)
        assert [field.type for field in found.columns] == [kind, kind]
