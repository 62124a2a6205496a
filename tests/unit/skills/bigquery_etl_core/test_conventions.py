from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.plan import Decision, PlannedSource
from etl_orchestrator.requirements import Body, Column, Partitioning, Query, Request, Requirements, Schedule, Source
from etl_orchestrator.skills.bigquery_etl_core.conventions import plan_of
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Dag, TableFacts, Tools

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
ORDERS = TableRef("acme-data", "shop_derived", "orders_v1")
DAGS = (
    Dag("bqetl_shop", "0 2 * * *", owner="dag@acme.example", tier="tier_1"),
    Dag("bqetl_reports", "0 6 * * 1", tier="tier_3"),
    Dag("bqetl_bare", "daily"),
)
BODY = Body(
    sources=(Source("orders", str(ORDERS)),),
    columns=(Column("order_date"), Column("country"), Column("n_orders", "COUNT(*)")),
)


def neighbour(name: str, **said: Any) -> TableFacts:
    return TableFacts(TableRef("acme-data", "shop_derived", name), "query.sql", **said)


def tools(*facts: TableFacts) -> Tools:
    engine = Scripted()
    catalog = Memory({ORDERS: (Field("order_date", "DATE"),)}, facts, DAGS)
    return Tools(engine, engine, catalog, RulesAuthor())


def required(
    partitioning: Partitioning | None = None,
    schedule: Schedule | None = None,
    keys: tuple[str, ...] = ("order_date", "country"),
    body: Body = BODY,
    **said: Any,
) -> Requirements:
    request = replace(Request("r.yaml", "0", TABLE, body=body), **said)
    return Requirements(
        request,
        TABLE,
        "Orders per day.",
        body,
        keys,
        (ORDERS,),
        partitioning or Partitioning(True, "order_date"),
        schedule or Schedule(dag="bqetl_shop"),
    )


def test_a_query_is_sql_unless_python_is_called_for() -> None:
    assert plan_of(required(), tools()).query_type.value == "query.sql"
    python = plan_of(required(python="an API is called"), tools())
    assert python.query_type == Decision("query.py", "an API is called")
    adopted = plan_of(required(query=Query("SELECT 1", "old.sql")), tools())
    assert adopted.query_type == Decision("adopted query.sql", "a person wrote it: old.sql")


def test_files_of_each_kind() -> None:
    folder, tests = f"sql/acme-data/shop_derived/{TABLE.name}", f"tests/sql/acme-data/shop_derived/{TABLE.name}/"
    files = [f"{folder}/{name}" for name in ("bigconfig.yml", "metadata.yaml", "query.sql", "schema.yaml")]
    assert plan_of(required(), tools()).files == (*files, tests)
    assert plan_of(required(monitoring="none"), tools()).files == (*files[1:], tests)
    python = plan_of(required(python="an API"), tools()).files
    assert python == tuple(file.replace("query.sql", "query.py") for file in files)


def test_dag_named_found_or_none() -> None:
    assert plan_of(required(), tools()).dag == Decision("bqetl_shop", "the requirements name it")
    found = plan_of(required(schedule=Schedule(frequency="weekly")), tools(neighbour("a_v1", dag="bqetl_reports")))
    assert found.dag == Decision("bqetl_reports", "1 of 1 tables of shop_derived runs there, runs weekly")
    none = plan_of(required(schedule=Schedule(none="loaded by hand")), tools())
    assert none.dag == Decision("", "not scheduled: loaded by hand")
    nothing = replace(tools(), catalog=Memory())
    assert plan_of(required(schedule=Schedule(product="fishing")), nothing).dag.value == ""


def test_tier_of_the_person_before_that_of_the_dag() -> None:
    assert plan_of(required(tier="tier_3"), tools()).tier == Decision("tier_3", "the requirements say so")
    assert plan_of(required(), tools()).tier == Decision("tier_1", "the tag of bqetl_shop")
    bare = plan_of(required(schedule=Schedule(dag="bqetl_bare")), tools())
    assert bare.tier == Decision("", "bqetl_bare has no tier tag")


def test_owners_declared_or_of_the_nearest() -> None:
    named = plan_of(required(owners=("a@acme.example", "acme/team")), tools())
    assert named.owner_list == ("a@acme.example", "acme/team")
    near = (
        neighbour("daily_refunds_v1", owners=("near@acme.example",)),
        neighbour("x_v1", owners=("far@acme.example",)),
    )
    assert plan_of(required(), tools(*near)).owners.value == "near@acme.example"
    elsewhere = TableFacts(
        TableRef("acme-data", "y_derived", "y_v1"), "query.sql", owners=("y@acme.example",), dag="bqetl_shop"
    )
    assert plan_of(required(), tools(elsewhere)).owners == Decision(
        "y@acme.example", "1 of 1 tables of bqetl_shop are theirs"
    )
    assert plan_of(required(), tools()).owners == Decision("dag@acme.example", "the owner of bqetl_shop")
    nobody = plan_of(required(schedule=Schedule(dag="bqetl_bare")), tools())
    assert nobody.owners.value == ""


@pytest.mark.parametrize(
    ("said", "dag", "answer"),
    [
        ({}, "bqetl_shop", "yes"),
        ({}, "bqetl_reports", "no"),
        ({"monitoring": "none"}, "bqetl_shop", "no"),
        ({"consumers": ("dashboards",)}, "bqetl_reports", "yes"),
        ({"consumers": ("internal",)}, "bqetl_reports", "no"),
        ({"monitoring": ({"check": "volume"},)}, "bqetl_reports", "yes"),
    ],
)
def test_monitoring(said: Mapping[str, Any], dag: str, answer: str) -> None:
    assert plan_of(required(schedule=Schedule(dag=dag), **said), tools()).monitoring.value == answer


def test_partition_is_filled_in_by_the_neighbours() -> None:
    said: dict[str, Any] = {"partition_type": "day", "require_partition_filter": False, "expiration_days": 775}
    plan = plan_of(required(), tools(*(neighbour(f"t{n}_v1", **said) for n in range(3))))
    assert plan.partition == Partitioning(True, "order_date", "day", 775, False, "partition")
    assert plan.partitioning.value == "day of order_date, expires after 775 days"
    assert "3 of 3 tables of shop_derived expire after 775 days" in plan.partitioning.reason


def test_data_is_not_deleted_by_the_habit_of_two() -> None:
    said: dict[str, Any] = {"partition_type": "day", "expiration_days": 30}
    plan = plan_of(required(), tools(neighbour("a_v1", **said), neighbour("b_v1", **said)))
    assert plan.partition is not None
    assert plan.partition.expiration_days is None


def test_an_aggregate_is_kept_whatever_the_neighbours_do() -> None:
    said: dict[str, Any] = {"partition_type": "day", "expiration_days": 30, "labels": {"table_type": "aggregate"}}
    plan = plan_of(required(), tools(*(neighbour(f"t{n}_v1", **said) for n in range(4))))
    assert plan.labels["table_type"] == "aggregate"
    assert plan.partition is not None
    assert plan.partition.expiration_days is None


def test_without_neighbours_a_filter_is_required() -> None:
    plan = plan_of(required(), tools())
    assert plan.partition is not None
    assert plan.partition.require_filter is True
    asked = plan_of(required(Partitioning(True, "order_date", require_filter=False)), tools())
    assert asked.partition is not None
    assert asked.partition.require_filter is False


def test_full_refresh() -> None:
    plan = plan_of(required(Partitioning(False)), tools())
    assert plan.refresh.value == "full refresh"
    assert plan.partitioning.value == "not partitioned"
    assert plan.labels["incremental"] == "false"
    assert plan.partition == Partitioning(False, write="table")


def test_clustering_declared_or_of_keys_that_neighbours_use() -> None:
    assert plan_of(required(clustering=("n_orders",)), tools()).cluster_list == ("n_orders",)
    assert plan_of(required(), tools()).cluster_list == ()
    used = [neighbour(f"t{n}_v1", clustering=("country", "product")) for n in range(2)]
    clustering = plan_of(required(), tools(*used)).clustering
    assert clustering == Decision("country", "2 tables of shop_derived cluster by country")


def test_labels_of_the_repository_and_of_the_person() -> None:
    near = [neighbour(f"t{n}_v1", labels={"application": "shop"}) for n in range(3)]
    assert plan_of(required(), tools(*near)).labels == {
        "incremental": "true",
        "schedule": "daily",
        "application": "shop",
    }
    said = plan_of(required(labels={"application": "web", "public": True}), tools(*near)).labels
    assert said["application"] == "web"
    assert said["public"] == "true"


def test_table_type() -> None:
    assert plan_of(required(), tools()).labels["table_type"] == "aggregate"
    client = plan_of(required(keys=("order_date", "client_id")), tools())
    assert client.labels["table_type"] == "client_level"
    unsure = plan_of(required(keys=("order_date", "rider_id")), tools())
    assert "table_type" not in unsure.labels


def test_an_aggregate_that_is_to_expire_carries_no_label_that_forbids_it() -> None:
    plan = plan_of(required(partitioning=Partitioning(True, "order_date", "day", 90)), tools())
    assert "table_type" not in plan.labels
    assert plan.partition is not None
    assert plan.partition.expiration_days == 90


def test_friendly_name() -> None:
    assert plan_of(required(), tools()).friendly_name.value == "Daily Orders"
    assert plan_of(required(friendly_name="Orders!"), tools()).friendly_name.value == "Orders!"


def test_sources_with_the_origin_of_their_schema() -> None:
    own = required()
    inline = TableRef("acme-data", "x", "inline_v1")
    unknown = TableRef("acme-data", "x", "unknown_v1")
    schemas = {str(inline): (Field("a", "STRING"),)}
    plan = plan_of(replace(own, sources=(ORDERS, TABLE, inline, unknown), schemas=schemas), tools())
    assert plan.sources == (
        PlannedSource(ORDERS, "memory"),
        PlannedSource(TABLE, "this table"),
        PlannedSource(inline, "declared inline"),
        PlannedSource(unknown, "unknown"),
    )


def test_the_same_requirements_give_the_same_plan() -> None:
    near = [
        neighbour(f"t{n}_v1", dag="bqetl_shop", owners=("a@acme.example",), clustering=("country",)) for n in range(3)
    ]
    assert plan_of(required(), tools(*near)) == plan_of(required(), tools(*near))
