"""One SQL test, run and classified; the runner is a double that keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from tests.unit.proving.material import requirements

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.proving.trial import Trial, schema_of, trial, trials
from etl_orchestrator.requirements import Body
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import (
    Analysis,
    ParameterValue,
    Routine,
    Rows,
    SqlProblem,
    TableData,
    TableFacts,
    Tools,
    View,
)

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
ORDERS = TableRef("acme-data", "shop_raw", "orders_v1")
EVENTS = TableRef("acme-data", "shop_raw", "events_*")
SHOPS = TableRef("acme-data", "static", "shops_v1")
COLUMNS = (Field("shop", "STRING"), Field("orders", "INTEGER"))
SCHEMAS = {ORDERS: (Field("shop", "STRING"), Field("order_id", "INTEGER")), SHOPS: (Field("shop", "STRING"),)}
SQL = "SELECT shop, COUNT(*) AS orders FROM orders GROUP BY shop"
FOLDER = paths.test_folder(TABLE, "test_one")
FIXTURE = f"{ORDERS}.yaml"
GOOD = {FIXTURE: "- {shop: a, order_id: 1}\n", "expect.yaml": "- {shop: a, orders: 1}\n"}
ONE = Rows(COLUMNS, (("a", 1),))


class _Wall:
    """A model, its tools, and a runner of its own, so that what the runner was asked is told apart."""

    def __init__(
        self,
        files: Mapping[str, str],
        *,
        reads: tuple[TableRef | str, ...] = (ORDERS,),
        rows: Rows | Callable[[str, Mapping[TableRef, TableData]], Rows] = ONE,
        catalog: Memory | None = None,
        sql: str = SQL,
    ) -> None:
        tests = [Artifact(f"{paths.tests_folder(TABLE)}/{self._inside(name)}", files[name], "tests") for name in files]
        query = Artifact(paths.query_sql(TABLE), sql, "query")
        self.model = Model(TABLE, artifacts=tuple(sorted([query, *tests], key=lambda artifact: artifact.path)))
        analyzer = Scripted(analyses=lambda _: Analysis(COLUMNS), named={SQL: reads})
        self.runner = Scripted(results=rows if callable(rows) else {SQL: rows})
        self.tools = Tools(analyzer, self.runner, catalog or Memory(schemas=SCHEMAS), RulesAuthor())

    def _inside(self, name: str) -> str:
        return name if "/" in name or ".schema." in name else f"test_one/{name}"

    def only(self) -> Trial:
        (trial,) = trials(self.model, self.tools)
        return trial


@dataclass
class _Keeping(Scripted):
    """Keeps the tables it was given."""

    given: list[Mapping[TableRef, TableData | View]] = field(default_factory=list)

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        self.given.append(tables)
        return super().run(sql, tables, parameters, routines)


def test_rows_as_expected_pass() -> None:
    wall = _Wall(GOOD)
    trial = wall.only()
    assert (trial.cause, trial.verdict, trial.at) == ("", "passed", f"{FOLDER}/expect.yaml")
    assert trial.rows == ONE
    assert wall.runner.asked == [SQL]


def test_other_rows_are_a_logic_error_told_cell_by_cell() -> None:
    trial = _Wall(GOOD, rows=Rows(COLUMNS, (("a", 2), ("b", 1)))).only()
    assert (trial.cause, trial.verdict, trial.at) == ("logic", "failed (logic)", f"{FOLDER}/expect.yaml")
    assert trial.detail == 'row 1, orders: expected 1, got 2; not expected: {"shop": "b", "orders": 1}'
    assert len(trial.differences) == 2


@pytest.mark.parametrize(("order", "cause"), [("", ""), (" ORDER BY order_id", "logic")])
def test_the_order_in_an_array_counts_where_the_query_fixes_it(order: str, cause: str) -> None:
    sql = f"SELECT ARRAY_AGG(order_id{order}) AS ids FROM orders"
    rows = Rows((Field("ids", "INTEGER", "REPEATED"),), (([2, 1],),))
    wall = _Wall({**GOOD, "expect.yaml": "- {ids: [1, 2]}\n"}, sql=sql, rows=lambda *_: rows)
    wall.tools = replace(wall.tools, analyzer=Scripted(named={sql: (ORDERS,)}))
    trial = wall.only()
    assert (trial.cause, "another order" in trial.detail) == (cause, cause == "")


def test_a_query_that_fails_is_an_error() -> None:
    trial = _Wall(GOOD, rows=Rows(problem=SqlProblem("division by zero", 2, 5))).only()
    query = paths.query_sql(TABLE)
    assert (trial.cause, trial.detail, trial.at) == ("error", "division by zero", FOLDER)
    assert trial.problem == SqlProblem("division by zero", 2, 5, query)


def test_a_query_that_the_analyzer_refuses_is_an_error_and_is_not_run() -> None:
    wall = _Wall(GOOD)
    refusing = Scripted(analyses=lambda _: Analysis(problem=SqlProblem("no such column", 1, 8)), named={SQL: (ORDERS,)})
    required = replace(wall.model, requirements=requirements(Body(), sources=(ORDERS,)))
    (trial,) = trials(required, replace(wall.tools, analyzer=refusing))
    assert (trial.cause, trial.detail, trial.at) == ("error", "no such column", paths.query_sql(TABLE))
    assert wall.runner.asked == []


def test_a_fixture_of_our_own_whose_columns_nobody_knows_is_no_answer() -> None:
    catalog = Memory(schemas=SCHEMAS, facts=[TableFacts(EVENTS, "other")])
    wall = _Wall({**GOOD, "acme-data.shop_raw.unknown_v1.yaml": "[]\n"}, catalog=catalog)
    required = replace(wall.model, requirements=requirements(Body(), sources=(ORDERS,)))
    with pytest.raises(Unavailable, match="unknown_v1"):
        trials(required, wall.tools)
    assert wall.runner.asked == []


@pytest.mark.parametrize(
    ("files", "cause", "file", "detail"),
    [
        ({**GOOD, FIXTURE: "- {shop: a, colour: red}\n"}, "fixture", FIXTURE, "colour"),
        ({**GOOD, FIXTURE: "- {shop: a, order_id: many}\n"}, "fixture", FIXTURE, "many"),
        ({**GOOD, FIXTURE: "shop: a\n"}, "fixture", FIXTURE, "not a list of rows"),
        ({**GOOD, FIXTURE: "- [\n"}, "fixture", FIXTURE, ""),
        ({**GOOD, "query_params.yaml": "- {value: 1}\n"}, "fixture", "query_params.yaml", "a parameter needs name"),
    ],
    ids=["unknown column", "wrong type", "no list", "no YAML", "bad parameter"],
)
def test_files_that_do_not_fit_are_classified_and_the_runner_is_never_asked(
    files: dict[str, str], cause: str, file: str, detail: str
) -> None:
    wall = _Wall(files)
    trial = wall.only()
    assert (trial.cause, trial.at.partition(":")[0]) == (cause, f"{FOLDER}/{file}")
    assert detail in trial.detail
    assert wall.runner.asked == []


@pytest.mark.parametrize("row", ["{shop: a, order: 1}", "{shop: a, orders: one}"], ids=["misspelt", "mistyped"])
def test_an_expectation_of_our_own_that_does_not_fit_the_output_is_never_run(row: str) -> None:
    wall = _Wall({**GOOD, "expect.yaml": f"- {row}\n"})
    required = replace(wall.model, requirements=requirements(Body(), sources=(ORDERS,)))
    (trial,) = trials(required, wall.tools)
    assert (trial.cause, trial.at.partition(":")[0]) == ("schema", f"{FOLDER}/expect.yaml")
    assert wall.runner.asked == []


def test_columns_and_types_that_differ_are_told_from_wrong_values() -> None:
    assert _Wall({**GOOD, "expect.yaml": "- {shop: a, order: 1}\n"}).only().cause == "schema"
    assert _Wall({**GOOD, "expect.yaml": "- {shop: a, orders: '1'}\n"}).only().cause == "schema"
    assert _Wall({**GOOD, "expect.yaml": "- {shop: a, orders: 2}\n"}).only().cause == "logic"


def test_strictly_a_null_is_to_be_named_and_types_are_the_declared_ones() -> None:
    rows = Rows((*COLUMNS, Field("country", "STRING")), (("a", 1, None),))
    declared = {TABLE: (Field("shop", "STRING"), Field("orders", "FLOAT"))}
    wall = _Wall(GOOD, rows=rows, catalog=Memory(schemas={**SCHEMAS, **declared}))
    files = dict(GOOD)
    assert trial(wall.model, wall.tools, "test_one", files).cause == ""
    strict = trial(wall.model, wall.tools, "test_one", files, strict=True)
    assert (strict.cause, [str(one) for one in strict.differences]) == (
        "schema",
        [
            "row 1, country: no expected row has this column, got NULL",
            "orders: schema.yaml says FLOAT, the query gives INTEGER",
        ],
    )


def test_strictly_a_test_that_writes_its_nulls_passes() -> None:
    rows = Rows((*COLUMNS, Field("country", "STRING")), (("a", 1, None),))
    declared = {TABLE: (Field("shop", "STRING"), Field("orders", "INTEGER"))}
    wall = _Wall(GOOD, rows=rows, catalog=Memory(schemas={**SCHEMAS, **declared}))
    files = {**GOOD, "expect.yaml": "- {shop: a, orders: 1, country: null}\n"}
    assert trial(wall.model, wall.tools, "test_one", files, strict=True).cause == ""
    assert trial(wall.model, wall.tools, "test_one", files).cause != ""


def test_a_test_without_an_expectation_is_no_passed_test() -> None:
    wall = _Wall({FIXTURE: GOOD[FIXTURE]})
    trial = wall.only()
    assert (trial.cause, trial.at) == ("fixture", FOLDER)
    assert "no expect.yaml" in trial.detail
    assert wall.runner.asked == []


def test_a_source_without_a_fixture_stops_the_test_before_execution() -> None:
    wall = _Wall(GOOD, reads=(ORDERS, SHOPS))
    trial = wall.only()
    assert (trial.cause, trial.unfixtured) == ("fixture", (SHOPS,))
    assert trial.detail == f"no fixture for {SHOPS}"
    assert wall.runner.asked == []


def test_an_empty_fixture_is_a_fixture() -> None:
    wall = _Wall({**GOOD, f"{SHOPS}.yaml": "[]\n"}, reads=(ORDERS, SHOPS))
    assert wall.only().cause == ""
    assert wall.runner.asked == [SQL]


def test_a_fixture_stands_for_nothing_but_its_name_as_written() -> None:
    """The plugin replaces names in the text; another spelling of the table would be read from production."""
    other = _Wall(GOOD, reads=("shop_raw.orders_v1",)).only()
    assert (other.cause, other.unfixtured) == ("fixture", (ORDERS,))
    assert other.detail == f"no fixture for {ORDERS} as the query names it: the fixture is called {ORDERS}"
    short = {"shop_raw.orders_v1.yaml": GOOD[FIXTURE], "expect.yaml": GOOD["expect.yaml"]}
    assert _Wall(short, reads=("shop_raw.orders_v1",)).only().cause == ""
    assert _Wall(short, reads=(ORDERS,)).only().unfixtured == (ORDERS,)
    assert _Wall(GOOD, reads=("static.shops_v1",)).only().unfixtured == (SHOPS,)


def test_the_words_of_a_fixture_with_one_name_are_given_whole_to_the_runner() -> None:
    sql = "SELECT orders.shop, 1 AS orders FROM orders -- FROM orders"
    files = {"orders.yaml": GOOD[FIXTURE], "expect.yaml": GOOD["expect.yaml"]}
    wall = _Wall(files, sql=sql, rows=lambda text, tables: ONE)
    wall.tools = replace(wall.tools, analyzer=Scripted(named={sql: ("orders",)}))
    assert wall.only().cause == ""
    whole = TABLE.project + "." + TABLE.dataset + ".orders"
    assert wall.runner.asked == [f"SELECT orders.shop, 1 AS orders FROM `{whole}` -- FROM orders"]


def test_a_view_given_as_a_fixture_reads_the_fixtures() -> None:
    view = TableRef("acme-data", "shop", "orders")
    view_sql = f"SELECT shop FROM `{ORDERS}`"
    files = {
        **GOOD,
        f"{view}.sql": "SELECT shop FROM `{project}.{dataset}.acme_data_shop_raw_orders_v1`",
    }
    wall = _Wall(files)
    runner = _Keeping(results={SQL: ONE})
    analyzer = Scripted(named={SQL: (view,), view_sql: (ORDERS,)})
    wall.tools = replace(wall.tools, analyzer=analyzer, runner=runner)
    assert wall.only().cause == ""
    assert [tables[view] for tables in runner.given] == [View(view_sql)]


def test_a_view_that_reads_past_the_fixtures_stops_the_test() -> None:
    view = TableRef("acme-data", "shop", "orders")
    wall = _Wall({**GOOD, f"{view}.sql": "SELECT 1"})
    wall.tools = replace(wall.tools, analyzer=Scripted(named={SQL: (view,), "SELECT 1": (SHOPS,)}))
    assert wall.only().unfixtured == (SHOPS,)


def test_the_select_of_a_view_is_tested_in_the_lines_of_its_file() -> None:
    wall = _Wall(GOOD, rows=lambda text, tables: ONE)
    sql = "CREATE OR REPLACE VIEW\n  `acme-data.shop.v`\nAS\nSELECT 1"
    view = Artifact(f"{paths.table_folder(TABLE)}/view.sql", sql, "query")
    model = Model(TABLE, artifacts=(view, *(a for a in wall.model.artifacts if a.made_by == "tests")))
    tools = replace(wall.tools, analyzer=Scripted(named={"\n\n\nSELECT 1": (ORDERS,)}))
    (found,) = trials(model, tools)
    assert (found.cause, wall.runner.asked) == ("", ["\n\n\nSELECT 1"])


def test_a_test_of_a_file_that_is_not_there_is_no_answer() -> None:
    files = {f"test_script/{name}": text for name, text in GOOD.items()}
    with pytest.raises(Unavailable, match=r"script\.sql"):
        _Wall(files).only()


def test_a_wildcard_is_supplied_by_a_table_that_it_covers() -> None:
    covered = TableRef("acme-data", "shop_raw", "events_20250602")
    files = {f"{covered}.yaml": "- {shop: a}\n", "expect.yaml": GOOD["expect.yaml"]}
    catalog = Memory(schemas={covered: SCHEMAS[SHOPS], EVENTS: SCHEMAS[SHOPS], **SCHEMAS})
    assert _Wall(files, reads=(EVENTS,), catalog=catalog).only().cause == ""
    wall = _Wall(GOOD, reads=(EVENTS,), catalog=catalog)
    assert wall.only().unfixtured == (EVENTS,)
    assert wall.runner.asked == []


def test_a_runner_that_refuses_the_rows_blames_the_fixture() -> None:
    def refuse(sql: str, tables: Mapping[TableRef, TableData]) -> Rows:
        raise InvalidInput("order_id does not fit", at="row 1")

    trial = _Wall(GOOD, rows=refuse).only()
    assert (trial.cause, trial.detail, trial.at) == ("fixture", "order_id does not fit", "row 1")


def test_the_runner_sees_the_fixtures_and_nothing_else() -> None:
    seen: list[Mapping[TableRef, TableData]] = []

    def look(sql: str, tables: Mapping[TableRef, TableData]) -> Rows:
        seen.append(tables)
        return ONE

    assert _Wall(GOOD, rows=look).only().cause == ""
    assert seen == [{ORDERS: TableData(SCHEMAS[ORDERS], ({"shop": "a", "order_id": 1},))}]


def test_a_schema_beside_the_tests_goes_before_the_catalogs() -> None:
    beside = {f"{ORDERS}.schema.yaml": "fields:\n- {name: shop, type: STRING}\n- {name: colour, type: STRING}\n"}
    wall = _Wall({**GOOD, FIXTURE: "- {shop: a, colour: red}\n", **beside})
    assert wall.only().cause == ""


def test_the_tests_of_a_model_come_in_order_of_name() -> None:
    files = {f"{name}/{file}": text for name in ("test_b", "test_a", "no_test") for file, text in GOOD.items()}
    wall = _Wall(files)
    assert [trial.name for trial in trials(wall.model, wall.tools)] == ["test_a", "test_b"]


def test_a_model_is_run_once_and_again_after_any_change() -> None:
    wall = _Wall(GOOD)
    assert trials(wall.model, wall.tools) is trials(wall.model, wall.tools)
    assert wall.runner.asked == [SQL]
    changed = wall.model.with_artifacts("extra", (Artifact("extra.txt", "x", "extra"),))
    trials(changed, wall.tools)
    assert wall.runner.asked == [SQL, SQL]


def test_the_answer_of_one_runner_is_never_given_for_another() -> None:
    """Not even for one that took the place of the first in memory."""
    for number in range(20):
        assert _Wall(GOOD, rows=Rows(COLUMNS, (("a", number),))).only().cause == ("" if number == 1 else "logic")


@pytest.mark.parametrize("tool", ["runner", "analyzer", "catalog"])
def test_a_model_is_run_again_with_another_tool(tool: str) -> None:
    wall, other = _Wall(GOOD), _Wall(GOOD)
    first = trials(wall.model, wall.tools)
    mixed = replace(wall.tools, **{tool: getattr(other.tools, tool)})
    assert trials(wall.model, mixed) is not first
    assert len(wall.runner.asked + other.runner.asked) == 2


def test_only_the_test_of_the_first_run_is_rendered_as_one() -> None:
    sql = "{% if is_init() %}first{% else %}later{% endif %}"
    files = {f"{name}/{file}": text for name in ("test_init", "test_later") for file, text in GOOD.items()}
    wall = _Wall(files, sql=sql, rows=lambda text, tables: ONE)
    assert [trial.cause for trial in trials(wall.model, wall.tools)] == ["", ""]
    assert wall.runner.asked == ["first", "later"]


def test_where_a_schema_is_from() -> None:
    known = Memory(schemas=SCHEMAS, facts=[TableFacts(EVENTS, "other")])
    wall = _Wall(GOOD, catalog=known)
    assert schema_of(TABLE, wall.model, wall.tools) == COLUMNS
    assert schema_of(ORDERS, wall.model, wall.tools) == SCHEMAS[ORDERS]
    assert schema_of(EVENTS, wall.model, wall.tools) is None
    assert schema_of(TableRef("acme-data", "static", "nowhere_v1"), wall.model, wall.tools) is None


def test_a_fixture_named_as_a_table_of_a_wildcard_has_the_columns_of_the_wildcard() -> None:
    catalog = Memory(schemas={**SCHEMAS, EVENTS: (Field("shop", "STRING"),)})
    files = {**GOOD, "acme-data.shop_raw.events_20250602.yaml": "- {shop: a}\n"}
    required = requirements(Body(), sources=(ORDERS, EVENTS))
    wall = _Wall(files, reads=(ORDERS, EVENTS), catalog=catalog)
    (trial,) = trials(replace(wall.model, requirements=required), wall.tools)
    assert (trial.cause, trial.detail) == ("", "")
    declared = replace(required, schemas={str(EVENTS): (Field("shop", "STRING"),)})
    undeclared = replace(wall.tools, catalog=Memory(schemas=SCHEMAS))
    (trial,) = trials(replace(wall.model, requirements=declared), undeclared)
    assert (trial.cause, trial.detail) == ("", "")
    day = TableRef("acme-data", "shop_raw", "events_20250602")
    assert schema_of(day, replace(wall.model, requirements=required), undeclared) is None
