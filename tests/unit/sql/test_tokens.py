from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.tokens import offset_of, position, tokenize, words


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind.name, token.text) for token in tokenize(text)]


@pytest.mark.parametrize(
    "string",
    [
        "'it\\'s'",
        '"say \\"hello\\""',
        "r'\\d+'",
        "R'\\d+'",
        "b'bytes'",
        "rB'raw bytes'",
        "Br'raw bytes'",
        "'''two\nlines and a ' quote'''",
        '"""one " and "" quotes"""',
        '"""a line that goes on \\\nhere"""',
        "''",
        '""""quoted" text"""',
        "'{{ day['of week'] }} {% if x == 'y' %}z{% endif %}'",
        "'{{ no Jinja'",
        "'-- no comment'",
    ],
)
def test_a_string_is_one_token(string: str) -> None:
    assert kinds(f"SELECT {string}, 1") == [
        ("NAME", "SELECT"),
        ("STRING", string),
        ("COMMA", ","),
        ("NUMBER", "1"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a -- b  \nc", [("NAME", "a"), ("LINE_COMMENT", "-- b"), ("NAME", "c")]),
        ("a # b", [("NAME", "a"), ("LINE_COMMENT", "# b")]),
        ("a/* -- b\n */c", [("NAME", "a"), ("BLOCK_COMMENT", "/* -- b\n */"), ("NAME", "c")]),
        ("{# it's #}a", [("JINJA_COMMENT", "{# it's #}"), ("NAME", "a")]),
        ("{{ '}}' }}a", [("JINJA_EXPRESSION", "{{ '}}' }}"), ("NAME", "a")]),
        ("{%- if a -%}b", [("JINJA_STATEMENT", "{%- if a -%}"), ("NAME", "b")]),
        ("`a-b.c`.d", [("QUOTED_NAME", "`a-b.c`"), ("DOT", "."), ("NAME", "d")]),
        ("`t_{{ day }}`", [("QUOTED_NAME", "`t_{{ day }}`")]),
        ("@day @@error", [("PARAMETER", "@day"), ("SYSTEM_VARIABLE", "@@error")]),
        ("0xFF 1.5e-3 2.", [("NUMBER", "0xFF"), ("NUMBER", "1.5e-3"), ("NUMBER", "2.")]),
        ("a.1", [("NAME", "a"), ("DOT", "."), ("NUMBER", "1")]),
        ("a>>b", [("NAME", "a"), ("OPERATOR", ">>"), ("NAME", "b")]),
        ("a||b", [("NAME", "a"), ("OPERATOR", "||"), ("NAME", "b")]),
        ("a!=b", [("NAME", "a"), ("OPERATOR", "!="), ("NAME", "b")]),
        ("|> WHERE", [("PIPE", "|>"), ("NAME", "WHERE")]),
        ("f(x)[0];", [("NAME", "f"), ("OPEN", "("), ("NAME", "x"), ("CLOSE", ")"), ("OPEN", "["), ("NUMBER", "0")]),
        ("? $", [("OTHER", "?"), ("OTHER", "$")]),
        ("café", [("NAME", "caf"), ("OTHER", "é")]),
    ],
)
def test_what_each_token_is(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text)[: len(expected)] == expected


def test_brackets_of_types_are_told_from_operators() -> None:
    text = "STRUCT<a ARRAY<INT64>>(1 < 2, 3 >> 4)"
    marks = [(token.kind.name, token.text) for token in tokenize(text) if token.text[0] in "<>"]
    assert marks == [
        ("OPEN", "<"),
        ("OPEN", "<"),
        ("CLOSE", ">"),
        ("CLOSE", ">"),
        ("OPERATOR", "<"),
        ("OPERATOR", ">>"),
    ]


@pytest.mark.parametrize(
    ("text", "kind"), [("t.array < 1", "OPERATOR"), ("RANGE<DATE>", "OPEN"), ("ARRAY /* of */ <INT64>", "OPEN")]
)
def test_a_column_called_array_is_compared(text: str, kind: str) -> None:
    assert [token.kind.name for token in tokenize(text) if token.text == "<"] == [kind]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("shop-live.orders.lines", "shop-live"),
        ("shop-live-2x.orders", "shop-live-2x"),
        ("gross-net", "gross"),
        ("a-b.c", "a"),
        ("gross--net.x", "gross"),
        ("END-gross.total", "END"),
    ],
)
def test_a_project_with_dashes_is_one_name(text: str, first: str) -> None:
    assert tokenize(text)[0].text == first


@pytest.mark.parametrize(
    ("text", "place", "mark"),
    [
        ("SELECT\n  'open", "2:3", "'"),
        ("SELECT 'over\nthe line'", "1:8", "'"),
        ('\n\nr"""open"', "3:2", '"""'),
        ("a /* b", "1:3", "/*"),
        ("a\n{{ b", "2:1", "{{"),
        ("{% if 'a %}", "1:1", "{%"),
        ("{# a", "1:1", "{#"),
        ("a.`b", "1:3", "`"),
    ],
)
def test_what_is_never_closed_is_told_with_its_place(text: str, place: str, mark: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        tokenize(text, "sql/query.sql")
    assert raised.value.at == f"sql/query.sql:{place}"
    assert f"the {mark} here" in raised.value.message
    with pytest.raises(InvalidInput) as raised:
        tokenize(text)
    line, column = place.split(":")
    assert raised.value.at == f"line {line}, column {column}"


def test_position_counts_from_one() -> None:
    assert [position("ab\nc", offset) for offset in range(4)] == [(1, 1), (1, 2), (1, 3), (2, 1)]


def test_an_offset_is_found_again_and_one_behind_the_text_is_its_end() -> None:
    assert [offset_of("ab\nc", *position("ab\nc", offset)) for offset in range(4)] == [0, 1, 2, 3]
    assert offset_of("ab\nc", 2, 9) == offset_of("ab\nc", 7, 1) == 4


@given(st.text(alphabet="aA1 .\n\t-'\"`(){}%#/*;<>|=\\é", max_size=40))
def test_every_character_is_in_one_token_or_white(text: str) -> None:
    try:
        tokens = tokenize(text)
    except InvalidInput:
        return
    end = 0
    for token in tokens:
        assert text[end : token.start].strip() == ""
        assert text[token.start : token.end] == token.text != ""
        end = token.end
    assert text[end:].strip() == ""


def test_words_are_the_tokens_without_comments() -> None:
    text = "SELECT -- a column\n  1, # and\n /* another */ 'x -- y' {# no more #}"
    assert [word.text for word in words(text)] == ["SELECT", "1", ",", "'x -- y'"]
    assert words(text) is words(text)  # read once
