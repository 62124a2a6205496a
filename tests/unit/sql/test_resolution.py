from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.errors import Unavailable
from etl_orchestrator.sql.resolution import Resolved
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, KnownSchema, Lineage, Routine, Settings, SqlProblem

DAY = (Field("day", "DATE"),)
HOME = TableRef("acme-data", "shop", "daily")
SETTINGS = Settings(
    "acme-data",
    extra={
        "default": {"user_facing_project": "acme-public", "public_project": "acme-open"},
        "render": {"skip": ["*/raw/*"]},
    },
)


@dataclass
class Copying:
    """An analyzer that takes `FROM a` at its word: the columns are those of the tables named; `BAD` is refused."""

    name: str = "copying"
    asked: list[str] = field(default_factory=list)

    def references(self, sql: str) -> tuple[TableRef | str, ...]:
        words = sql.split()
        named = [word for before, word in pairwise(words) if before == "FROM"]
        return tuple(TableRef.parse(word) if word.count(".") == 2 else word for word in named)

    def analyze(
        self,
        sql: str,
        schemas: Mapping[TableRef, Schema],
        parameters: Mapping[str, str],
        routines: Sequence[Routine] = (),
    ) -> Analysis:
        self.asked.append(sql)
        if "BAD" in sql:
            return Analysis(problem=SqlProblem("no such column", 1, 8))
        own = (Field("own", "STRING"),) if "OWN" in sql else ()
        return Analysis(own + tuple(column for table in sorted(schemas) for column in schemas[table]), tuple(schemas))


def catalog(files: Mapping[str, str], schemas: Mapping[TableRef, Schema] | None = None) -> Resolved:
    return Resolved(Memory(schemas or {}, files=files), Copying(), SETTINGS)


def columns(found: Resolved, table: str) -> Schema:
    known = found.schema(TableRef.parse(table, "acme-data"))
    assert known is not None
    return known.schema


ORDERS = {TableRef("acme-data", "shop", "orders"): DAY}


def test_a_view_is_what_its_text_gives_through_other_views() -> None:
    files = {
        "sql/acme-data/shop/all_orders/view.sql": "OWN FROM acme-data.shop.some_orders",
        "sql/acme-data/shop/some_orders/view.sql": "FROM shop.orders",
        "sql/acme-data/shop/kept/materialized_view.sql": "OWN",
    }
    stale = {TableRef("acme-data", "shop", "all_orders"): (Field("stale", "STRING"),)}
    found = catalog(files, ORDERS | stale)
    assert columns(found, "shop.all_orders") == (Field("own", "STRING"), *DAY)
    assert columns(found, "shop.kept") == (Field("own", "STRING"),)
    known = found.schema(TableRef("acme-data", "shop", "all_orders"))
    assert known is not None
    assert known.origin == "sql/acme-data/shop/all_orders/view.sql"


def test_a_published_copy_is_the_view_of_the_default_project() -> None:
    files = {
        "sql/acme-data/shop/v/view.sql": "OWN",
        "sql/acme-data/shop/w/view.sql": "OWN",
        "sql/acme-data/shop/w/metadata.yaml": "labels:\n  public_bigquery: true\n",
    }
    found = catalog(files)
    assert columns(found, "acme-public.shop.v") == (Field("own", "STRING"),)
    assert columns(found, "acme-open.shop.w") == (Field("own", "STRING"),)
    assert found.schema(TableRef("acme-open", "shop", "v")) is None
    assert found.schema(TableRef("other-public", "shop", "v")) is None


class Folder(Memory):
    """A table in the repository without a schema."""

    def schema(self, table: TableRef) -> None:
        raise Unavailable(f"`{table}` has no schema.yaml")


def test_a_table_without_schema_is_its_query_or_the_header_of_its_data() -> None:
    files = {
        "sql/acme-data/shop/made/query.sql": "OWN",
        "sql/acme-data/shop/loaded/data.csv": "code,name\n1,a\n",
        "sql/acme-data/shop/grown/query.sql": "{% if is_init() %}OWN{% else %}FROM acme-data.shop.grown{% endif %}",
        "sql/acme-data/shop/lost/metadata.yaml": "",
    }
    found = Resolved(Folder(files=files), Copying(), SETTINGS)
    assert columns(found, "shop.made") == (Field("own", "STRING"),)
    assert columns(found, "shop.loaded") == (Field("code", "STRING"), Field("name", "STRING"))
    assert columns(found, "shop.grown") == (Field("own", "STRING"),)
    with pytest.raises(Unavailable, match=r"shop\.lost"):
        columns(found, "shop.lost")


def test_a_table_that_reads_itself_has_the_columns_that_its_query_gives_back() -> None:
    class Tracing(Copying):
        def analyze(self, sql: str, schemas: Mapping[TableRef, Schema], *rest: Any) -> Analysis:
            orders = TableRef("acme-data", "shop", "orders")
            made = Lineage("computed", tuple((table, "day") for table in schemas))
            return Analysis(schemas[orders], tuple(schemas), {"day": made})

    files = {"sql/acme-data/shop/grown/query.sql": "FROM acme-data.shop.orders FROM acme-data.shop.grown"}

    class Orders(Folder):
        def schema(self, table: TableRef) -> KnownSchema | None:  # type: ignore[override]
            return KnownSchema(DAY, "") if table.name == "orders" else super().schema(table)

    found = Resolved(Orders(files=files), Tracing(), SETTINGS)
    assert columns(found, "shop.grown") == DAY


def test_a_parameter_that_metadata_does_not_declare_is_what_the_scripts_give() -> None:
    class Telling(Copying):
        def analyze(self, sql: str, schemas: object, parameters: Mapping[str, str], *rest: Any) -> Analysis:
            return Analysis(tuple(Field(name, kind) for name, kind in sorted(parameters.items())))

    files = {"script/shop/run": "bq query --parameter=low:INT64:$low --parameter=high:INT64:$high"}
    found = Resolved(Memory(files=files), Telling(), SETTINGS).analyze("SELECT @low, @other", HOME)
    assert found.columns == (Field("low", "INT64"), Field("submission_date", "DATE"))


def test_a_circle_and_a_refused_view_are_told_by_name() -> None:
    files = {
        "sql/acme-data/shop/a/view.sql": "FROM acme-data.shop.b",
        "sql/acme-data/shop/b/view.sql": "FROM acme-data.shop.a",
        "sql/acme-data/shop/c/view.sql": "BAD",
        "sql/acme-data/shop/d/view.sql": "FROM acme-data.shop.gone",
    }
    found = catalog(files)
    for name in ("a", "b", "a"):
        with pytest.raises(Unavailable, match=r"is made from itself: acme-data.shop.a -> acme-data.shop.b"):
            columns(found, f"shop.{name}")
    with pytest.raises(Unavailable, match=r"its view.sql is refused: no such column") as raised:
        columns(found, "shop.c")
    assert raised.value.at == "sql/acme-data/shop/c/view.sql:1"
    with pytest.raises(Unavailable, match=r"no schema is known of `acme-data.shop.gone`"):
        columns(found, "shop.d")


def test_a_family_of_tables_is_known_when_all_are_alike() -> None:
    folders = {f"sql/acme-data/shop/day_{number}/schema.yaml": "" for number in (1, 2)}
    one, two = (TableRef("acme-data", "shop", f"day_{number}") for number in (1, 2))
    assert columns(catalog(folders, {one: DAY, two: DAY}), "shop.day_*") == DAY
    with pytest.raises(Unavailable, match="differ in their columns"):
        columns(catalog(folders, {one: DAY, two: ()}), "shop.day_*")
    assert catalog({}).schema(TableRef.parse("acme-data.shop.day_*")) is None


def test_information_schema() -> None:
    names = [column.name for column in columns(catalog({}), "acme-data.region-us.INFORMATION_SCHEMA.table_options")]
    assert names[-3:] == ["option_name", "option_type", "option_value"]
    with pytest.raises(Unavailable, match="SOMETHING"):
        columns(catalog({}), "acme-data.shop.INFORMATION_SCHEMA.SOMETHING")
    for project in ("acme-data.", "other-data.", ""):
        found = [column.name for column in columns(catalog({}), f"{project}INFORMATION_SCHEMA.SCHEMATA")]
        assert found[:2] == ["catalog_name", "schema_name"]
    with pytest.raises(Unavailable, match="OTHER_THING"):
        columns(catalog({}), "other-data.INFORMATION_SCHEMA.OTHER_THING")
    with pytest.raises(Unavailable, match="neither a dataset nor a region"):
        columns(catalog({}), "other-data.INFORMATION_SCHEMA.TABLES")


def of_region(view: str) -> Schema:
    return columns(catalog({}), f"acme-data.region-us.INFORMATION_SCHEMA.{view}")


@pytest.mark.parametrize(
    "view", ["JOBS", "RESERVATIONS_TIMELINE", "SESSIONS", "TABLE_STORAGE", "TABLE_STORAGE_USAGE_TIMELINE"]
)
def test_a_view_of_a_project_has_two_names(view: str) -> None:
    assert of_region(view) == of_region(f"{view}_BY_PROJECT") != ()


@pytest.mark.parametrize("view", ["TABLES_BY_PROJECT", "JOBS_BY_USER_BY_PROJECT", "INSIGHTS", "RECOMMENDATIONS"])
def test_a_view_that_is_not_listed_is_not_known(view: str) -> None:
    with pytest.raises(Unavailable, match=f"the columns of {view} are not known here"):
        of_region(view)


def test_views_of_jobs_differ_by_their_scope() -> None:
    def names(view: str) -> set[str]:
        found = {column.name: column for column in of_region(view)}
        return {*found, *(part.name for part in found["query_info"].fields)}

    jobs = names("JOBS")
    assert jobs - names("JOBS_BY_USER") == {"optimization_details"}
    assert jobs - names("JOBS_BY_FOLDER") == {"query", "optimization_details"}
    assert names("JOBS_BY_FOLDER") - jobs == {"folder_numbers"}
    assert jobs - names("JOBS_BY_ORGANIZATION") == {"query", "optimization_details", "dml_statistics"}


def test_records_and_arrays_of_information_schema() -> None:
    jobs = {column.name: column for column in of_region("JOBS")}
    assert jobs["reservation_group_path"] == Field("reservation_group_path", "STRING", "REPEATED")
    reasons = jobs["search_statistics"].fields[1]
    assert (reasons.name, reasons.type, reasons.mode) == ("index_unused_reasons", "RECORD", "REPEATED")
    parts = tuple(Field(name, "STRING") for name in ("project_id", "dataset_id", "table_id"))
    assert reasons.fields[2] == Field("base_table", "RECORD", fields=parts)
    seconds = next(column for column in of_region("RESERVATIONS_TIMELINE") if column.name == "per_second_details")
    assert (seconds.mode, seconds.fields[0]) == ("REPEATED", Field("start_time", "TIMESTAMP"))
    assert of_region("TABLE_STORAGE_USAGE_TIMELINE_BY_FOLDER")[:2] == (
        Field("usage_date", "DATE"),
        Field("folder_numbers", "INTEGER", "REPEATED"),
    )
    assert "folder_numbers" not in {column.name for column in of_region("TABLE_STORAGE_USAGE_TIMELINE")}


@pytest.mark.parametrize("view", ["PARTITIONS", "SEARCH_INDEXES"])
def test_a_view_of_one_dataset_is_not_asked_of_a_region(view: str) -> None:
    assert columns(catalog({}), f"acme-data.shop.INFORMATION_SCHEMA.{view}")
    with pytest.raises(Unavailable, match=f"names a region, but {view} tells of one dataset only"):
        of_region(view)
    with pytest.raises(Unavailable, match="neither a dataset nor a region"):
        columns(catalog({}), f"other-data.INFORMATION_SCHEMA.{view}")


def test_an_edited_file_is_noticed_and_an_unchanged_one_analyzed_once() -> None:
    files = {
        "sql/acme-data/shop/v/view.sql": "OWN FROM acme-data.shop.orders",
        "sql/acme-data/shop/w/view.sql": "FROM shop.v",
    }
    analyzer = Copying()
    found = Resolved(Memory(ORDERS, files=files), analyzer, SETTINGS)
    for _ in range(2):
        assert columns(found, "shop.w") == (Field("own", "STRING"), *DAY)
    assert len(analyzer.asked) == 2
    files["sql/acme-data/shop/v/view.sql"] = "FROM acme-data.shop.orders"
    assert columns(found, "shop.w") == DAY


def test_routines_come_after_those_they_call() -> None:
    files = {
        "sql/acme-data/shop/tax/udf.sql": "CREATE OR REPLACE FUNCTION shop.tax(x INT64) AS (tools.math.times(x, 2));\nSELECT 1",
        "sql/tools/math/times/udf.sql": (
            "CREATE OR REPLACE FUNCTION math.one() AS (1);\n"
            "CREATE OR REPLACE FUNCTION math.times(x INT64, y INT64) AS (x * y * math.one());"
        ),
        "sql/acme-data/shop/refresh/stored_procedure.sql": "CREATE PROCEDURE shop.refresh() BEGIN SELECT shop.tax(1); END",
    }
    found = catalog(files)
    named = [str(routine.ref) for routine in found.routines("SELECT shop.tax(1), shop.tax(2)", HOME)]
    assert named == ["tools.math.one", "tools.math.times", "acme-data.shop.tax"]
    called = found.routines("CALL shop.refresh()", HOME)
    assert [routine.sql for routine in called][-1] == "CREATE PROCEDURE shop.refresh() BEGIN SELECT shop.tax(1); END"
    with pytest.raises(Unavailable, match=r"the routine `acme-data.shop.gone`"):
        found.routines("SELECT shop.gone(1)", HOME)
    assert (
        found.routines(files["sql/acme-data/shop/tax/udf.sql"], TableRef("acme-data", "shop", "tax"))[-1].ref.name
        == "times"
    )


def test_what_a_template_includes_is_read_beside_it_and_then_from_the_root() -> None:
    found = catalog({"sql/p/d/t/a.sql": "beside", "a.sql": "root", "b.sql": "root"})
    read = found.reader("sql/p/d/t/query.sql")
    assert [read(name) for name in ("a.sql", "b.sql", "c.sql")] == ["beside", "root", None]


def test_checks_have_macros_and_know_their_table_and_what_is_skipped_is_no_template() -> None:
    found = catalog({"tests/checks/one.jinja": "{% macro one() %}one {{ table_name }}{% endmacro %}"})
    text = "{{ one() }} {{ project_id }}.{{ dataset_id }}.{{ table_name }}"
    assert found.template("sql/acme-data/shop/daily/checks.sql", HOME, text).render().split() == [
        "one",
        "daily",
        "acme-data.shop.daily",
    ]
    assert found.template("sql/acme-data/raw/f/udf.sql", HOME, "'{%s}'").render() == "'{%s}'"


def test_of_tables_that_the_pipeline_makes_nobody_knows_which_was_made_last() -> None:
    own = TableRef("acme-data", "shop_stable", "orders_v1")
    found = catalog({}, {own: DAY, TableRef("acme-data", "shop_stable", "*"): DAY})
    with pytest.raises(Unavailable, match=r"`acme-data\.shop_stable\.\*`, which the pipeline makes"):
        found.schema(TableRef("acme-data", "shop_stable", "*"))
    assert columns(found, str(own)) == DAY
