"""One SQL test, run and classified; the runner is a double that keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from tests.unit.proving.material import requirements

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.proving.trial import Trial, schema_of, trials
from etl_orchestrator.requirements import Body
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Analysis, Rows, SqlProblem, TableData, TableFacts, Tools

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
ORDERS = TableRef("acme-data", "shop_live", "orders_v1")
EVENTS = TableRef("acme-data", "shop_live", "events_*")
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


def test_a_query_that_fails_is_an_error() -> None:
    trial = _Wall(GOOD, rows=Rows(problem=SqlProblem("division by zero", 2, 5))).only()
    assert (trial.cause, trial.detail, trial.at) == ("error", "division by zero", FOLDER)
    assert trial.problem == SqlProblem("division by zero", 2, 5)


def test_a_query_that_the_analyzer_refuses_is_an_error_and_is_not_run() -> None:
    wall = _Wall(GOOD)
    refusing = Scripted(analyses=lambda _: Analysis(problem=SqlProblem("no such column", 1, 8)), named={SQL: (ORDERS,)})
    (trial,) = trials(wall.model, replace(wall.tools, analyzer=refusing))
    assert (trial.cause, trial.detail, trial.at) == ("error", "no such column", paths.query_sql(TABLE))
    assert wall.runner.asked == []


def test_a_fixture_whose_columns_nobody_knows_is_no_answer() -> None:
    catalog = Memory(schemas=SCHEMAS, facts=[TableFacts(EVENTS, "other")])
    wall = _Wall({**GOOD, "acme-data.shop_live.unknown_v1.yaml": "[]\n"}, catalog=catalog)
    with pytest.raises(Unavailable, match="unknown_v1"):
        wall.only()
    assert wall.runner.asked == []


@pytest.mark.parametrize(
    ("files", "cause", "file", "detail"),
    [
        ({**GOOD, FIXTURE: "- {shop: a, colour: red}\n"}, "fixture", FIXTURE, "colour"),
        ({**GOOD, FIXTURE: "- {shop: a, order_id: many}\n"}, "fixture", FIXTURE, "many"),
        ({**GOOD, FIXTURE: "shop: a\n"}, "fixture", FIXTURE, "not a list of rows"),
        ({**GOOD, FIXTURE: "- [\n"}, "fixture", FIXTURE, ""),
        ({**GOOD, "query_params.yaml": "- {value: 1}\n"}, "fixture", "query_params.yaml", "a parameter needs name"),
        ({**GOOD, "expect.yaml": "- {shop: a, order: 1}\n"}, "schema", "expect.yaml", "order"),
        ({**GOOD, "expect.yaml": "- {shop: a, orders: one}\n"}, "schema", "expect.yaml", "one"),
    ],
    ids=["unknown column", "wrong type", "no list", "no YAML", "bad parameter", "misspelt expectation", "mistyped"],
)
def test_files_that_do_not_fit_are_classified_and_the_runner_is_never_asked(
    files: dict[str, str], cause: str, file: str, detail: str
) -> None:
    wall = _Wall(files)
    trial = wall.only()
    assert (trial.cause, trial.at.partition(":")[0]) == (cause, f"{FOLDER}/{file}")
    assert detail in trial.detail
    assert wall.runner.asked == []


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


def test_a_name_in_two_parts_is_of_the_models_project() -> None:
    assert _Wall(GOOD, reads=("shop_live.orders_v1",)).only().cause == ""
    assert _Wall(GOOD, reads=("static.shops_v1",)).only().unfixtured == (SHOPS,)


def test_a_wildcard_is_supplied_by_a_table_that_it_covers() -> None:
    covered = TableRef("acme-data", "shop_live", "events_20250602")
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
    files = {**GOOD, "acme-data.shop_live.events_20250602.yaml": "- {shop: a}\n"}
    required = requirements(Body(), sources=(ORDERS, EVENTS))
    wall = _Wall(files, reads=(ORDERS, EVENTS), catalog=catalog)
    (trial,) = trials(replace(wall.model, requirements=required), wall.tools)
    assert (trial.cause, trial.detail) == ("", "")
    declared = replace(required, schemas={str(EVENTS): (Field("shop", "STRING"),)})
    undeclared = replace(wall.tools, catalog=Memory(schemas=SCHEMAS))
    (trial,) = trials(replace(wall.model, requirements=declared), undeclared)
    assert (trial.cause, trial.detail) == ("", "")
    day = TableRef("acme-data", "shop_live", "events_20250602")
    assert schema_of(day, replace(wall.model, requirements=required), undeclared) is None
