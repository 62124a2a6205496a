from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.sql.templates import has_template, render

FIRST_RUN = "SELECT 1\n{% if is_init() %}\nWHERE first\n{% else %}\nWHERE later\n{% endif %}\n"


def nothing(name: str) -> str | None:
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", False),
        ("{{ a }}", True),
        ("{% set a = 1 %}", True),
        ("-- {# a #}", True),
        ("STRUCT<a INT64>", False),
    ],
)
def test_has_template(text: str, expected: bool) -> None:
    assert has_template(text) is expected


def test_is_init_tells_the_first_run() -> None:
    assert render(FIRST_RUN, nothing, is_init=True) == "SELECT 1\n\nWHERE first\n"
    assert render(FIRST_RUN, nothing) == "SELECT 1\n\nWHERE later\n"


def test_a_text_without_jinja_is_returned_without_importing_it() -> None:
    program = (
        "import sys; from etl_orchestrator.sql.templates import render;"
        "assert render('SELECT 1\\n', lambda name: None) == 'SELECT 1\\n'; assert 'jinja2' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_branches_on_the_first_run_are_chosen_without_importing_it() -> None:
    program = (
        "import sys; from etl_orchestrator.sql.templates import render;"
        f"assert render({FIRST_RUN!r}, lambda name: None).endswith('later\\n'); assert 'jinja2' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


_PIECES = [
    "{% if is_init() %}", "{%if  not is_init()\n%}", "{% else %}", "{% endif %}", "{%- endif %}", "{% raw %}", "a", "\n", "\r\n",
    "{", "}", "%}", "{{", "{#", "-", "{% if is_init() or 1 %}",
]  # fmt: skip


@given(st.lists(st.sampled_from([*_PIECES[:4] * 4, *_PIECES]), max_size=9).map("".join), st.booleans())
@example("{{% if is_init() %}a{% endif %}", True)
@example("{% if is_init() %}{% if not is_init() %}a{% else %}b{% endif %}{% else %}c{% endif %}\n\n", True)
def test_it_is_what_jinja_makes_of_them(text: str, is_init: bool) -> None:
    def rendered(whole: str) -> str | None:
        try:
            return render(whole, nothing, is_init=is_init)
        except InvalidInput:
            return None

    branch = "{% if is_init() %}{% endif %}"
    assert rendered(branch + text) == rendered(branch + "{##}" + text)  # a comment is left to Jinja


def test_includes_and_macros_are_read_by_their_names() -> None:
    files = {
        "parts/days.sql": "{% macro between(first, last) %}day BETWEEN {{ first }} AND {{ last }}{% endmacro %}",
        "filter.sql": "country = 'NZ'",
    }
    text = "{% from 'parts/days.sql' import between %}SELECT {{ between(1, 2) }} AND {% include 'filter.sql' %}"
    assert render(text, files.get) == "SELECT day BETWEEN 1 AND 2 AND country = 'NZ'"


def test_a_variable_nobody_set_is_empty() -> None:
    assert render("SELECT '{{ unset }}'", nothing) == "SELECT ''"


@pytest.mark.parametrize(
    "asked", ["metrics.calculate(['uri_count'], platform='desktop')", "metrics.data_source('main')"]
)
def test_metric_hub_is_named_as_unavailable(asked: str) -> None:
    with pytest.raises(Unavailable) as raised:
        render("SELECT\n  {{ " + asked + " }}", nothing, at="query.sql")
    assert asked.partition("(")[0] in raised.value.message
    assert "metric-hub" in raised.value.message
    assert raised.value.at == "query.sql:2"


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("a\n{% if %}", "query.sql:2", "Expected an expression"),
        ("a\n\n{{ 1 / 0 }}", "query.sql:3", "division by zero"),
        ("{{ missing.field.inner }}", "query.sql:1", "undefined"),
        ("{{ 1 + 'a' }}", "query.sql:1", "unsupported operand"),
        ("a\n{% include 'gone.sql' %}", "query.sql:2", "gone.sql, which is not there"),
        ("{% include '../secret.sql' %}", "query.sql:1", "../secret.sql, which is not there"),
        ("{% include '/secret.sql' %}", "query.sql:1", "/secret.sql, which is not there"),
        ("a\n{% include 'broken.sql' %}", "broken.sql:2", "unknown tag"),
        ("{% include 'faulty.sql' %}", "faulty.sql:3", "undefined"),
        ("{% include 'itself.sql' %}", "itself.sql:1", "recursion"),
        ("a\n{{ ''.__class__.__mro__ }}", "query.sql:2", "unsafe"),
        ("{{ 'a' * 100000000000 }}", "query.sql:1", "repetition"),
        ("{{ 100000000000 * [1] }}", "query.sql:1", "repetition"),
        ("{{ 9 ** 99 ** 99 ** 99 }}", "query.sql:1", "power"),
        ("{{ range(1000000000) | list }}", "query.sql:1", "range"),
    ],
)
def test_what_cannot_be_rendered_is_told_with_its_line(text: str, place: str, told: str) -> None:
    files = {
        "broken.sql": "b\n{% nothing_known %}",
        "faulty.sql": "b\n\n{{ a.b.c }}",
        "itself.sql": "{% include 'itself.sql' %}",
        "../secret.sql": "secret",
        "/secret.sql": "secret",
    }
    with pytest.raises(InvalidInput) as raised:
        render(text, files.get, at="query.sql")
    assert told in raised.value.message
    assert raised.value.at == place


def test_arithmetic_still_works() -> None:
    assert render("{{ 6 * 7 }} {{ 2 ** 10 }} {{ 'ab' * 2 }}", nothing) == "42 1024 abab"


def test_without_a_path_the_line_is_told() -> None:
    with pytest.raises(InvalidInput) as raised:
        render("a\n{{ b", nothing)
    assert raised.value.at == "line 2"
