"""bigconfig.yml: which data-quality checks Bigeye runs on a table. Written and read here, deployed by nobody here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text
from etl_orchestrator.table import TableRef

#: The named schedule that `bqetl monitoring update` gives to every metric it writes.
SCHEDULE = "Default Schedule - 13:00 UTC"

#: Saved metrics that have a blocking twin; any other metric blocks by `[fail]` in its name.
_BLOCKING_TWINS = {"freshness": "freshness_fail", "volume": "volume_fail"}
_FAIL = " [fail]"

#: Saved metrics for keys of several columns, by the number of columns; one column is `is_unique`.
COMPOSITE_KEYS = {2: "composite_key_uniqueness_2_column", 3: "composite_key_uniqueness_3_column"}


@dataclass(frozen=True, slots=True)
class Monitor:
    """One check. `metric` is the id of a saved metric (is_not_null, volume) or, in capitals, a predefined one
    (FRESHNESS, PERCENT_NOT_NULL).

    No `columns`: the check is of the table. A `blocking` check stops the DAG. `lookback_days` and `date_column`
    say which rows are looked at, `lower` and `upper` (both allowed) bound a predefined metric.
    """

    metric: str
    columns: tuple[str, ...] = ()
    blocking: bool = False
    lookback_days: int | None = None
    date_column: str | None = None
    lower: float | None = None
    upper: float | None = None

    @property
    def is_predefined(self) -> bool:
        return self.metric.isupper()


@dataclass(frozen=True, slots=True)
class Collection:
    """A group of checks in Bigeye and who hears of them: channels such as {"slack": "#team"}."""

    name: str
    channels: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BigConfig:
    """What a bigconfig.yml of a table says: every check with its table, in the order of the file."""

    monitors: tuple[tuple[TableRef, Monitor], ...] = ()
    collections: tuple[str, ...] = ()
    date_columns: tuple[str, ...] = ()  # row_creation_times, as written
    saved: frozenset[str] = field(default_factory=frozenset)  # ids of saved metrics that this file defines


def write(
    table: TableRef,
    monitors: Iterable[Monitor],
    collection: Collection | None = None,
    date_column: str | None = None,
) -> str:
    """The file of one table: checks of the same columns share a deployment.

    `date_column` is set when Bigeye must be told which column says when a row was made. Raises InvalidInput for a key
    of more than three columns, for which there is no saved metric.
    """
    groups: dict[tuple[object, ...], list[Monitor]] = {}
    for monitor in monitors:
        groups.setdefault((monitor.columns, _is_composite(monitor)), []).append(monitor)
    suite: dict[str, Any] = {}
    if collection is not None:
        suite["collection"] = {"name": collection.name}
        if collection.channels:
            suite["collection"]["notification_channels"] = [dict(channel) for channel in collection.channels]
    suite["deployments"] = [
        {
            "column_selectors": [{"name": _selector(table, column)} for column in group[0].columns or ("*",)],
            "metrics": [_metric(table, monitor) for monitor in group],
        }
        for group in groups.values()
    ]
    made: dict[str, Any] = {"type": "BIGCONFIG_FILE"}
    if date_column is not None:
        made["row_creation_times"] = {"column_selectors": [{"name": _selector(table, date_column)}]}
    if groups:
        made["tag_deployments"] = [suite]
    return yaml_text.dump(made)


def _selector(table: TableRef, column: str) -> str:
    """Bigeye knows a BigQuery table as warehouse.schema.table, and both warehouse and schema begin with the project."""
    return f"{table.project}.{table}.{column}"


def _is_composite(monitor: Monitor) -> bool:
    return monitor.metric.startswith("composite_key_uniqueness")


def _metric(table: TableRef, monitor: Monitor) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if monitor.is_predefined:
        made["metric_type"] = {"type": "PREDEFINED", "predefined_metric": monitor.metric}
        made["metric_name"] = monitor.metric + (_FAIL if monitor.blocking else "")
        made["metric_schedule"] = {"named_schedule": {"name": SCHEDULE}}
    else:
        twin = _BLOCKING_TWINS.get(monitor.metric) if monitor.blocking else None
        made["saved_metric_id"] = twin or monitor.metric
        if monitor.blocking and twin is None:
            made["metric_name"] = f"{monitor.metric}{_FAIL}"
    if monitor.lower is not None or monitor.upper is not None:
        bounds = {"lower_bound": monitor.lower, "upper_bound": monitor.upper}
        made["threshold"] = {"type": "CONSTANT", **{key: to for key, to in bounds.items() if to is not None}}
    if monitor.lookback_days is not None:
        made["lookback"] = {
            "lookback_type": "DATA_TIME",
            "lookback_window": {"interval_type": "DAYS", "interval_value": monitor.lookback_days},
        }
    if monitor.date_column is not None:
        made["rct_overrides"] = [monitor.date_column]
    if _is_composite(monitor):
        made["parameters"] = _key_parameters(table, monitor)
    return made


def _key_parameters(table: TableRef, monitor: Monitor) -> list[dict[str, str]]:
    if COMPOSITE_KEYS.get(len(monitor.columns)) != monitor.metric:
        raise InvalidInput(
            f"`{monitor.metric}` does not fit a key of {len(monitor.columns)} columns",
            fix="one column is `is_unique`; two and three have a saved metric; more have none",
        )
    made: list[dict[str, str]] = []
    for number, column in enumerate(monitor.columns, 1):
        made.append({"key": f"col_{number}", "column_name": column})
        made.append({"key": f"col_{number}_string", "string_value": column})
    return [*made, {"key": "table", "string_value": str(table)}]


# --- reading --------------------------------------------------------------------------------------------------------


def read(text: str, at: str) -> BigConfig:
    """The checks in a bigconfig.yml, of either form of deployment; raises InvalidInput for what Bigeye would refuse."""
    document = yaml_text.load(text, at)
    if not isinstance(document, dict) or document.get("type") != "BIGCONFIG_FILE":
        raise InvalidInput("not a bigconfig file", at=at, fix="begin with `type: BIGCONFIG_FILE`")
    reader = _Reader(at)
    monitors: list[tuple[TableRef, Monitor]] = []
    collections: list[str] = []
    for key, deployed in (("tag_deployments", reader.tags), ("table_deployments", reader.tables)):
        for suite in reader.mappings(document, key):
            if isinstance(suite.get("collection"), dict):
                collections.append(str(suite["collection"].get("name")))
            for deployment in reader.mappings(suite, "deployments", needed=True):
                monitors.extend(deployed(deployment))
    times = document.get("row_creation_times") or {}
    definitions = document.get("saved_metric_definitions") or {}
    if not isinstance(times, dict) or not isinstance(definitions, dict):
        raise InvalidInput("`row_creation_times` and `saved_metric_definitions` are mappings", at=at)
    return BigConfig(
        monitors=tuple(monitors),
        collections=tuple(collections),
        date_columns=tuple(str(each.get("name")) for each in reader.mappings(times, "column_selectors")),
        saved=frozenset(str(each.get("saved_metric_id")) for each in reader.mappings(definitions, "metrics")),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    at: str

    def mappings(self, holder: Mapping[str, Any], key: str, needed: bool = False) -> Sequence[Mapping[str, Any]]:
        found = holder.get(key)
        if found is None and not needed:
            return []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise InvalidInput(f"`{key}` must be a list of mappings", at=self.at)
        return found

    def tags(self, deployment: Mapping[str, Any]) -> list[tuple[TableRef, Monitor]]:
        places = [self.place(each.get("name")) for each in self.mappings(deployment, "column_selectors", True)]
        tables = list(dict.fromkeys(table for table, _ in places))
        return [
            (table, self.monitor(metric, tuple(column for of, column in places if of == table and column != "*")))
            for metric in self.mappings(deployment, "metrics", True)
            for table in tables
        ]

    def tables(self, deployment: Mapping[str, Any]) -> list[tuple[TableRef, Monitor]]:
        table, _ = self.place(f"{deployment.get('fq_table_name')}.*")
        found = [(table, self.monitor(metric, ())) for metric in self.mappings(deployment, "table_metrics")]
        for column in self.mappings(deployment, "columns"):
            name = (str(column.get("column_name")),)
            found.extend((table, self.monitor(metric, name)) for metric in self.mappings(column, "metrics", True))
        return found

    def place(self, name: Any) -> tuple[TableRef, str]:
        parts = str(name).split(".", 4)
        if len(parts) != 5 or parts[0] != parts[1]:
            raise InvalidInput(f"`{name}` is not project.project.dataset.table.column", at=self.at)
        return TableRef(*parts[1:4]), parts[4]

    def monitor(self, metric: Mapping[str, Any], columns: tuple[str, ...]) -> Monitor:
        kind = metric.get("metric_type")
        of_kind = (kind.get("predefined_metric") or kind.get("template_name")) if isinstance(kind, dict) else None
        named = str(metric.get("saved_metric_id") or of_kind or "")
        if not named:
            raise InvalidInput("a metric needs `saved_metric_id` or `metric_type`", at=self.at)
        twins = {twin: plain for plain, twin in _BLOCKING_TWINS.items()}
        bounds, lookback = metric.get("threshold") or {}, metric.get("lookback") or {}
        overrides = metric.get("rct_overrides") or [None]
        return Monitor(
            metric=twins.get(named, named),
            columns=columns,
            blocking=named in twins or str(metric.get("metric_name") or "").lower().endswith(_FAIL),
            lookback_days=(lookback.get("lookback_window") or {}).get("interval_value"),
            date_column=overrides[0],
            lower=bounds.get("lower_bound"),
            upper=bounds.get("upper_bound"),
        )
