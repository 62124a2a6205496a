from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.dialects import MySQL, Postgres
from sqlglot.errors import SqlglotError

from etl_orchestrator.sql.plain_select import plain_columns, select_of
from etl_orchestrator.sql.tokens import words

_DIALECTS = (MySQL, Postgres)


def as_parsed(statement: str) -> set[tuple[str, ...]]:
    """The names that a grammar sees, in each database for which there are names."""
    found = set()
    for dialect in _DIALECTS:
        try:
            tree = sqlglot.parse_one(statement, dialect=dialect)
        except SqlglotError:
            continue
        if isinstance(tree, exp.Query) and all(isinstance(one, (exp.Column, exp.Alias)) for one in tree.selects):
            found.add(tuple(one.alias_or_name for one in tree.selects))
    return found


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("SELECT id, city FROM riders", ("id", "city")),
        ("select r.id, `interval`, x AS day\nFROM app.riders;", ("id", "interval", "day")),
        ("SELECT `r`.`id` AS `Key` FROM `app`.`riders`", ("Key",)),
    ],
)
def test_a_list_of_names_is_read(statement: str, columns: tuple[str, ...]) -> None:
    assert plain_columns(statement) == columns
    assert as_parsed(statement) == {columns}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM riders",
        "SELECT id city FROM riders",
        "SELECT id, FROM riders",
        "SELECT DISTINCT id FROM riders",
        "SELECT COUNT(id) AS n FROM riders",
        "SELECT id -- key\nFROM riders",
        "SELECT id FROM riders r",
        "SELECT id FROM riders WHERE id > 1",
        "SELECT id FROM (SELECT id FROM riders)",
        "SELECT id FROM riders UNION SELECT id FROM cities",
        "SELECT current_date FROM riders",
        "SELECT `a b` FROM riders",
        'SELECT "id" FROM riders',
        "SELECT 1 AS a FROM riders",
        "SELECT id",
        "SELECT id FROM",
        "SELECT 'id FROM riders",
        "",
    ],
)
def test_everything_else_is_left_to_a_grammar(statement: str) -> None:
    assert plain_columns(statement) is None


def test_no_word_is_taken_for_a_name_that_either_database_reads_otherwise() -> None:
    known = {word for dialect in _DIALECTS for key in dialect.tokenizer_class.KEYWORDS for word in key.split()}
    functions = {key.name for dialect in _DIALECTS for key in dialect.parser_class.NO_PAREN_FUNCTIONS}
    names = sorted({word.lower() for word in known | functions if word.isidentifier()})
    assert len(names) > 300
    for name in names:
        for statement in (f"SELECT a, {name}, b FROM t", f"SELECT a, {name} AS b FROM t", f"SELECT a FROM s.{name}"):
            found = plain_columns(statement)
            assert found is None or as_parsed(statement) == {found}, statement


def test_the_items_of_a_list_are_told_apart_by_brackets() -> None:
    select = select_of(words("SELECT IF(a, b, [c, d]) AS x, -- first\n e, FROM f WHERE g;"))
    assert select is not None
    assert [" ".join(token.text for token in item) for item in select.items] == [
        "IF ( a , b , [ c , d ] ) AS x",
        "e",
        "",
    ]
    assert [token.text for token in select.source] == ["f", "WHERE", "g"]


@pytest.mark.parametrize(
    "sql", ["", "WITH a AS (SELECT 1) SELECT * FROM a", "SELECT (SELECT 1 FROM a) FROM b", "SELECT 1"]
)
def test_what_is_no_plain_list_is_none(sql: str) -> None:
    assert select_of(words(sql)) is None
