from __future__ import annotations

from etl_orchestrator.gates.query._reading import Reading, line_of
from etl_orchestrator.sql.templates import Template

QUERY = """\
{% from 'macros.sql' import both %}
SELECT
  day
FROM
  {% for part in ['old', 'new'] %}
    {% if not loop.first %}
      UNION ALL SELECT day FROM
    {% endif %}
    `acme-data.shop.{{ part }}_v1`
  {% endfor %}
WHERE
  {{ both('@day') }}
"""
MACRO = """\
{% macro both(value) %}
  day = {{ value }}
  AND day > @first
{% endmacro %}
"""
MACROS = {"macros.sql": MACRO}


def test_a_line_of_the_rendering_is_told_where_it_was_written() -> None:
    template = Template(QUERY, MACROS.get, "q/query.sql")
    text = template.render()
    read = Reading("q/query.sql", QUERY, (text,), (template,))
    places = {word: read.at(line_of(text, word)) for word in ("SELECT", "old_v1", "UNION", "new_v1", "WHERE", "@first")}
    assert places == {
        "SELECT": "q/query.sql:2",
        "old_v1": "q/query.sql:9",
        "UNION": "q/query.sql:7",
        "new_v1": "q/query.sql:9",
        "WHERE": "q/query.sql:11",
        "@first": "macros.sql:3",
    }


def test_a_query_without_a_template_stands_where_it_stands() -> None:
    text = "SELECT\n  day\nFROM\n  `acme-data.shop.old_v1`\n"
    read = Reading("q/query.sql", text, (text,), (Template(text, MACROS.get, "q/query.sql"),))
    assert [read.at(line) for line in (1, 4)] == ["q/query.sql:1", "q/query.sql:4"]
    assert line_of(text, "acme-data.shop.other") == 1
