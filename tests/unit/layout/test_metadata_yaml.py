from __future__ import annotations

import datetime

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import metadata_yaml
from etl_orchestrator.layout.metadata_yaml import Metadata, RangePartitioning, TimePartitioning

FULL = Metadata(
    friendly_name="Orders",
    description="Orders by day.\nOne row per order.",
    owners=("someone@example.com", "mozilla/team"),
    labels={"incremental": True, "schedule": "daily", "review_bugs": [12]},
    scheduling={"dag_name": "bqetl_shop", "date_partition_parameter": None, "arguments": ["--date", "{{ ds }}"]},
    time_partitioning=TimePartitioning("day", "order_date", True, None),
    clustering=("country", "shop_id"),
    require_column_descriptions=True,
    schema={"allow_field_addition": True},
    workgroup_access=({"role": "roles/x", "members": ["workgroup:a/b"]},),
    references={"view.sql": ["a.b.c"]},
    deprecated=True,
    deletion_date=datetime.date(2026, 1, 1),
    monitoring={"enabled": True, "volume": None},
    extra={"tags": ["a"]},
)

WRITTEN = """\
friendly_name: Orders
description: |-
  Orders by day.
  One row per order.
owners:
- someone@example.com
- mozilla/team
labels:
  incremental: true
  schedule: daily
  review_bugs:
  - 12
scheduling:
  dag_name: bqetl_shop
  date_partition_parameter: null
  arguments:
  - --date
  - '{{ ds }}'
bigquery:
  time_partitioning:
    type: day
    field: order_date
    require_partition_filter: true
    expiration_days: null
  clustering:
    fields:
    - country
    - shop_id
require_column_descriptions: true
schema:
  allow_field_addition: true
workgroup_access:
- role: roles/x
  members:
  - workgroup:a/b
references:
  view.sql:
  - a.b.c
deprecated: true
deletion_date: 2026-01-01
monitoring:
  enabled: true
  volume: null
tags:
- a
"""


def test_everything_is_written_in_the_order_of_that_repository() -> None:
    assert metadata_yaml.write(FULL) == WRITTEN


def test_what_is_written_is_read_back() -> None:
    assert metadata_yaml.read(WRITTEN, "metadata.yaml") == FULL


def test_owners_and_labels_are_there_even_when_empty() -> None:
    assert metadata_yaml.write(Metadata(friendly_name="A")) == "friendly_name: A\nowners: []\nlabels: {}\n"


def test_ranges_are_read_and_written() -> None:
    metadata = Metadata(range_partitioning=RangePartitioning("sample_id", 0, 100, 1))
    assert metadata_yaml.read(metadata_yaml.write(metadata), "metadata.yaml") == metadata


def test_null_and_empty_sections_are_as_if_absent() -> None:
    text = (
        "friendly_name: A\nlabels:\nscheduling: null\nbigquery: {time_partitioning: null, clustering: {fields: []}}\n"
    )
    assert metadata_yaml.read(text, "metadata.yaml") == Metadata(friendly_name="A")


def test_the_dag_and_whether_it_is_monitored_can_be_asked() -> None:
    assert (FULL.dag, FULL.monitored) == ("bqetl_shop", True)
    assert (Metadata().dag, Metadata(monitoring={"enabled": "yes"}).monitored) == ("", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "not a mapping"),
        ("owners: a@example.com", "`owners` must be a list, not `a@example.com`"),
        ("labels: [a]", "`labels` must be a mapping"),
        ("description: [a]", "`description` must be text"),
        ("deprecated: maybe", "`deprecated` must be true or false"),
        ("bigquery: {time_partitioning: {type: week}}", "`time_partitioning.type` must be hour, day, month or year"),
        ("bigquery: {time_partitioning: {type: day, expiration_days: x}}", "must be a number"),
        ("bigquery: {clustering: [a]}", "`bigquery.clustering` must be a mapping"),
        ("bigquery: {range_partitioning: {field: a}}", "needs field and range"),
    ],
)
def test_a_wrong_shape_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        metadata_yaml.read(text, "metadata.yaml")
    assert caught.value.at == "metadata.yaml"
