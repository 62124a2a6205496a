from __future__ import annotations

import pytest

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.sql.external_calls import calls_of, is_independent, replaced
from etl_orchestrator.sql.tokens import offset_of


def columns(statement: str) -> tuple[str, ...]:
    (call,) = calls_of(f"SELECT * FROM EXTERNAL_QUERY('acme.us.app', '''{statement}''')")
    return call.columns


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("SELECT id, r.city, COUNT(*) AS rides FROM riders r GROUP BY 1, 2", ("id", "city", "rides")),
        ("SELECT `order` FROM `app`.`riders`", ("order",)),  # MySQL
        ('SELECT "Order", created::date AS day FROM riders', ("Order", "day")),  # PostgreSQL
        ("WITH a AS (SELECT * FROM riders) SELECT id FROM a UNION ALL SELECT other FROM b", ("id",)),
    ],
)
def test_the_statement_names_the_columns(statement: str, names: tuple[str, ...]) -> None:
    assert columns(statement) == names


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("'acme.us.app', 'SELECT * FROM riders'", r"`acme\.us\.app`.* has a `\*`"),
        ("'acme.us.app', 'SELECT r.*, 1 AS a FROM riders r'", r"has a `\*`"),
        ("'acme.us.app', 'SELECT id, COUNT(*) FROM riders GROUP BY 1'", "column 2 no name"),
        ("'acme.us.app', 'SELECT a.id, b.ID FROM a, b'", "names a column twice"),
        ("'acme.us.app', 'SELECT FROM WHERE'", "does not parse"),
        ("'acme.us.app', 'DELETE FROM riders'", "is no query"),
        ("'acme.us.app', @statement", "is no literal"),
        ("@connection, 'SELECT id FROM riders'", "connection is no literal"),
    ],
)
def test_or_the_connection_is_unknown(arguments: str, why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        calls_of(f"SELECT id FROM external_query({arguments})")


def test_a_table_stands_in_the_place_of_a_call_and_moves_nothing() -> None:
    sql = (
        "SELECT a.id, -- EXTERNAL_QUERY( is no call here\n  'EXTERNAL_QUERY(1)'\nFROM EXTERNAL_QUERY(\n  'acme-data.us.app',\n"
        "  r'SELECT id FROM riders', '{}') AS a JOIN EXTERNAL_QUERY('acme-data.eu.app', \"SELECT id FROM cities\") b USING (id)"
    )
    one, other = calls_of(sql)
    assert (one.connection, other.connection) == ("acme-data.us.app", "acme-data.eu.app")
    text = replaced(sql, {one: 3, other: 0})
    assert "FROM `external-query.acme_data_us_app.query_1_3`\n" in text
    assert "JOIN `external-query.acme_data_eu_app.query_2` " in text
    assert text.index("AS a JOIN") - text.rindex("\n", 0, text.index("AS a JOIN")) == sql.index(
        "AS a JOIN"
    ) - sql.rindex("\n", 0, sql.index("AS a JOIN"))
    assert len(text) - len(sql) == len("`external-query.acme_data_us_app.query_1_3`") - len("EXTERNAL_QUERY(")
    assert one.is_table(one.table(7))
    assert not one.is_table(other.table(7))
    assert calls_of("SELECT 'never ended") == ()
    assert offset_of("ab\ncde", 2, 3) == 5


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT TO_HEX(id) AS a, id, CAST(city AS INT64) FROM CALL WHERE city > 'a' ORDER BY id", True),
        ("SELECT id || city FROM CALL", False),
        ("SELECT id FROM CALL WHERE id = city", False),
        ("SELECT * FROM CALL", False),
        ("SELECT id FROM CALL JOIN x USING (id)", False),
        ("WITH a AS (SELECT id FROM CALL) SELECT id FROM a", False),
        ("SELECT id FROM CALL UNION ALL SELECT city FROM x", False),
        ("SELECT id FROM CALL WHERE id IN (SELECT 1)", False),
        ("SELECT id FROM CALL AS a, CALL AS b", False),
        ("SELECT id FROM CALL; SELECT 1", False),
    ],
)
def test_whether_each_column_may_be_judged_by_itself(sql: str, expected: bool) -> None:
    text = sql.replace("CALL", "EXTERNAL_QUERY('acme.us.app', 'SELECT id, city FROM riders')")
    assert is_independent(text, calls_of(text)) is expected
