"""Whatever stands in a text: formatting changes no token, and a second formatting changes nothing."""

from __future__ import annotations

from pathlib import Path

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


#: SQL as people write it, to be mutated: our examples, and one of each kind of text that they lack.
SHAPES = [
    *(path.read_text() for path in sorted((Path(__file__).parents[3] / "examples").rglob("*.sql"))),
    """\
DECLARE day DATE DEFAULT CURRENT_DATE(); -- today
CREATE TEMP FUNCTION twice(x INT64) AS (x * 2);
FOR row IN (SELECT id FROM shop.orders WHERE placed = day) DO
  IF row.id > 3 THEN
    INSERT INTO shop.late (id) VALUES (row.id);
  ELSEIF row.id IS NULL THEN CALL shop.complain(row.id); ELSE SET day = day - 1; END IF;
END FOR;
MERGE shop.t USING shop.s ON t.id = s.id
WHEN MATCHED AND t.x < s.x THEN UPDATE SET x = s.x WHEN NOT MATCHED BY SOURCE THEN DELETE;
""",
    """\
/* Words of a text. */
CREATE OR REPLACE FUNCTION tools.words(text STRING, least INT64) RETURNS ARRAY<STRUCT<w STRING, n INT64>>
LANGUAGE js OPTIONS (library = ['gs://x/y.js']) AS r\'\'\'
  return text.split(" ").filter(w => w.length >= least);
\'\'\';
#fail
SELECT tools.words('a b', 1)[OFFSET(0)].w = "a"
""",
    """\
FROM shop.orders |> JOIN shop.lines USING (id) |> EXTEND price * 2 AS double_price
|> AGGREGATE SUM(price) AS total, COUNT(*) GROUP BY country |> WHERE total > 10 |> ORDER BY total DESC |> LIMIT 3
""",
    """\
{% from "macros.sql" import part %}
{% set days = ['a', "b"] %}
WITH base AS (SELECT * EXCEPT (x) REPLACE (1 AS y) FROM `shop.t_*` WHERE _TABLE_SUFFIX > '{{ days[0] }}')
SELECT {% for d in days %} COUNTIF(day = '{{ d }}') AS n_{{ d }}, {% endfor %} -- one for each
  CASE WHEN a THEN b ELSE (SELECT AS STRUCT 1, ARRAY_AGG(z ORDER BY z LIMIT 1)[SAFE_OFFSET(0)] AS z) END c
-- format: off
FROM   base   , UNNEST( list )  AS  l  WITH OFFSET
-- format: on
WHERE {% if is_init() %} TRUE {% else %} day = @submission_date {% endif %}
QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) = 1
""",
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A text of `SHAPES` with some tokens dropped, doubled, exchanged or in other letters, and other gaps."""
    text = draw(st.sampled_from(SHAPES))
    tokens = tokenize(text)
    places = [0, *(token.end for token in tokens)]
    parts = [(text[end : token.start], token.text) for end, token in zip(places, tokens, strict=False)]
    for _ in range(draw(st.integers(0, 6))):
        at, other = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
        gap, word = parts[at]
        change = draw(st.sampled_from(["drop", "double", "exchange", "case", "gap"]))
        if change == "drop" and len(parts) > 1:
            del parts[at]
        elif change == "double":
            parts.insert(at, (gap, word))
        elif change == "exchange":
            parts[at], parts[other] = (gap, parts[other][1]), (parts[other][0], word)
        elif change == "case":
            parts[at] = gap, word.swapcase()
        else:
            parts[at] = draw(GAPS), word
    return "".join(gap + word for gap, word in parts)


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


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_tokens_of_what_people_write_stay(text: str) -> None:
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
