from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import dags_yaml
from etl_orchestrator.tools import Dag


def test_the_tier_is_told_by_a_tag() -> None:
    text = """
bqetl_shop:
  schedule_interval: 0 2 * * *
  description: The shop.
  default_args: {owner: someone@example.com, retries: 2}
  tags: [repo/x, impact/tier_2]
private_bqetl_other:
  schedule_interval: 3h
  tags: [impact/tier_9]
"""
    assert dags_yaml.read(text, "dags.yaml") == (
        Dag("bqetl_shop", "0 2 * * *", "someone@example.com", "tier_2", "The shop.", ("repo/x", "impact/tier_2")),
        Dag("private_bqetl_other", "3h", tags=("impact/tier_9",)),
    )


def test_an_empty_file_has_no_dags() -> None:
    assert dags_yaml.read("---\n", "dags.yaml") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "not a mapping of DAG names"),
        ("bqetl_a: daily", "the DAG `bqetl_a` is not a mapping"),
        ("bqetl_a: {tags: []}", "the DAG `bqetl_a` has no `schedule_interval`"),
        ("bqetl_a: {schedule_interval: 3h, tags: impact/tier_1}", "`tags` a list"),
    ],
)
def test_what_is_no_dag_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        dags_yaml.read(text, "dags.yaml")
