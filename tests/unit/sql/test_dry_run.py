from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.errors import Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.requirements import (
    Body,
    Column,
    Parameter,
    Partitioning,
    Request,
    Requirements,
    Schedule,
)
from etl_orchestrator.sql.dry_run import (
    dry_run,
    known_from_tests,
    known_of,
    located,
    parameters_of,
    tables_named,
)
from etl_orchestrator.sql.schema_difference import difference_of
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.sql.tokens import position
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, SqlProblem, Tools

TABLE = TableRef("acme-data", "shop_derived", "daily_v1")
ORDERS = TableRef("acme-data", "shop_derived", "orders_v1")
COLUMNS = (Field("day", "DATE"), Field("n", "INTEGER"))
SELECT = "SELECT day, n FROM `acme-data.shop_derived.orders_v1`\n"
TWICE = "{% if is_init() %}SELECT 1{% else %}SELECT 2{% endif %}"


def model(query: str | None, metadata: str = "", schema: str = "", requirements: Requirements | None = None) -> Model:
    texts = {
        paths.query_sql(TABLE): query or "",
        paths.metadata_yaml(TABLE): metadata,
        paths.schema_yaml(TABLE): schema,
    }
    artifacts = tuple(Artifact(path, text, "query") for path, text in texts.items() if text)
    return Model(TABLE, requirements, artifacts=artifacts)


def required(columns: tuple[Column, ...] = (), schemas: Mapping[str, Schema] | None = None) -> Requirements:
    parameters = (Parameter("day", "DATE", "{{ds}}"),)
    request = Request("r.yaml", "0", TABLE)
    body = Body(columns=columns)
    return Requirements(
        request, TABLE, "", body, (), (ORDERS,), Partitioning(True), Schedule(), schemas or {}, parameters=parameters
    )


def tools(engine: Scripted, catalog: Memory | None = None) -> Tools:
    return Tools(engine, engine, catalog or Memory({ORDERS: COLUMNS}), RulesAuthor())


def test_asking_twice_analyzes_once_and_a_changed_query_anew() -> None:
    engine = Scripted({SELECT: Analysis(COLUMNS)}, named={SELECT: (ORDERS,)})
    wall = tools(engine)
    assert dry_run(model(SELECT), wall) is dry_run(model(SELECT), wall)
    assert engine.asked == [SELECT]
    dry_run(model("SELECT 1"), wall)
    assert engine.asked == [SELECT, "SELECT 1"]


def test_the_schema_beside_the_tests_is_the_last_resort() -> None:
    path = f"{paths.tests_folder(TABLE)}/{ORDERS}.schema.yaml"
    beside = Artifact(path, "fields: [{name: day, type: DATE}]", "tests")
    asked = replace(model(SELECT), artifacts=(*model(SELECT).artifacts, beside))
    engine = Scripted({SELECT: Analysis(COLUMNS)}, named={SELECT: (ORDERS,)})
    nobody, known = tools(engine, Memory({})), tools(engine)
    assert schemas_of(asked, nobody, SELECT) == {ORDERS: (Field("day", "DATE"),)}
    assert known_from_tests(asked, nobody, (ORDERS, TABLE)) == [ORDERS]
    assert schemas_of(asked, known, SELECT) == {ORDERS: COLUMNS}
    assert known_from_tests(asked, known, (ORDERS, TABLE)) == []
    with pytest.raises(Unavailable, match="no schema is known of"):
        schemas_of(model(SELECT), nobody, SELECT)


def test_two_engines_do_not_share_their_answers() -> None:
    one, other = Scripted({SELECT: Analysis(COLUMNS)}), Scripted({SELECT: Analysis(COLUMNS[:1])})
    assert dry_run(model(SELECT), tools(one)).columns == COLUMNS
    assert dry_run(model(SELECT), tools(other)).columns == COLUMNS[:1]


def test_a_source_that_nobody_knows_is_named() -> None:
    engine = Scripted(named={SELECT: (ORDERS,)})
    with pytest.raises(Unavailable, match=r"acme-data\.shop_derived\.orders_v1"):
        dry_run(model(SELECT), tools(engine, Memory()))


def test_schemas_declared_inline_come_before_the_catalog() -> None:
    engine = Scripted(named={SELECT: (ORDERS,)})
    inline = (Field("x", "STRING"),)
    declared = model(SELECT, requirements=required(schemas={str(ORDERS): inline}))
    assert schemas_of(declared, tools(engine), SELECT) == {ORDERS: inline}


def test_a_short_name_is_of_the_same_project_and_what_is_no_table_is_left_to_the_analyzer() -> None:
    engine = Scripted(named={SELECT: ("shop_derived.orders_v1", "cte", "region-us.INFORMATION_SCHEMA.JOBS.x")})
    assert schemas_of(model(SELECT), tools(engine), SELECT) == {ORDERS: COLUMNS}
    assert tables_named(model(SELECT), tools(engine)) == {ORDERS}


def test_both_renderings_are_judged() -> None:
    answers = {"SELECT 1": Analysis(COLUMNS), "SELECT 2": Analysis(COLUMNS)}
    engine = Scripted(answers)
    assert dry_run(model(TWICE), tools(engine)).columns == COLUMNS
    assert sorted(engine.asked) == ["SELECT 1", "SELECT 2"]


def test_the_problem_of_the_first_run_is_told() -> None:
    answers = {"SELECT 1": Analysis(problem=SqlProblem("no such column", 1, 8)), "SELECT 2": Analysis(COLUMNS)}
    problem = dry_run(model(TWICE), tools(Scripted(answers))).problem
    assert problem == SqlProblem("in the first run (is_init): no such column", 1, 26, paths.query_sql(TABLE))


def test_the_first_run_may_leave_columns_out_and_must_not_give_them_other_types() -> None:
    answers = {"SELECT 1": Analysis(COLUMNS[:1]), "SELECT 2": Analysis(COLUMNS)}
    assert dry_run(model(TWICE), tools(Scripted(answers))).columns == COLUMNS
    answers["SELECT 1"] = Analysis((replace(COLUMNS[0], type="BYTES", mode="REPEATED"),))
    problem = dry_run(model(TWICE), tools(Scripted(answers))).problem
    assert problem is not None
    told = f"the first run (is_init) gives `{COLUMNS[0].name}` as REPEATED BYTES, the later ones as {COLUMNS[0].type}"
    assert problem.message == told


def test_a_broken_template_is_a_problem_and_no_error() -> None:
    problem = dry_run(model("SELECT {{ 1"), tools(Scripted())).problem
    assert problem is not None


def test_a_model_without_a_query_cannot_be_asked() -> None:
    with pytest.raises(Unavailable, match=r"no query\.sql"):
        dry_run(model(None), tools(Scripted()))


SELF = "{% if is_init() %}SELECT first{% else %}SELECT again{% endif %}"
NAMED: Mapping[str, tuple[TableRef | str, ...]] = {"SELECT again": (TABLE,)}


def asked_with(engine: Scripted, wanted: Model) -> Schema:
    return schemas_of(wanted, tools(engine), "SELECT again")[TABLE]


def schemas_of(wanted: Model, given: Tools, sql: str) -> dict[TableRef, Schema]:
    return {table: known.schema for table, known in known_of(wanted, given, sql).items()}


def test_the_schema_of_a_table_that_reads_itself_is_that_of_its_first_run() -> None:
    engine = Scripted({"SELECT first": Analysis(COLUMNS)}, named=NAMED)
    assert asked_with(engine, model(SELF, requirements=required())) == COLUMNS


def test_or_the_declared_columns() -> None:
    engine = Scripted(named=NAMED)
    columns = (Column("day", type="DATE"), Column("tags", type="STRING", mode="REPEATED"))
    expected = (Field("day", "DATE"), Field("tags", "STRING", "REPEATED"))
    assert asked_with(engine, model(SELF, requirements=required(columns))) == expected


def test_or_its_schema_yaml() -> None:
    engine = Scripted(named=NAMED)
    written = "fields:\n- name: day\n  type: DATE\n"
    assert asked_with(engine, model(SELF, schema=written)) == (Field("day", "DATE"),)
    assert asked_with(engine, model(SELF, schema=written, requirements=required((Column("day"),)))) == (
        Field("day", "DATE"),
    )


def test_or_nobody_knows_it() -> None:
    with pytest.raises(Unavailable, match="reads itself"):
        asked_with(Scripted(named=NAMED), model(SELF, requirements=required((Column("day"),))))


def test_parameters_of_requirements_or_of_the_scheduling_block() -> None:
    given = tools(Scripted())
    assert parameters_of(model(SELECT, requirements=required()), given, SELECT) == {"day": "DATE"}
    assert parameters_of(model(SELECT), given, SELECT) == {"submission_date": "DATE"}
    metadata = (
        "scheduling:\n  dag_name: d\n  date_partition_parameter: day\n  parameters:\n  - n:INT64:3\n  - name::x\n"
    )
    assert parameters_of(model(SELECT, metadata), given, SELECT) == {
        "submission_date": "DATE",
        "day": "DATE",
        "n": "INT64",
        "name": "STRING",
    }
    assert parameters_of(model(SELECT, "scheduling: ["), given, SELECT) == {"submission_date": "DATE"}


def test_parameters_of_the_first_run_and_of_scripts() -> None:
    catalog = Memory(files={"script/load": "bq query --parameter=least:INT64:3 --parameter=most:INT64:9"})
    given = tools(Scripted(), catalog)
    assert parameters_of(model(SELECT), given, "SELECT @least") == {"submission_date": "DATE", "least": "INT64"}
    first = parameters_of(model(SELECT), given, SELECT, is_init=True)
    assert first == {"submission_date": "DATE", "sample_id": "INT64", "sampling_batch_size": "INT64"}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (COLUMNS, ""),
        (COLUMNS[::-1], "the order of the columns"),
        (COLUMNS[:1], "`n` is only in the first"),
        ((*COLUMNS, Field("m", "DATE")), "`m` is only in the second"),
        ((COLUMNS[0], Field("n", "FLOAT")), "`n` is INTEGER in the first and FLOAT in the second"),
        (
            (COLUMNS[0], Field("n", "INTEGER", "REPEATED")),
            "`n` is INTEGER in the first and REPEATED INTEGER in the second",
        ),
    ],
)
def test_difference(other: Schema, words: str) -> None:
    assert difference_of(COLUMNS, other) == words


def test_difference_inside_a_record() -> None:
    def record(kind: str) -> Schema:
        return (Field("r", "RECORD", fields=(Field("a", kind),)),)

    assert difference_of(record("DATE"), record("STRING")) == "`r.a` is DATE in the first and STRING in the second"


def test_a_problem_in_a_macro_is_told_where_it_is_called() -> None:
    macro = (("checks/same.jinja", "{% macro same(name) %}\nSELECT {{ name }}{% endmacro %}"),)
    template = Template("#fail\n{{ same('amout') }}", lambda name: None, "checks.sql", False, macro)
    sql = template.render()
    problem = SqlProblem("Unrecognized name: amout", *position(sql, sql.index("amout")))
    found = located(problem, template, sql)
    assert found.place("") == "checks.sql:2:1"
    assert found.message == "Unrecognized name: amout (in the macro at checks/same.jinja:2:8)"
