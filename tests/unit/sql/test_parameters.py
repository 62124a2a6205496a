from __future__ import annotations

import pytest

from etl_orchestrator.sql.parameters import from_scripts, typed, used_parameters


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


def test_a_first_run_may_be_done_a_sample_at_a_time() -> None:
    metadata = "scheduling:\n  parameters:\n  - sample_id:STRING:1\n"
    assert typed(None, "metadata.yaml") == {"submission_date": "DATE"}
    first = typed(None, "metadata.yaml", is_init=True)
    assert first == {"sample_id": "INT64", "sampling_batch_size": "INT64", "submission_date": "DATE"}
    assert typed(metadata, "metadata.yaml", is_init=True)["sample_id"] == "STRING"


def test_arguments_of_the_command_line_give_parameters_too() -> None:
    metadata = "scheduling:\n  arguments: ['--append_table', '--parameter=since:TIMESTAMP:{{ds}}']\n"
    assert typed(metadata, "metadata.yaml")["since"] == "TIMESTAMP"
    scripts = (
        'bq query --parameter="low:INT64:$low" --parameter=word::x',
        "--parameter low:INT64:2 --parameter=b:DATE:",
    )
    assert from_scripts(scripts) == {"low": "INT64", "word": "STRING", "b": "DATE"}
    assert from_scripts((*scripts, "--parameter=b:TIMESTAMP:x")) == {"low": "INT64", "word": "STRING"}
