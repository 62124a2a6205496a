from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.template_places import place_of
from etl_orchestrator.sql.templates import Template

FILES = {
    "sums.sql": "{% macro total(x) %}\n  SUM({{ x }}) AS total_{{ x }},\n  WRONG_{{ x }}\n{% endmacro %}\n",
    "part.sql": "-- part\n  MISTAKE\n",
}


def places(text: str, word: str, is_init: bool = False) -> list[str]:
    """Where each occurrence of a word in the rendering comes from."""
    template = Template(text, FILES.get, "query.sql", is_init)
    rendered = template.render()
    return [
        str(place_of(template, rendered, number, line.index(word) + 1))
        for number, line in enumerate(rendered.split("\n"), start=1)
        if word in line
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT\n  HERE\n", ["query.sql:2:3"]),
        ("{% set x = 1 %}\nSELECT {{ x }},\n  HERE\n", ["query.sql:3:3"]),
        ("{% for x in [1, 2] -%}\n  {{ x }} AS HERE,\n{% endfor %}", ["query.sql:2:14", "query.sql:2:14"]),
        ("{%- if true -%}\n\n\n  HERE {%- endif %}", ["query.sql:4:3"]),
        ("{# a\n b #}é {{- 'x' -}}   HERE", ["query.sql:2:22"]),
        ("{% raw %}{{ HERE }}{% endraw %}", ["query.sql:1:13"]),
        ("{{ 'HERE and more' }}\n", ["query.sql:1:1"]),
        ("a {{ 1 }}\r\nHERE\r\n", ["query.sql:2:1"]),
        ("{% filter upper %}\n  here\n{% endfilter %}", ["query.sql:2:3"]),
        ("{% set text %}\n HERE{% endset %}{{ text | trim }}", ["query.sql:2:2"]),
    ],
)
def test_a_place_in_the_rendering_is_one_in_the_template(text: str, expected: list[str]) -> None:
    assert places(text, "HERE") == expected


def test_a_mistake_in_a_macro_or_an_included_file_is_told_there() -> None:
    text = "{% from 'sums.sql' import total %}\nSELECT\n{% for x in ['a', 'b'] %}{{ total(x) }}{% endfor %}\n{% include 'part.sql' %}"
    assert places(text, "WRONG") == ["sums.sql:3:3", "sums.sql:3:3"]
    assert places(text, "MISTAKE") == ["part.sql:2:3"]


def test_both_renderings_have_their_places() -> None:
    text = "{% if is_init() %}\nHERE 1\n{% else %}\nHERE 2\n{% endif %}"
    assert places(text, "HERE", is_init=True) == ["query.sql:2:1"]
    assert places(text, "HERE", is_init=False) == ["query.sql:4:1"]


def test_a_template_that_measures_its_own_text_gets_the_line() -> None:
    text = "{% set text %}abc{% endset %}\n{{ text | length }}\nHERE"
    assert places(text, "HERE") == ["query.sql:3:1"]


def test_a_text_that_is_no_template_and_an_unknown_line() -> None:
    template = Template("{{ x }}", FILES.get, "udf.sql", raw=True)
    assert template.render() == "{{ x }}"
    assert str(place_of(template, "{{ x }}", 1, 4)) == "udf.sql:1:4"
    assert str(place_of(template, "{{ x }}", 0, 0)) == "udf.sql:1:1"


def test_a_prelude_stands_before_and_keeps_its_own_places() -> None:
    prelude = (("checks/one.jinja", "{% macro one(x) %}\nBAD {{ x }}\n{% endmacro %}"),)
    template = Template("\n{{ one(table_name) }}\nGOOD", FILES.get, "checks.sql", False, prelude, {"table_name": "t"})
    rendered = template.render()
    lines = rendered.split("\n")
    assert str(place_of(template, rendered, lines.index("BAD t") + 1, 1)) == "checks/one.jinja:2:1"
    assert str(place_of(template, rendered, lines.index("GOOD") + 1, 1)) == "checks.sql:3:1"
    broken = Template("a\n{% if %}", FILES.get, "checks.sql", False, prelude)
    with pytest.raises(InvalidInput) as raised:
        broken.render()
    assert raised.value.at == "checks.sql:2"


def test_what_a_macro_is_given_is_told_where_it_is_called_and_the_macro_second() -> None:
    text = "{% from 'sums.sql' import total %}\nSELECT\n  {{ total('AMOUNT') }}\n  {{ 1 }}\n"
    template = Template(text, FILES.get, "query.sql")
    rendered = template.render()
    line = next(number for number, line in enumerate(rendered.split("\n"), 1) if "SUM(AMOUNT)" in line)
    place = place_of(template, rendered, line, 7)
    assert (str(place), str(place.macro)) == ("query.sql:3:3", "sums.sql:2:7")
    prelude = (
        ("checks/one.jinja", "{% macro one(names) %}{% for name in names %}\nBAD {{ name }}{% endfor %}{% endmacro %}"),
    )
    checks = Template("{{ one([]) }}\n{{ one(['a', 'b']) }}", FILES.get, "checks.sql", False, prelude)
    rendered = checks.render()
    lines = rendered.split("\n")
    place = place_of(checks, rendered, lines.index("BAD b") + 1, 5)
    assert (str(place), str(place.macro)) == ("checks.sql:2:1", "checks/one.jinja:2:5")
    assert str(place_of(checks, rendered, lines.index("BAD b") + 1, 1)) == "checks/one.jinja:2:1"
