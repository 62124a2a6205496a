from __future__ import annotations

from pathlib import Path

import pytest

from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.exports import MARK, schema_of, text
from etl_orchestrator.table import TableRef, walk


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("acme-data.analytics_12345.events_*", 31),
        ("acme-data.analytics_12345.events_20250101", 31),
        ("acme-data.analytics_12345.events_intraday_*", 31),
        ("acme-data.12345.ga_sessions_*", 17),
        ("acme-data.analytics_12345.users_20250101", 0),
        ("acme-data.analytics_shop.events_*", 0),
        ("acme-data.shop.ga_sessions_20250101", 0),
    ],
)
def test_exports_are_known_by_name(table: str, columns: int) -> None:
    found = schema_of(TableRef.parse(table))
    assert len(found.schema if found else ()) == columns
    if found is not None:
        assert found.notes == (f"provided that `{table}` has the columns that {found.origin} lists",)


def test_fields_are_nested_and_repeated() -> None:
    found = schema_of(TableRef("acme-data", "analytics_1", "events_20250101"))
    assert found is not None
    fields = {path: f"{field.mode} {field.type}" for path, field in walk(found.schema)}
    assert fields["event_params"] == "REPEATED RECORD"
    assert fields["event_params.value.int_value"] == "NULLABLE INTEGER"
    assert fields["session_traffic_source_last_click.google_ads_campaign.campaign_name"] == "NULLABLE STRING"
    assert fields["event_original_occurrence_timestamp"] == "NULLABLE INTEGER"
    # New columns stand at the end: they move none.
    assert [field.name for field in found.schema][-2:] == ["publisher", "event_original_occurrence_timestamp"]
    sessions = schema_of(TableRef("acme-data", "1", "ga_sessions_20170801"))
    assert sessions is not None
    fields = {path: f"{field.mode} {field.type}" for path, field in walk(sessions.schema)}
    assert (fields["hits.product.customMetrics"], fields["hits.isExit"]) == ("REPEATED RECORD", "NULLABLE BOOLEAN")


def test_what_stands_in_the_repository_comes_first(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, tmp_path / "cache")
    wildcard = TableRef("acme-data", "analytics_1", "events_*")
    found = checkout.schema(wildcard)
    assert found is not None
    assert found.schema[0].name == "event_date"
    folder = tmp_path / "sql/acme-data/analytics_1/events_20250101"
    folder.mkdir(parents=True)
    (folder / "schema.yaml").write_text("fields:\n- {name: own, type: STRING}\n")
    for table in (wildcard, TableRef("acme-data", "analytics_1", "events_20250101")):
        found = checkout.schema(table)
        assert found is not None
        assert [field.name for field in found.schema] == ["own"]


def test_the_file_of_an_export_is_read_by_its_marked_path(tmp_path: Path) -> None:
    found = schema_of(TableRef("acme-data", "1", "ga_sessions_20170801"))
    assert found is not None
    (file,) = found.files
    assert "visitStartTime" in (text(file) or "")
    assert Checkout(tmp_path, cache_dir=tmp_path).text(file) == text(file)
    assert text(f"{MARK}__init__.py") is None
