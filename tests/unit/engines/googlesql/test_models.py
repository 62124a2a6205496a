"""Functions over models and other systems: typed where the text tells, named where it does not."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.models import model_functions
from etl_orchestrator.errors import Unavailable, Unsupported
from etl_orchestrator.table import Field


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def test_an_answer_has_the_fields_of_its_output_schema(engine: GoogleSql) -> None:
    sql = (
        "SELECT AI.GENERATE(prompt => CONCAT('a', (SELECT 'b')), output_schema => 'mood STRING, words ARRAY<STRING>').words AS w, "
        "AI.GENERATE('x', endpoint => 'y').result AS r, AI.EMBED('x').result AS e, AI.IF('x') AS i"
    )
    analysis = engine.analyze(sql, {}, {})
    assert analysis.problem is None
    assert analysis.columns == (
        Field("w", "STRING", "REPEATED"), Field("r", "STRING"), Field("e", "FLOAT", "REPEATED"), Field("i", "BOOLEAN"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("AI.CLASSIFY('x', ['a', 'b']) AS one, AI.CLASSIFY('x', categories => ['a'], output_mode => 'multi') AS several",
         (Field("one", "STRING"), Field("several", "STRING", "REPEATED"))),
        ("AI.IF(('x', 'y'), examples => [('a', TRUE)]) AS yes, AI.COUNT_TOKENS('x').result AS n",
         (Field("yes", "BOOLEAN"), Field("n", "INTEGER"))),
        ("AI.AGG(DISTINCT x, 'tell') AS told, COUNT(*) AS n FROM UNNEST(['a']) AS x",
         (Field("told", "STRING"), Field("n", "INTEGER"))),
        ("SEARCH((x, 'b'), 'y', analyzer => 'NO_OP_ANALYZER') AS found, TEXT_ANALYZE(x) AS words FROM UNNEST(['a']) AS x",
         (Field("found", "BOOLEAN"), Field("words", "STRING", "REPEATED"))),
        ("CONTAINS_SUBSTR(JSON '{}', 'a', json_scope => 'JSON_KEYS') AS a, CONTAINS_SUBSTR('a', 'b') AS b",
         (Field("a", "BOOLEAN"), Field("b", "BOOLEAN"))),
        ("ST_REGIONSTATS(ST_GEOGPOINT(1, 2), 'x', band => 'b').count AS n", (Field("n", "INTEGER"),)),
        ("DLP_DETERMINISTIC_ENCRYPT(DLP_KEY_CHAIN('x', b'y'), 'z', '', 'aad') AS secret", (Field("secret", "STRING"),)),
        ("b.count FROM UNNEST(BAG_OF_WORDS(['a', 'b'])) AS b", (Field("count", "INTEGER"),)),
    ],
)  # fmt: skip
def test_functions_that_the_engine_lacks_have_their_type(
    engine: GoogleSql, sql: str, columns: tuple[Field, ...]
) -> None:
    analysis = engine.analyze(f"SELECT {sql}", {}, {})
    assert analysis.problem is None, analysis.problem
    assert analysis.columns == columns


def test_a_function_of_the_text_itself_is_meant(engine: GoogleSql) -> None:
    sql = "CREATE TEMP FUNCTION search(x STRING) AS (LENGTH(x)); SELECT search('a') AS n"
    assert engine.analyze(sql, {}, {}).columns == (Field("n", "INTEGER"),)


def test_what_has_no_body_is_not_run(engine: GoogleSql) -> None:
    with pytest.raises(Unsupported, match="SEARCH"):
        engine.run("SELECT SEARCH('a', 'b') AS x", {}, {})
    with pytest.raises(Unsupported, match="CONTAINS_SUBSTR with a json_scope"):
        engine.run("SELECT CONTAINS_SUBSTR(JSON '{}', 'a', json_scope => 'JSON_KEYS') AS x", {}, {})


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT SEARCH('a') AS x", "No matching signature for function SEARCH"),
        ("SELECT AI.GENERATE('x', output_schema => 'a STRING').b AS x", "b does not exist"),
        ("SELECT AI.GENERATE(endpoint => 'x') AS x", "No matching signature for function AI.GENERATE"),
        ("SELECT AI.GENERATE('x', nothing => 'x') AS x", "nothing"),
    ],
)
def test_a_wrong_call_is_refused(engine: GoogleSql, sql: str, message: str) -> None:
    problem = engine.analyze(sql, {}, {}).problem
    assert problem
    assert message in problem.message


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT * FROM EXTERNAL_QUERY('proj.us.link', 'SELECT 1')", "EXTERNAL_QUERY over 'proj.us.link'"),
        ("SELECT * FROM ML.PREDICT(MODEL d.m, TABLE d.t)", "ML.PREDICT"),
        ("SELECT * FROM AI.FORECAST(TABLE d.t)", "AI.FORECAST"),
        ("SELECT * FROM VECTOR_SEARCH(TABLE d.t, 'e', TABLE d.u)", "VECTOR_SEARCH"),
        ("SELECT * FROM RANGE_SESSIONIZE(TABLE d.t, 'r', ['a'])", "RANGE_SESSIONIZE"),
        ("SELECT OBJ.MAKE_REF('gs://x', 'us.c') AS r", "OBJ.MAKE_REF"),
        ("SELECT AI.GENERATE('x', output_schema => @p) AS x", "output_schema that is no literal"),
        ("SELECT AI.GENERATE('x', output_schema => 'a NOTHING') AS x", "output_schema `a NOTHING`"),
    ],
)
def test_what_the_text_does_not_tell_is_named(engine: GoogleSql, sql: str, named: str) -> None:
    with pytest.raises(Unavailable, match=named):
        engine.analyze(sql, {}, {"p": "STRING"})


def test_other_names_are_left_alone() -> None:
    assert model_functions(
        "SELECT a.ml.b(1), a.search('x'), external_query, search, 'ML.PREDICT(' -- AI.IF(\nFROM ai.ml"
    ) == ((), ())
