from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.sql.external_calls import TYPES, calls_of
from etl_orchestrator.sql.federated import analysis_of
from etl_orchestrator.sql.fitting_types import Use, asked_anew, uses_of
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis

CALL = "EXTERNAL_QUERY('acme-data.us.app', 'SELECT id, made, rides FROM riders')"


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


class Asked:
    """Counts what the analyzer is asked, and keeps what is to be remembered."""

    def __init__(self, engine: GoogleSql) -> None:
        self._engine = engine
        self.texts: list[str] = []
        self.kept: dict[str, Any] = {}

    def analysis(self, sql: str, declared: str = "", *, keep: bool = True) -> Analysis:
        fields = [(*entry.split(), "NULLABLE")[:3] for entry in declared.split(", ") if entry]
        schema = tuple(Field(name, kind, mode) for name, kind, mode in fields)
        return analysis_of(sql.replace("CALL", CALL), schema, self._ask, self._remember if keep else asked_anew)

    def _ask(self, text: str, more: Mapping[TableRef, Schema]) -> Analysis:
        self.texts.append(text)
        return self._engine.analyze(text, more, {"day": "DATE"})

    def _remember(self, question: str, make: Callable[[], Any]) -> Any:
        if question not in self.kept:
            self.kept[question] = make()
        return self.kept[question]


def uses(sql: str) -> tuple[Use, ...] | None:
    text = sql.replace("CALL", CALL)
    (call,) = calls_of(text)
    return uses_of(text, call)


def test_the_column_of_each_expression_is_told() -> None:
    assert uses("SELECT ID, TO_HEX( id ) AS `key`, IF(made > made, 1, 2) AS n, @day AS day, FROM CALL;") == (
        Use("id", ("", ""), "ID"),
        Use("id", ("TO_HEX( ", " )"), "key"),
        Use("made", ("IF(", " > ", ", 1, 2)"), "n"),
        Use("", ("@day",), "day"),
    )
    assert uses("SELECT DATE(made) AS made, rides(id) AS x FROM CALL") == (
        Use("made", ("DATE(", ")"), "made"),
        Use("id", ("rides(", ")"), "x"),
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id + rides AS n FROM CALL",  # two columns in one expression
        "SELECT id + 1 FROM CALL",  # without a name of its own
        "SELECT id n FROM CALL",
        "SELECT id AS a, made AS A FROM CALL",
        "SELECT id.x AS a FROM CALL",
        "SELECT t.id AS a FROM CALL",
        "SELECT CAST(id AS made) AS a FROM CALL",
        "SELECT id || '''\n''' AS a FROM CALL",
        "SELECT DISTINCT id AS a FROM CALL",
        "SELECT id AS a FROM CALL AS t",
        "SELECT id AS a FROM CALL WHERE TRUE",
        "SELECT id AS a FROM t, CALL",
        "SELECT * FROM CALL",
        "SELECT (SELECT id) AS a FROM CALL",
    ],
)
def test_where_it_is_not_clear_nothing_is_told(sql: str) -> None:
    assert uses(sql) is None


EXPRESSIONS = [
    ("TO_HEX(id) AS id, SAFE_CAST(made AS BOOL) AS made", "id STRING, made BOOLEAN"),
    ("rides + 1 AS rides, rides * 2 AS double, CAST(rides AS INT64) AS n", "rides NUMERIC, double NUMERIC, n INTEGER"),
    ("id, TO_HEX(id) AS key, CURRENT_DATE() AS today, @day AS day", "id BYTES, key STRING, today DATE"),
    ("SAFE_CAST(made AS BOOL) AS m, 1 AS one", ""),
    ("id, IFNULL(made, made) AS m", "id STRING REPEATED, m DATE"),
    ("COUNT(id) AS n, MAX(made) AS made", "n INTEGER, made TIMESTAMP"),
    ("SUM(rides) OVER (PARTITION BY rides) AS n", "n INTEGER"),
    ("TO_HEX(id) AS a, id + 1 AS b", ""),
    ("TO_HEX(id) AS a, made", ""),
    ("COUNT(id) AS n, made", "n INTEGER, made TIMESTAMP"),
]


def said(asked: Asked, sql: str, declared: str) -> tuple[object, ...]:
    try:
        found = asked.analysis(sql, declared)
    except OrchestratorError as error:
        return type(error), str(error)
    return found.columns, found.tables, dict(found.lineage), found.problem, found.notes


@pytest.mark.parametrize(("listed", "declared"), EXPRESSIONS)
def test_it_is_told_what_trying_each_column_tells(engine: GoogleSql, listed: str, declared: str) -> None:
    asked, tried = Asked(engine), Asked(engine)
    quick = said(asked, f"SELECT {listed} FROM CALL", declared)
    assert quick == said(tried, f"SELECT {listed} FROM CALL LIMIT 1000", declared)
    again = Asked(engine)
    again.kept = asked.kept
    assert said(again, f"SELECT {listed} FROM CALL", declared) == quick
    assert len(again.texts) <= len(asked.texts)


def test_what_was_said_of_an_expression_holds_for_other_columns(engine: GoogleSql) -> None:
    asked = Asked(engine)
    asked.analysis("SELECT TO_HEX(id) AS a, SAFE_CAST(made AS BOOL) AS b FROM CALL")
    first = len(asked.texts)
    assert len(TYPES) < first < 3 * len(TYPES)
    found = asked.analysis("SELECT TO_HEX(made) AS c, SAFE_CAST(id AS BOOL) AS e FROM CALL")
    assert len(asked.texts) == first + 1
    assert [f"{column.name} {column.type}" for column in found.columns] == ["c STRING", "e BOOLEAN"]
    (note,) = found.notes
    assert note.endswith("`id` as INTEGER, STRING or BOOLEAN, `made` as BYTES, `rides`")
    asked.analysis("SELECT TO_HEX(made) AS c FROM CALL", keep=False)
    assert len(asked.texts) == first + 1 + len(TYPES) + 1
