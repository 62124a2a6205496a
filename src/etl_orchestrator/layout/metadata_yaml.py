"""metadata.yaml: who owns a table, when it runs, how it is laid out in BigQuery, how it is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text


@dataclass(frozen=True, slots=True)
class TimePartitioning:
    """`type` is hour, day, month or year; without `field` the table is partitioned by ingestion time."""

    type: str
    field: str | None = None
    require_partition_filter: bool | None = None
    expiration_days: float | None = None


@dataclass(frozen=True, slots=True)
class RangePartitioning:
    """Integer ranges from `start` (in) to `end` (out), `interval` wide."""

    field: str
    start: int
    end: int
    interval: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """The content of a metadata.yaml. None and empty mean "not in the file", except for `owners` and `labels`, which
    a file of ours always has. Mappings are kept as written: in `scheduling` a key with null is not the same as no key.
    """

    friendly_name: str | None = None
    description: str | None = None
    owners: tuple[str, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    scheduling: Mapping[str, Any] = field(default_factory=dict)
    time_partitioning: TimePartitioning | None = None
    range_partitioning: RangePartitioning | None = None
    clustering: tuple[str, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)
    workgroup_access: tuple[Mapping[str, Any], ...] = ()
    references: Mapping[str, Any] = field(default_factory=dict)
    external_data: Mapping[str, Any] = field(default_factory=dict)
    deprecated: bool | None = None
    deletion_date: Any = None  # a date
    monitoring: Mapping[str, Any] = field(default_factory=dict)
    require_column_descriptions: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)  # keys that repository ignores

    @property
    def dag(self) -> str:
        """The DAG it runs in, "" when it is not scheduled."""
        return str(self.scheduling.get("dag_name") or "")

    @property
    def monitored(self) -> bool:
        return self.monitoring.get("enabled") is True


_KNOWN = frozenset(
    [
        "friendly_name",
        "description",
        "owners",
        "labels",
        "scheduling",
        "bigquery",
        "schema",
        "workgroup_access",
        "references",
        "external_data",
        "deprecated",
        "deletion_date",
        "monitoring",
        "require_column_descriptions",
    ]
)
_PARTITION_TYPES = ("hour", "day", "month", "year")


def read(text: str, at: str) -> Metadata:
    """The metadata in a text; raises InvalidInput naming the key whose value has the wrong shape."""
    document = yaml_text.load(text, at)
    if not isinstance(document, dict):
        raise InvalidInput("not a mapping", at=at)
    return of(document, at)


def of(document: Mapping[str, Any], at: str) -> Metadata:
    """The same for a document already loaded."""
    reader = _Reader(document, at)
    bigquery = _Reader(reader.mapping("bigquery"), at, "bigquery.")
    return Metadata(
        friendly_name=reader.text("friendly_name"),
        description=reader.text("description"),
        owners=tuple(map(str, reader.list("owners"))),
        labels=reader.mapping("labels"),
        scheduling=reader.mapping("scheduling"),
        time_partitioning=_time(_Reader(bigquery.mapping("time_partitioning"), at, "time_partitioning.")),
        range_partitioning=_range(_Reader(bigquery.mapping("range_partitioning"), at, "range_partitioning.")),
        clustering=tuple(map(str, _Reader(bigquery.mapping("clustering"), at, "clustering.").list("fields"))),
        schema=reader.mapping("schema"),
        workgroup_access=tuple(reader.list("workgroup_access")),
        references=reader.mapping("references"),
        external_data=reader.mapping("external_data"),
        deprecated=reader.flag("deprecated"),
        deletion_date=document.get("deletion_date"),
        monitoring=reader.mapping("monitoring"),
        require_column_descriptions=reader.flag("require_column_descriptions"),
        extra={key: value for key, value in document.items() if key not in _KNOWN},
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Asks a mapping for values of a certain shape; absent and null are the same."""

    values: Mapping[str, Any]
    at: str
    path: str = ""

    def wrong(self, key: str, wanted: str) -> InvalidInput:
        return InvalidInput(f"`{self.path}{key}` must be {wanted}, not `{self.values.get(key)}`", at=self.at)

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        if isinstance(value, dict | list):
            raise self.wrong(key, "text")
        return None if value is None else str(value)

    def mapping(self, key: str) -> Mapping[str, Any]:
        value = self.values.get(key)
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            raise self.wrong(key, "a mapping")
        return value

    def list(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def flag(self, key: str) -> bool | None:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def number(self, key: str) -> float | None:
        value = self.values.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self.wrong(key, "a number")
        return value


def _time(reader: _Reader) -> TimePartitioning | None:
    if not reader.values:
        return None
    kind = reader.text("type")
    if kind not in _PARTITION_TYPES:
        raise reader.wrong("type", "hour, day, month or year")
    return TimePartitioning(
        type=kind,
        field=reader.text("field") or None,
        require_partition_filter=reader.flag("require_partition_filter"),
        expiration_days=reader.number("expiration_days"),
    )


def _range(reader: _Reader) -> RangePartitioning | None:
    if not reader.values:
        return None
    span = _Reader(reader.mapping("range"), reader.at, "range_partitioning.range.")
    bounds = [span.number(key) for key in ("start", "end", "interval")]
    column = reader.text("field")
    if column is None or None in bounds:
        raise InvalidInput("`range_partitioning` needs field and range with start, end, interval", at=reader.at)
    start, end, interval = (int(bound or 0) for bound in bounds)
    return RangePartitioning(column, start, end, interval)


def write(metadata: Metadata) -> str:
    """The text of a metadata.yaml in the order of keys that most files of that repository have."""
    made: dict[str, Any] = {}
    for key in ("friendly_name", "description"):
        if getattr(metadata, key) is not None:
            made[key] = getattr(metadata, key)
    made["owners"] = list(metadata.owners)
    made["labels"] = dict(metadata.labels)
    if metadata.scheduling:
        made["scheduling"] = dict(metadata.scheduling)
    bigquery = _bigquery(metadata)
    if bigquery:
        made["bigquery"] = bigquery
    for key in ("require_column_descriptions", "schema", "workgroup_access", "references", "external_data"):
        _put(made, key, getattr(metadata, key))
    for key in ("deprecated", "deletion_date", "monitoring"):
        _put(made, key, getattr(metadata, key))
    made.update(metadata.extra)
    return yaml_text.dump(made)


def _put(made: dict[str, Any], key: str, value: Any) -> None:
    if value is not None and value != {} and value != ():
        made[key] = list(value) if isinstance(value, tuple) else value


def _bigquery(metadata: Metadata) -> dict[str, Any]:
    """Partitioning is written with all four keys, as that repository does, so that a reader sees what is not set."""
    made: dict[str, Any] = {}
    if (time := metadata.time_partitioning) is not None:
        made["time_partitioning"] = {
            "type": time.type,
            "field": time.field,
            "require_partition_filter": time.require_partition_filter,
            "expiration_days": time.expiration_days,
        }
    if (span := metadata.range_partitioning) is not None:
        made["range_partitioning"] = {
            "field": span.field,
            "range": {"start": span.start, "end": span.end, "interval": span.interval},
        }
    if metadata.clustering:
        made["clustering"] = {"fields": list(metadata.clustering)}
    return made
