from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import bigconfig_yml
from etl_orchestrator.layout.bigconfig_yml import Collection, Monitor
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")
NAME = "acme-data.acme-data.shop_derived.orders_v1"


def test_checks_of_the_same_columns_share_a_deployment() -> None:
    text = bigconfig_yml.write(
        TABLE,
        [
            Monitor("is_not_null", ("day", "id"), date_column="day", lookback_days=7),
            Monitor("freshness"),
            Monitor("volume", blocking=True),
        ],
        Collection("Checks", ({"slack": "#team"},)),
    )
    assert (
        text
        == f"""\
type: BIGCONFIG_FILE
tag_deployments:
- collection:
    name: Checks
    notification_channels:
    - slack: '#team'
  deployments:
  - column_selectors:
    - name: {NAME}.day
    - name: {NAME}.id
    metrics:
    - saved_metric_id: is_not_null
      lookback:
        lookback_type: DATA_TIME
        lookback_window:
          interval_type: DAYS
          interval_value: 7
      rct_overrides:
      - day
  - column_selectors:
    - name: {NAME}.*
    metrics:
    - saved_metric_id: freshness
    - saved_metric_id: volume_fail
"""
    )


def test_a_key_of_two_columns_gets_its_parameters() -> None:
    text = bigconfig_yml.write(TABLE, [Monitor("composite_key_uniqueness_2_column", ("day", "id"), blocking=True)])
    assert "metric_name: composite_key_uniqueness_2_column [fail]" in text
    for line in (
        "key: col_1",
        "column_name: day",
        "string_value: id",
        "string_value: acme-data.shop_derived.orders_v1",
    ):
        assert line in text


def test_a_key_of_four_columns_has_no_saved_metric() -> None:
    with pytest.raises(InvalidInput, match="key of 4 columns"):
        bigconfig_yml.write(TABLE, [Monitor("composite_key_uniqueness_3_column", ("a", "b", "c", "d"))])


@pytest.mark.parametrize(
    "monitor",
    [
        Monitor("FRESHNESS"),
        Monitor("VOLUME", blocking=True, lower=1.0),
        Monitor("PERCENT_NOT_NULL", ("id",), lower=0.5, upper=1.0, lookback_days=0, date_column="day"),
        Monitor("is_unique", ("id",), blocking=True),
        Monitor("freshness", blocking=True),
        Monitor("composite_key_uniqueness_3_column", ("a", "b", "c")),
    ],
)
def test_what_is_written_is_read_back(monitor: Monitor) -> None:
    found = bigconfig_yml.read(bigconfig_yml.write(TABLE, [monitor], date_column="day"), "bigconfig.yml")
    assert found.monitors == ((TABLE, monitor),)
    assert found.date_columns == (f"{NAME}.day",)


def test_deployments_by_table_are_read_too() -> None:
    text = f"""
type: BIGCONFIG_FILE
table_deployments:
- collection: {{name: Shop}}
  deployments:
  - fq_table_name: {NAME}
    table_metrics: [{{saved_metric_id: volume}}]
    columns:
    - {{column_name: id, metrics: [{{saved_metric_id: is_unique}}]}}
saved_metric_definitions:
  metrics: [{{saved_metric_id: is_ours, metric_type: {{predefined_metric: PERCENT_NULL}}}}]
"""
    found = bigconfig_yml.read(text, "bigconfig.yml")
    assert found.monitors == ((TABLE, Monitor("volume")), (TABLE, Monitor("is_unique", ("id",))))
    assert (found.collections, found.saved) == (("Shop",), frozenset({"is_ours"}))


def test_no_checks_make_an_empty_file() -> None:
    assert bigconfig_yml.write(TABLE, []) == "type: BIGCONFIG_FILE\n"
    assert bigconfig_yml.read("type: BIGCONFIG_FILE\n", "bigconfig.yml").monitors == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tag_deployments: []", "not a bigconfig file"),
        ("type: BIGCONFIG_FILE\ntag_deployments: {}", "`tag_deployments` must be a list"),
        ("type: BIGCONFIG_FILE\ntag_deployments: [{collection: {name: a}}]", "`deployments` must be a list"),
        (
            "type: BIGCONFIG_FILE\ntag_deployments: [{deployments: [{column_selectors: [{name: a.b.c}], metrics: []}]}]",
            "`a.b.c` is not project.project.dataset.table.column",
        ),
        (
            f"type: BIGCONFIG_FILE\ntag_deployments: [{{deployments: [{{column_selectors: [{{name: {NAME}.a}}],"
            " metrics: [{lookback: {}}]}]}]",
            "needs `saved_metric_id` or `metric_type`",
        ),
    ],
)
def test_what_bigeye_would_refuse_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        bigconfig_yml.read(text, "bigconfig.yml")
