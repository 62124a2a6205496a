from __future__ import annotations

import pytest

from etl_orchestrator.sql.routines import calls, definitions


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT tools.json.get(a), `shop.tax`(b), shop . tax (c)", ("tools.json.get", "shop.tax")),
        ("SELECT `acme-data.shop.tax`(a), acme-data.shop.`round`(b)", ("acme-data.shop.tax", "acme-data.shop.round")),
        ("SELECT NET.HOST(u), SAFE.PARSE_DATE('%F', d), KEYS.NEW_KEYSET('x'), hll_count.merge(s), COUNT(t.x)", ()),
        ("SELECT 'a.b(c)', \"a.b(c)\", r'''a.b(''' -- a.b(\n/* a.b( */ # a.b(\n", ()),
        ("INSERT INTO shop.daily (day) SELECT a.day FROM t AS a WHERE a.day IN (1) AND b.c BETWEEN (2) AND 3", ()),
        ("CREATE TEMP FUNCTION f(x INT64) AS (shop.tax(x))", ("shop.tax",)),
        ("CREATE OR REPLACE FUNCTION shop.net(x INT64) AS (shop.tax(x))", ("shop.tax",)),
        ("CALL shop.refresh('day'); CALL BQ.REFRESH_MATERIALIZED_VIEW('a.b.c')", ("shop.refresh",)),
        ("SELECT * FROM shop.orders_of(1) JOIN shop.t USING (id)", ("shop.orders_of",)),
    ],
)
def test_calls(sql: str, expected: tuple[str, ...]) -> None:
    assert calls(sql) == expected


def test_definitions_are_those_of_persistent_routines_without_what_stands_around_them() -> None:
    text = (
        "/* Tax; not shop.net */\nCREATE OR REPLACE FUNCTION shop.rate() AS (19);\n\n"
        "CREATE OR REPLACE FUNCTION `acme-data`.shop.tax(x INT64) RETURNS INT64 AS (x * shop.rate());\n"
        "CREATE TEMP FUNCTION helper() AS (1);\n-- Tests\nSELECT shop.tax(1);\n"
    )
    assert list(definitions(text)) == [
        ("shop.rate", "CREATE OR REPLACE FUNCTION shop.rate() AS (19)"),
        (
            "acme-data.shop.tax",
            "CREATE OR REPLACE FUNCTION `acme-data`.shop.tax(x INT64) RETURNS INT64 AS (x * shop.rate())",
        ),
    ]


def test_a_procedure_ends_with_its_body() -> None:
    body = "BEGIN\n  DECLARE i INT64 DEFAULT 0;\n  IF i = 0 THEN SELECT CASE WHEN TRUE THEN 1 END; END IF;\nEND"
    text = f"CREATE OR REPLACE PROCEDURE shop.refresh(day DATE)\n{body};\n\nCALL shop.refresh('2025-01-01');"
    assert list(definitions(text)) == [("shop.refresh", f"CREATE OR REPLACE PROCEDURE shop.refresh(day DATE)\n{body}")]
