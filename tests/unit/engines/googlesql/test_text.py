"""Names split, positions kept."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql.text import (
    Edit,
    beyond_one_query,
    character,
    edited,
    spell,
    wildcards,
)
from etl_orchestrator.sql.tokens import position

KNOWN = {"a-b.c.d", "c.d"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("SELECT * FROM `a-b.c.d`", "SELECT * FROM `a-b`.`c`.`d`"),
        ("SELECT * FROM `c.d`", "SELECT * FROM `c`.`d`"),
        ("SELECT * FROM `a-b.c`.d", "SELECT * FROM `a-b`.`c`.d"),
        ("SELECT `x.f`(1)", "SELECT `x`.`f`(1)"),
        ("SELECT `x.y` FROM `c.d`", "SELECT `x.y` FROM `c`.`d`"),
        ("SELECT '`a-b.c.d`', \"`c.d`\" # `c.d`", "SELECT '`a-b.c.d`', \"`c.d`\" # `c.d`"),
        ("SELECT r'\\' -- `c.d`\n, '''\n`c.d`''', /* `c.d` */ `c.d`", "SELECT r'\\' -- `c.d`\n, '''\n`c.d`''', /* `c.d` */ `c`.`d`"),
        ("SELECT `a-b.c.d`.x FROM `a-b.c.d` WHERE 1", "SELECT `d`.x FROM `a-b`.`c`.`d` WHERE 1"),
        ("SELECT `a-b.c.d`.x FROM `a-b.c.d` AS d", "SELECT `a-b`.`c`.`d`.x FROM `a-b`.`c`.`d` AS d"),
        ("SELECT * FROM `a-b.c.d_*`", "SELECT * FROM `a-b`.`c`.`d_*`"),
    ],
)  # fmt: skip
def test_names_are_split_where_bigquery_splits_them(given: str, text: str) -> None:
    assert spell(given, KNOWN.__contains__).text == text


def test_the_whole_name_stands_for_a_table_with_a_column_of_its_name() -> None:
    spelled = spell("SELECT `a-b.c.d`.x FROM `a-b.c.d`", KNOWN.__contains__, KNOWN.__contains__)
    assert spelled.text == "SELECT `a-b c d`.x FROM `a-b`.`c`.`d` AS `a-b c d`"


def test_positions_lead_back_to_the_text_given() -> None:
    spelled = spell("SELECT é,\n\tx FROM `a-b.c.d` JOIN `c.d` WHERE y", KNOWN.__contains__)
    for word in ("é", "SELECT", "FROM", "JOIN", "WHERE"):
        line, column = position(spelled.text, spelled.text.index(word))
        if line == 2:
            column += 7  # the engine counts the tab as reaching column 9
        assert spelled.place_given(line, column) == position(spelled.given, spelled.given.index(word))


def test_a_position_inside_a_split_name_is_its_beginning() -> None:
    spelled = spell("SELECT * FROM `a-b.c.d`", KNOWN.__contains__)
    assert spelled.place_given(1, 20) == (1, 15)


def test_a_position_behind_the_end_is_the_end() -> None:
    assert spell("SELECT", KNOWN.__contains__).place_given(9, 9) == (1, 7)


def test_edits_are_made_from_behind_and_equal_ones_once() -> None:
    assert edited("abcdef", [Edit(0, 1, "XX"), Edit(4, 5, ""), Edit(0, 1, "XX")]) == "XXbcdf"


def test_bytes_are_counted_as_characters() -> None:
    assert character("é☃x", 5) == 2
    assert character("abc", 2) == 2


def test_wildcards_are_found_outside_strings() -> None:
    assert wildcards("SELECT '`x.*`' FROM `a.b_*`, `a.b_*`, `c.d`") == ["a.b_*"]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("-- CREATE\nSELECT 1;", ""),
        ("WITH a AS (SELECT 1) SELECT * FROM a ; -- end", ""),
        ("(SELECT 1)", ""),
        ("FROM a.b |> SELECT x", ""),
        ("/* x */ create TEMP FUNCTION f() AS (1); SELECT f()", "CREATE"),
        ("DECLARE x INT64", "DECLARE"),
        ("SELECT ';'; SELECT 2", "a second statement"),
        ("SELEC 1", ""),
        ("", ""),
    ],
)
def test_what_is_more_than_one_query(sql: str, what: str) -> None:
    assert beyond_one_query(sql) == what
