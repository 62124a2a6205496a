"""Whatever stands in a text: formatting changes no token, and a second formatting changes nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.formatter import format_sql
from etl_orchestrator.sql.tokens import COMMENTS, Kind, Token, tokenize

_WORDS = """
    select from where with as and or not in between case when then else end if begin loop do repeat while exception
    error array struct range union all distinct except replace having max min left outer join on using over partition by
    order rows window interval date timestamp json bytes bool string int64 sum safe net host current_date create temp
    table function procedure view exists drop insert into merge matched update set values declare for system_time of
    offset unpivot include nulls language returns aggregate extend is null true like any _partitiontime x y my_column
"""
WORDS = _WORDS.split()
MARKS = ["(", ")", "[", "]", "<", ">", "<=", ">>", "=>", "|>", "||", ",", ";", ".", "*", "-", "+", "=", "~", "/"]
ATOMS = [
    *(
        "1",
        "2.5",
        "0xFF",
        "'s'",
        '"t"',
        "r'x'",
        "R'x'",
        "'''a\nb'''",
        "'{{ x['y'] }}'",
        "`q`",
        "@p",
        "a.b.c",
        "a-bc.d.e",
    ),
    *("-- c\n", "\n  -- own line\n", "/* d */", "/* e\n e */", "#fail\n", "\n#warn\n", "{# f #}", "\n\n{# g #}"),
    *(
        "-- format: off\n",
        "-- format: on\n",
        "/* format off */",
        "{{ h }}",
        "{% set i = 1 %}",
        "{% if j %}",
        "{% endif %}",
    ),
    *("{%- else -%}", "{% for k in l %}", "{% endfor %}"),
]
NOT_SQL = ["@@system", "?", "$", ":", "!", "{", "}", "é"]
GAPS = st.sampled_from(["", " ", "\n", "\n\n", "  \n\t ", "\r\n"])


def soup(parts: list[str]) -> st.SearchStrategy[str]:
    pieces = st.tuples(st.sampled_from(parts), GAPS).map("".join)
    return st.lists(pieces, max_size=25).map("".join)


def stream(text: str) -> list[tuple[Kind, str]]:
    return [(token.kind, written(token)) for token in tokenize(text)]


def written(token: Token) -> str:
    """A token as it counts: words in capitals, of a string the letters before it (`R'x'` is `r'x'`)."""
    if token.kind is Kind.STRING:
        quoted = token.text.lstrip("rRbB")
        return token.text.removesuffix(quoted).lower() + quoted
    return token.text.upper() if token.kind not in COMMENTS else token.text


@settings(max_examples=400, deadline=None)
@given(soup([*WORDS, *MARKS, *ATOMS]))
def test_tokens_stay_and_a_second_time_changes_nothing(text: str) -> None:
    try:
        formatted = format_sql(text)
    except InvalidInput:
        return
    assert stream(formatted) == stream(text)
    assert format_sql(formatted) == formatted


@settings(max_examples=200, deadline=None)
@given(soup([*WORDS, *MARKS, *ATOMS, *NOT_SQL]))
def test_what_is_not_sql_comes_to_rest(text: str) -> None:
    try:
        formatted = format_sql(text)
    except InvalidInput:
        return
    assert stream(formatted) == stream(text)
    assert format_sql(formatted) == formatted


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_formatted_or_refused(text: str) -> None:
    try:
        formatted = format_sql(text, "a.sql")
    except InvalidInput as error:
        place, formatted = error.at or "", text
    else:
        place = "a.sql:1"
    assert place.startswith("a.sql:")
    assert "".join(formatted.split()).upper() == "".join(text.split()).upper()
