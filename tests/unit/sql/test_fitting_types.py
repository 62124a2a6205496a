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
        return analysis_of(sql.replace("CALL", CALL), schema, self.ask, self.remember if keep else asked_anew)

    def ask(self, text: str, more: Mapping[TableRef, Schema]) -> Analysis:
        self.texts.append(text)
        return self._engine.analyze(text, more, {"day": "DATE"})

    def remember(self, question: str, make: Callable[[], Any]) -> Any:
        if question not in self.kept:
            self.kept[question] = make()
        return self.kept[question]


def uses(sql: str) -> tuple[Use, ...] | None:
    text = sql.replace("CALL", CALL)
    (call,) = calls_of(text)
    return uses_of(text, call)


def test_the_column_of_each_expression_is_told() -> None:
    sql = "SELECT ID, TO_HEX( id ) AS `key`, IF(made > made, 1, 2) AS n, @day AS day, other, FROM CALL;"
    found = uses(sql)
    assert found is not None
    assert [(use.column, use.parts, use.name) for use in found] == [
        ("id", ("", ""), "ID"),
        ("id", ("TO_HEX( ", " )"), "key"),
        ("made", ("IF(", " > ", ", 1, 2)"), "n"),
        ("", ("@day",), "day"),
        ("", ("other",), "other"),
    ]
    assert [sql[use.start : use.end] for use in found][1:4:2] == ["TO_HEX( id ) AS `key`", "@day AS day"]
    found = uses("SELECT DATE(made) AS made, rides(id) AS x FROM CALL")
    assert found is not None
    assert [(use.column, use.parts) for use in found] == [("made", ("DATE(", ")")), ("id", ("rides(", ")"))]


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
    ("TO_HEX(id) AS a, made", ""),
    ("TO_HEX(id) AS a, id + 1 AS b", ""),
    ("id + 1 AS a", "a STRING"),
    ("TO_HEX(id) AS a, 1 AS b", "a DATE, b STRING"),
    ("id", "id RECORD"),
    ("TO_HEX(it) AS a", "a STRING"),
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
    assert len(again.texts) == 1


NAMED = [
    ("STRUCT(id) AS x", "x: id INTEGER", "x RECORD"),
    ("[STRUCT(ID)] AS x", "x[]: id INTEGER", "x RECORD"),
    ("made, STRUCT(id, 1 AS k) AS x", "x: id DATE, k INTEGER; made DATE", "made DATE, x RECORD"),
    ("STRUCT(STRUCT(id) AS y) AS x", "x: y RECORD", ""),
    ("STRUCT<id INT64>(1) AS x, id", "x: id STRING; id INTEGER", "x RECORD, id INTEGER"),
    ("TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), HOUR) AS d, hour", "d DATE; hour INTEGER", "d TIMESTAMP, hour INTEGER"),
    ("DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY) AS d, day", "d STRING; day INTEGER", "d DATE, day INTEGER"),
    ("DATE_DIFF(DATE(id), CURRENT_DATE(), day) AS d, day", "d DATE; day DATE", "d INTEGER, day DATE"),
    ("DATE_DIFF(day, CURRENT_DATE(), day) AS n", "n INTEGER", "n INTEGER"),
    ("EXTRACT(hour FROM CURRENT_TIMESTAMP()) AS n, hour", "n DATE; hour TIME", "n INTEGER, hour TIME"),
]


@pytest.mark.parametrize(("listed", "declared", "given"), NAMED)
def test_what_holds_for_a_name_only_is_told_of_the_whole_text(
    engine: GoogleSql, listed: str, declared: str, given: str
) -> None:
    """The name may be that of a part of the output or no column at all: `declared` tells parts behind a colon."""

    def found(text: str) -> tuple[object, ...]:
        asked = Asked(engine)
        try:
            analysis = analysis_of(text, _schema(declared), asked.ask, asked.remember)
        except OrchestratorError as error:
            return type(error), str(error)
        assert ", ".join(f"{field.name} {field.type}" for field in analysis.columns) == given
        return analysis.columns, analysis.problem, analysis.notes

    call = "EXTERNAL_QUERY('acme-data.us.app', 'SELECT id, made, hour, day FROM riders')"
    assert found(f"SELECT {listed} FROM {call}") == found(f"SELECT {listed} FROM {call} LIMIT 1000")


def _schema(declared: str) -> Schema:
    fields = []
    for entry in declared.split("; "):
        name, _, parts = entry.partition(": ")
        mode = "REPEATED" if name.endswith("[]") else "NULLABLE"
        nested = tuple(_field(part) for part in parts.split(", ") if part)
        fields.append(Field(name.strip("[]"), "RECORD", mode, fields=nested) if parts else _field(entry))
    return tuple(fields)


def _field(text: str) -> Field:
    name, kind = text.split()
    return Field(name, kind)


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


@pytest.mark.parametrize(
    ("listed", "declared", "message", "place"),
    [
        ("id,\n  TO_HEX(ix) AS a", "id INTEGER", "Unrecognized name: ix", (2, 10)),
        ("id,\n  ix", "id INTEGER", "Unrecognized name: ix", (2, 3)),
        (
            "id,\n  UPPER(made) + 1 AS a",
            "a STRING",
            "no type that a database could give `made` makes this right: ",
            (2, 3),
        ),
        ("id,\n  UPPER(made) ++ AS a", "a STRING", "Syntax error: Unexpected keyword AS", (2, 18)),
        ("id, TO_HEX(made) AS a FROM", "", "Syntax error: ", (1, 35)),
    ],
)
def test_what_no_types_make_right_is_told_at_once(
    engine: GoogleSql, listed: str, declared: str, message: str, place: tuple[int, int]
) -> None:
    asked = Asked(engine)
    found = asked.analysis(f"SELECT {listed} FROM CALL", declared)
    assert found.problem is not None
    assert found.problem.message.startswith(message)
    assert (found.problem.line, found.problem.column) == place
    for _ in range(2):
        asked.texts.clear()
        assert asked.analysis(f"SELECT {listed} FROM CALL", declared) == found
    assert len(asked.texts) == 1
