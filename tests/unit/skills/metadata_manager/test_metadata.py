from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import metadata_yaml, own_files, paths
from etl_orchestrator.layout.metadata_yaml import Metadata, TimePartitioning
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.requirements import Body, Column, Parameter, Partitioning, Request, Requirements, Schedule
from etl_orchestrator.skills import bigconfig_generator, metadata_manager
from etl_orchestrator.skills.bigquery_etl_core.conventions import plan_of
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, Dag, SqlProblem, TableFacts, Tools

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
ORDERS = TableRef("acme-data", "shop_derived", "orders_v1")
QUERY = "SELECT order_date FROM `acme-data.shop_derived.orders_v1` WHERE order_date = @submission_date\n"
COLUMNS: Schema = (Field("order_date", "DATE"), Field("n_orders", "INTEGER"))
DAG = Dag("bqetl_shop", "0 2 * * *", owner="dag@acme.example", tier="tier_1")
SAVED = """type: BIGCONFIG_FILE
saved_metric_definitions:
  metrics:
  - saved_metric_id: is_not_null
  - saved_metric_id: is_unique
"""


def tools(analysis: Analysis | None = None, *facts: TableFacts) -> Tools:
    answer = analysis or Analysis(COLUMNS, (ORDERS,))
    engine = Scripted(lambda sql: answer)
    catalog = Memory({ORDERS: COLUMNS}, facts, (DAG,), files={"sql/bigconfig.yml": SAVED})
    return Tools(engine, engine, catalog, RulesAuthor())


def model(
    partitioning: Partitioning | None = None,
    schedule: Schedule | None = None,
    query: str | None = QUERY,
    columns: tuple[Column, ...] = (Column("order_date"), Column("n_orders", "COUNT(*)")),
    parameters: tuple[Parameter, ...] = (Parameter("submission_date", "DATE", "{{ds}}"),),
    sources: tuple[TableRef, ...] = (ORDERS,),
    wall: Tools | None = None,
    **said: Any,
) -> Model:
    body = Body(columns=columns)
    required = Requirements(
        replace(Request("r.yaml", "0", TABLE, body=body), **said),
        TABLE,
        "Orders per day.\n",
        body,
        ("order_date",),
        sources,
        partitioning or Partitioning(True, "order_date"),
        schedule or Schedule(dag="bqetl_shop"),
        parameters=parameters,
    )
    made = (Artifact(paths.query_sql(TABLE), query, "query"),) if query else ()
    return Model(TABLE, required, plan_of(required, wall or tools()), made)


def metadata(wanted: Model, wall: Tools | None = None) -> Metadata:
    artifact = metadata_manager.metadata_of(wanted, wall or tools())
    return metadata_yaml.read(artifact.text, artifact.path)


def scheduling(wanted: Model) -> Mapping[str, Any]:
    return metadata(wanted).scheduling


def test_a_complete_metadata_yaml() -> None:
    made = metadata(model(owners=("a@acme.example",), clustering=("n_orders",), labels={"application": "shop"}))
    assert made == Metadata(
        friendly_name="Daily Orders",
        description="Orders per day.",
        owners=("a@acme.example",),
        labels={"incremental": True, "schedule": "daily", "table_type": "aggregate", "application": "shop"},
        scheduling={"dag_name": "bqetl_shop"},
        time_partitioning=TimePartitioning("day", "order_date", True, None),
        clustering=("n_orders",),
        monitoring={"enabled": True, "freshness": {"blocking": False}, "volume": {"blocking": True}},
        require_column_descriptions=True,
    )


def test_decisions_and_reasons_are_noted() -> None:
    notes = metadata_manager.metadata_of(model(), tools()).notes
    assert Note("scheduling.dag_name", "plan", "bqetl_shop: the requirements name it") in notes


def test_no_schedule_no_block() -> None:
    assert scheduling(model(schedule=Schedule(none="by hand"))) == {}


def test_a_query_that_writes_its_whole_table() -> None:
    still = model(Partitioning(False), query="SELECT 1\n", parameters=())
    assert scheduling(still) == {"dag_name": "bqetl_shop", "date_partition_parameter": None}
    dated = model(Partitioning(False))
    assert scheduling(dated)["parameters"] == ["submission_date:DATE:{{ds}}"]
    assert metadata(dated).labels["incremental"] is False


def test_a_partition_by_another_parameter() -> None:
    wanted = (
        Parameter("day", "DATE", "{{ ds }}"),
        Parameter("country", "STRING", "DE"),
        Parameter("unused", "DATE", "{{ds}}"),
    )
    block = scheduling(model(query="SELECT @day, @country\n", parameters=wanted))
    assert block == {"dag_name": "bqetl_shop", "date_partition_parameter": "day", "parameters": ["country:STRING:DE"]}


def test_a_parameter_in_a_comment_is_not_supplied() -> None:
    block = scheduling(model(Partitioning(False), query="-- by @submission_date\nSELECT 1\n"))
    assert "parameters" not in block


def test_appending() -> None:
    block = scheduling(model(Partitioning(True, "order_date", write="append")))
    assert block["arguments"] == ["--append_table", "--noreplace"]
    assert block["date_partition_parameter"] is None
    assert block["parameters"] == ["submission_date:DATE:{{ds}}"]


def test_a_table_that_reads_itself_waits_for_its_last_run() -> None:
    block = scheduling(model(Partitioning(True, "order_date", write="table"), sources=(ORDERS, TABLE)))
    assert block["depends_on_past"] is True
    assert block["date_partition_parameter"] is None


def test_other_keys_of_the_schedule_are_passed_on_and_win() -> None:
    said = Schedule(dag="bqetl_shop", options={"depends_on_past": False, "date_partition_offset": -7})
    block = scheduling(model(schedule=said, sources=(ORDERS, TABLE)))
    assert block == {"dag_name": "bqetl_shop", "depends_on_past": False, "date_partition_offset": -7}


def test_python_gets_the_day_or_the_hour() -> None:
    day = scheduling(model(query=None, python="an API"))
    assert day == {"dag_name": "bqetl_shop", "arguments": ["--date", "{{ ds }}"]}
    hour = scheduling(model(Partitioning(True, "order_date", "hour"), query=None, python="an API"))
    assert hour["arguments"] == ["--date", "{{ ts }}"]


def test_ingestion_time_has_no_field() -> None:
    made = metadata(model(Partitioning(True, type="day", ingestion_time=True)))
    assert made.time_partitioning == TimePartitioning("day", None, True, None)


def test_the_collection_of_the_neighbours_is_named() -> None:
    near = TableFacts(TableRef("acme-data", "shop_derived", "x_v1"), "query.sql", collection="Shop")
    assert metadata(model(), tools(None, near)).monitoring["collection"] == "Shop"


def test_an_unscheduled_table_has_no_freshness() -> None:
    block = metadata(model(schedule=Schedule(none="by hand"), monitoring=({"check": "volume"},))).monitoring
    assert block == {"enabled": True, "volume": {"blocking": False}, "freshness": None}


def test_not_monitored_no_block() -> None:
    assert metadata(model(monitoring="none")).monitoring == {}


# --- schema.yaml ----------------------------------------------------------------------------------------------------


def test_schema_has_the_types_of_the_analyzer_and_every_field_a_note() -> None:
    artifact = metadata_manager.schema_of(model(), tools())
    made = own_files.schema(Model(TABLE, artifacts=(artifact,)), Memory())
    assert made == (
        Field("order_date", "DATE", description="Date of order."),
        Field("n_orders", "INTEGER", description="Number of orders."),
    )
    assert [note.at for note in artifact.notes] == ["order_date", "n_orders"]


def test_required_is_believed() -> None:
    columns = (Column("order_date", mode="REQUIRED"), Column("n_orders"))
    artifact = metadata_manager.schema_of(model(columns=columns), tools())
    assert "mode: REQUIRED" in artifact.text.split("n_orders")[0]


def test_a_refused_query_has_no_schema() -> None:
    refused = tools(Analysis(problem=SqlProblem("no such column", 3, 7)))
    with pytest.raises(InvalidInput, match="no such column") as error:
        metadata_manager.schema_of(model(), refused)
    assert error.value.at == f"{paths.query_sql(TABLE)}:3:7"


def test_the_columns_of_a_query_py_are_the_declared_ones() -> None:
    columns = (Column("day", type="DATE"), Column("rate"), Column("parts", fields=(Column("n", type="INTEGER"),)))
    artifact = metadata_manager.schema_of(model(columns=columns, query=None, python="an API"), tools())
    made = own_files.schema(Model(TABLE, artifacts=(artifact,)), Memory()) or ()
    assert [(field.name, field.type) for field in made] == [("day", "DATE"), ("rate", "STRING"), ("parts", "RECORD")]
    assert Note("rate", "assumed", "no type is declared: STRING") in artifact.notes


def test_nothing_to_take_columns_from() -> None:
    with pytest.raises(Unavailable, match=r"no query\.sql and no schema\.yaml"):
        metadata_manager.schema_of(Model(TABLE), tools())


# --- the rooms ------------------------------------------------------------------------------------------------------


def test_work_replaces_its_own_files_only() -> None:
    once = metadata_manager.work(model(), tools())
    assert [artifact.path.rpartition("/")[2] for artifact in once.artifacts] == [
        "metadata.yaml",
        "query.sql",
        "schema.yaml",
    ]
    assert metadata_manager.work(once, tools()) == once
    assert metadata_manager.says(once) == "2 fields described: 2 generated"
    assert metadata_manager.says(model()) == "no schema"


def test_a_standing_table_is_left_alone() -> None:
    standing = Model(TABLE, artifacts=(Artifact(paths.query_sql(TABLE), QUERY, "query"),))
    assert metadata_manager.work(standing, tools()) is standing
    assert bigconfig_generator.work(standing, tools()) is standing
    assert bigconfig_generator.says(standing) == "no plan, nothing to monitor by"
    with pytest.raises(InvalidInput, match="no requirements"):
        metadata_manager.metadata_of(standing, tools())


def test_bigconfig_and_metadata_say_the_same() -> None:
    made = bigconfig_generator.work(metadata_manager.work(model(), tools()), tools())
    bigconfig = own_files.bigconfig(made)
    assert bigconfig is not None
    assert {table for table, _ in bigconfig.monitors} == {TABLE}
    assert [(monitor.metric, monitor.columns, monitor.blocking) for _, monitor in bigconfig.monitors] == [
        ("FRESHNESS", (), False),
        ("VOLUME", (), True),
        ("is_not_null", ("order_date",), False),
        ("is_unique", ("order_date",), False),
    ]
    said = bigconfig_generator.says(made)
    assert said == "4 checks (freshness, volume, null_key, duplicate_grain): tier_1 tables are monitored"


def test_a_table_that_is_not_monitored_loses_its_bigconfig() -> None:
    quiet = model(monitoring="none")
    before = replace(quiet, artifacts=(*quiet.artifacts, Artifact(paths.bigconfig_yml(TABLE), "old", "monitoring")))
    after = bigconfig_generator.work(before, tools())
    assert after.artifacts == quiet.artifacts
    assert bigconfig_generator.says(after).startswith("not monitored: the requirements say none")
