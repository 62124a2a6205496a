"""Functions over models and other systems: typed where the text tells, named where it does not."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.models import model_functions
from etl_orchestrator.errors import Unavailable
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
    ("sql", "message"),
    [
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
        ("SELECT AI.GENERATE('x', output_schema => @p) AS x", "output_schema that is no literal"),
        ("SELECT AI.GENERATE('x', output_schema => 'a NOTHING') AS x", "output_schema `a NOTHING`"),
    ],
)
def test_what_the_text_does_not_tell_is_named(engine: GoogleSql, sql: str, named: str) -> None:
    with pytest.raises(Unavailable, match=named):
        engine.analyze(sql, {}, {"p": "STRING"})


def test_other_names_are_left_alone() -> None:
    assert model_functions("SELECT a.ml.b(1), external_query, 'ML.PREDICT(' -- AI.IF(\nFROM ai.ml") == ((), ())
