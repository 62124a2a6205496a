"""Mutants and the measure of strength, with a runner that answers from a table of texts, and with the real engine."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.unit.proving.material import ORDERS, SCHEMAS, columns, orders, requirements

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.proving.fixtures import cases
from etl_orchestrator.proving.mutants import mutants
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.proving.strength import JudgedCase, measure
from etl_orchestrator.requirements import Body

QUERY = """
SELECT client_id, SUM(amount) AS total, COUNT(*) AS n
FROM `test-project.shop.orders_v1`
WHERE day = @submission_date AND state = 'paid'
GROUP BY client_id
"""
ASKED = requirements(
    Body((orders(filter="day = @submission_date"),), columns("client_id", "total = SUM(amount)", "n = COUNT(*)"),
         where="state = 'paid'")
)  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "operator", "mutant"),
    [
        ("SELECT x FROM a LEFT JOIN b ON a.k = b.k", "JOIN", "SELECT x FROM a INNER JOIN b ON a.k = b.k"),
        ("SELECT x FROM a WHERE x < 1", "ROR", "SELECT x FROM a WHERE x <= 1"),
        ("SELECT x FROM a WHERE x BETWEEN 1 AND 2", "ROR", "SELECT x FROM a WHERE (x > 1 AND x <= 2)"),
        ("SELECT x FROM a WHERE p AND q", "LCR", "SELECT x FROM a WHERE (p OR q)"),
        ("SELECT x FROM a WHERE p AND q", "PREDDROP", "SELECT x FROM a WHERE q"),
        ("SELECT x FROM a WHERE p", "PREDDROP", "SELECT x FROM a WHERE TRUE"),
        ("SELECT x FROM a WHERE p", "NEG", "SELECT x FROM a WHERE NOT (p)"),
        ("SELECT SUM(x) AS s FROM a", "AGG", "SELECT MAX(x) AS s FROM a"),
        ("SELECT COUNT(x) AS s FROM a", "AGG", "SELECT COUNT(*) AS s FROM a"),
        ("SELECT x FROM a", "DISTINCT", "SELECT DISTINCT x FROM a"),
        ("SELECT COUNT(DISTINCT x) AS n FROM a", "DISTINCT", "SELECT COUNT(x) AS n FROM a"),
        ("SELECT x FROM a UNION ALL SELECT x FROM b", "SETOP", "SELECT x FROM a UNION DISTINCT SELECT x FROM b"),
        ("SELECT x FROM a UNION ALL SELECT x FROM b", "SETOP", "SELECT x FROM a"),
        ("SELECT COALESCE(x, 0) AS y FROM a", "NULL", "SELECT x AS y FROM a"),
        ("SELECT IF(x, 1, 2) AS y FROM a", "CASE", "SELECT IF(x, 2, 1) AS y FROM a"),
        ("SELECT x FROM a WHERE x = 5", "CONST", "SELECT x FROM a WHERE x = 6"),
        ("SELECT x + 1 AS y FROM a", "AOR", "SELECT (x - 1) AS y FROM a"),
        ("SELECT x, y, COUNT(*) AS n FROM a GROUP BY x, y", "GROUP", "SELECT x, y, COUNT(*) AS n FROM a GROUP BY y"),
        ("SELECT x FROM a QUALIFY ROW_NUMBER() OVER (PARTITION BY x ORDER BY y) = 1", "WINDOW",
         "SELECT x FROM a QUALIFY RANK() OVER (PARTITION BY x ORDER BY y) = 1"),
        ("SELECT LOWER(x) AS y FROM a", "FUNC", "SELECT x AS y FROM a"),
        ("SELECT x FROM a WHERE REGEXP_CONTAINS(x, r'^b')", "REGEX", "SELECT x FROM a WHERE REGEXP_CONTAINS(x, 'b')"),
        ("SELECT a.x, a.y FROM a", "COLSWAP", "SELECT a.y, a.y FROM a"),
        ("SELECT x FROM a", "COLNULL", "SELECT IF(FALSE, x, NULL) AS `x` FROM a"),
    ],
)  # fmt: skip
def test_operators(sql: str, operator: str, mutant: str) -> None:
    found = {(made.operator, " ".join(made.sql.split())) for made in mutants(sql)}
    assert (operator, mutant) in found


def test_mutants_are_all_different_and_always_the_same() -> None:
    made = mutants(QUERY)
    assert len({mutant.sql for mutant in made}) == len(made) > 15
    assert mutants(QUERY) == made
    with pytest.raises(InvalidInput):
        mutants("SELECT FROM (")


def trials() -> list[JudgedCase]:
    return [
        JudgedCase(case, expected_rows(ASKED, case.tables, case.parameters).rows)
        for case in cases(ASKED, {ORDERS: SCHEMAS[ORDERS]})
    ]


def test_our_cases_kill_most_mutants_and_fewer_cases_kill_fewer() -> None:
    engine = GoogleSql()
    found = measure(QUERY, trials(), engine)
    assert found.valid == found.kills + len(found.survivors) > 15
    assert found.share >= 0.85, [mutant.change for mutant in found.survivors]
    weaker = measure(QUERY, trials()[:1], engine)
    assert weaker.kills < found.kills
    assert any("submission_date" in mutant.change for mutant in weaker.survivors)
    counted = Counter({name: valid for name, (_, valid) in found.operators().items()})
    assert counted.total() == found.valid


def test_a_query_that_does_not_pass_its_tests_is_not_measured() -> None:
    with pytest.raises(InvalidInput):
        measure(QUERY.replace("SUM", "MAX"), trials(), GoogleSql())


def test_without_cases_nothing_is_measured() -> None:
    assert measure(QUERY, [], GoogleSql()).valid == 0
