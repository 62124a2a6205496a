from __future__ import annotations

import pytest

from etl_orchestrator.sql.parameters import used_parameters


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT @a, @b_1 FROM t WHERE x = @a", {"a", "b_1"}),
        ("SELECT 1", set()),
        ("SELECT '@no', \"@no\", `@no`, '''it's @no''' -- @no\n, @yes # @no\n /* @no */", {"yes"}),
        ("SELECT @@project_id, 'it\\'s @no', @yes", {"yes"}),
        ("{% if is_init() %} SELECT @a {% else %} SELECT @b {% endif %}", {"a", "b"}),
    ],
)
def test_parameters_of_a_text(sql: str, names: set[str]) -> None:
    assert used_parameters(sql) == names


def test_an_unclosed_quote_takes_no_time() -> None:
    assert used_parameters("SELECT '''" + "\\" * 5000 + "@a") <= {"a"}
