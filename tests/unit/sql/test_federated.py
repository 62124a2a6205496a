from __future__ import annotations

from collections.abc import Mapping

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import Unavailable
from etl_orchestrator.sql.federated import analysis_of
from etl_orchestrator.sql.resolution import is_federated
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis

CITIES = {TableRef("acme-data", "shop", "cities"): (Field("city", "STRING"), Field("n", "INTEGER"))}
CALL = "EXTERNAL_QUERY('acme-data.us.app', 'SELECT id, city, made, rides FROM riders')"
GIVES = "provided that the database behind `acme-data.us.app` gives "


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def analyzed(engine: GoogleSql, sql: str, declared: str = "") -> Analysis:
    def ask(text: str, more: Mapping[TableRef, Schema]) -> Analysis:
        return engine.analyze(text, {**CITIES, **more}, {})

    fields = [(*entry.split(), "NULLABLE")[:3] for entry in declared.split(", ") if entry]
    return analysis_of(sql.replace("CALL", CALL), tuple(Field(name, kind, mode) for name, kind, mode in fields), ask)


def told(found: Analysis) -> tuple[list[str], str]:
    assert found.problem is None
    (note,) = found.notes
    return [f"{field.name} {field.type}" for field in found.columns], note.removeprefix(GIVES)


def test_a_column_that_is_handed_on_is_what_is_declared(engine: GoogleSql) -> None:
    found = analyzed(engine, "SELECT city, rides, made FROM CALL", "city STRING, rides NUMERIC, made TIMESTAMP")
    assert told(found) == (
        ["city STRING", "rides NUMERIC", "made TIMESTAMP"],
        "`id`, `city` as STRING, `made` as TIMESTAMP, `rides` as NUMERIC",
    )
    assert found.tables == ()
    assert [str(table) for table, _ in found.lineage["city"].sources] == ["external-query.acme_data_us_app.query_1"]


def test_of_a_column_that_is_computed_on_the_types_are_told_that_fit(engine: GoogleSql) -> None:
    sql = "SELECT TO_HEX(id) AS id, SAFE.TIMESTAMP_MILLIS(SAFE_CAST(made AS INT64)) AS made, CAST(rides AS BOOL) AS r FROM CALL"
    expected = (
        "`id` as BYTES, `city`, `made` as INTEGER, STRING, NUMERIC, BOOLEAN, FLOAT or BIGNUMERIC,"
        " `rides` as INTEGER, STRING or BOOLEAN"
    )
    columns, condition = told(analyzed(engine, sql, "id STRING, made TIMESTAMP, r BOOLEAN"))
    assert (columns, condition) == (["id STRING", "made TIMESTAMP", "r BOOLEAN"], expected)
    assert told(analyzed(engine, sql)) == (columns, expected)  # the output is the same with all of them


def test_a_cast_to_the_type_that_is_declared_hands_nothing_on(engine: GoogleSql) -> None:
    found = analyzed(engine, "SELECT SAFE_CAST(made AS BOOL) AS made, rides FROM CALL", "made BOOLEAN, rides BOOLEAN")
    assert told(found)[1] == "`id`, `city`, `made` as INTEGER, STRING or BOOLEAN, `rides` as BOOLEAN"


def test_what_is_declared_decides_between_types(engine: GoogleSql) -> None:
    sql = "SELECT rides + 1 AS rides, IFNULL(made, made) AS made FROM CALL"
    columns, condition = told(analyzed(engine, sql, "rides NUMERIC, made DATE"))
    assert (columns, condition) == (["rides NUMERIC", "made DATE"], "`id`, `city`, `made` as DATE, `rides` as NUMERIC")


def test_with_tables_beside_and_names_of_other_case(engine: GoogleSql) -> None:
    sql = "SELECT City, n, TO_HEX(ID) AS Hex FROM CALL JOIN `acme-data.shop.cities` USING (city)"
    found = analyzed(engine, sql, "city STRING, n INTEGER, hex STRING")
    assert found.tables == tuple(CITIES)
    assert told(found)[1] == "`id` as BYTES, `city` as STRING, `made`, `rides`"


@pytest.mark.parametrize(
    ("sql", "declared", "columns", "condition"),
    [
        ("id, CURRENT_DATE() AS d FROM CALL AS x", "id INTEGER, d STRING", "id INTEGER, d DATE", "`id` as INTEGER"),
        ("id, 1 AS d FROM CALL WHERE id > 1", "id INTEGER, d STRING", "id INTEGER, d INTEGER", "`id` as INTEGER"),
        ("1 AS d, id + 1 AS n FROM CALL AS x", "d DATE, n INTEGER", "d INTEGER, n INTEGER", "`id` as INTEGER"),
        # other types of the same column are refused or make wrong what was right
        ("id, TO_HEX(id) AS d FROM CALL AS x", "id BYTES, d DATE", "id BYTES, d STRING", "`id` as BYTES"),
        ("id, SAFE_CAST(id AS DATE) AS d FROM CALL x", "id STRING, d TIME", "id STRING, d DATE", "`id` as STRING"),
        # two that are to change together
        ("IF(TRUE, id, city) AS d FROM CALL AS x", "d BYTES", "d BYTES", "`id` as BYTES, `city` as BYTES"),
        ("id AS d FROM CALL WHERE id = city", "d BYTES", "d BYTES", "`id` as BYTES, `city` as BYTES"),
    ],
)
def test_an_output_that_no_type_changes_leaves_the_types_of_others_alone(
    engine: GoogleSql, sql: str, declared: str, columns: str, condition: str
) -> None:
    given, note = told(analyzed(engine, f"SELECT {sql}", declared))
    assert ", ".join(given) == columns
    assert note.startswith(condition)


def test_a_type_that_is_refused_names_the_output_which_it_gives(engine: GoogleSql) -> None:
    found = analyzed(engine, "SELECT id, id + 1 AS n FROM CALL AS x", "id INTEGER, n STRING")
    assert found.problem is not None
    assert "`id` makes this right: `n` is STRING in schema.yaml and INTEGER" in found.problem.message


def test_a_repeated_column_is_believed(engine: GoogleSql) -> None:
    assert told(analyzed(engine, "SELECT id FROM CALL", "id STRING REPEATED"))[1].startswith(
        "`id` as REPEATED STRING, "
    )


@pytest.mark.parametrize(
    ("sql", "declared", "why"),
    [
        ("SELECT city FROM CALL", "", "no schema.yaml declares `city`, which is made of `city`"),
        ("SELECT * FROM CALL", "id INTEGER", "no schema.yaml declares `city`"),
        ("SELECT CONCAT(id, id) AS a FROM CALL WHERE id = city", "", "no schema.yaml declares `a`"),
        ("SELECT id + city AS a FROM CALL", "a DATE", "no types of its columns were found"),
    ],
)
def test_where_types_would_give_other_columns_the_connection_is_unknown(
    engine: GoogleSql, sql: str, declared: str, why: str
) -> None:
    with pytest.raises(Unavailable, match=f"`acme-data.us.app`.*{why}") as raised:
        analyzed(engine, sql, declared)
    assert "schema.yaml" in str(raised.value.fix)


@pytest.mark.parametrize(
    ("sql", "declared", "why"),
    [
        ("SELECT TO_HEX(id) AS a, id + 1 AS b FROM CALL", "", "no type that a database could give `id`"),
        ("SELECT TO_HEX(id) AS a FROM CALL", "a DATE", ""),
        ("SELECT id + 1 AS a FROM CALL", "a STRING", "`id` makes this right: `a` is STRING in schema.yaml"),
        ("SELECT city FROM CALL", "city RECORD", "`city` is RECORD in schema.yaml"),
        ("SELECT name FROM CALL", "name STRING", "Unrecognized name: name"),
        ("SELECT id,\n  m FROM CALL,\n`acme-data.shop.cities`", "id STRING", "Unrecognized name: m"),
    ],
)
def test_what_no_database_could_make_right_is_refused(engine: GoogleSql, sql: str, declared: str, why: str) -> None:
    found = analyzed(engine, sql, declared)
    if not why:  # an output of one type, whatever the database gives, is as in every other query
        assert told(found)[0] == ["a STRING"]
        return
    assert found.problem is not None
    assert why in found.problem.message
    assert found.problem.line == (2 if "\n" in sql else 1 if "schema.yaml" not in why else 0)


def test_a_text_without_the_call_is_asked_as_it_is(engine: GoogleSql) -> None:
    assert analyzed(engine, "SELECT 'EXTERNAL_QUERY(' AS a").notes == ()
    assert is_federated("select external_query")
    assert not is_federated("SELECT 1")
