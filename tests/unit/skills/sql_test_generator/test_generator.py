"""Where expected rows come from, and that a wrong query is not made right by copying its output."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.proving.material import COUNTRIES, ORDERS, OUTPUT, SCHEMAS, columns, countries, orders, requirements

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import Unavailable
from etl_orchestrator.finding import Failed, Finding
from etl_orchestrator.gates.tests import unfounded_expectation
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.phase import Gate
from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.proving.trial import trials
from etl_orchestrator.requirements import Body, Example, Requirements
from etl_orchestrator.skills.sql_test_generator import says, work
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Tools

TESTS = paths.tests_folder(OUTPUT)
KNOWN = requirements(
    Body((orders(filter="day = @submission_date"),), columns("day", "country", "clients = COUNT(DISTINCT client_id)"))
)
#: MAX(FARM_FINGERPRINT(…)) is nothing the requirements' own evaluation covers.
PARTLY = requirements(
    Body(
        (orders(filter="day = @submission_date"),),
        columns("day", "country", "number = COUNT(*)", "print = MAX(FARM_FINGERPRINT(client_id))"),
    )
)
WHO = requirements(Body((orders(filter="day = @submission_date"),), columns("day", "who = ARRAY_AGG(client_id)")))
WHO_SQL = f"SELECT day, ARRAY_AGG(client_id) AS who FROM `{ORDERS}` WHERE day = @submission_date GROUP BY day"
HEAD = "SELECT day, country, "
TAIL = f" FROM `{ORDERS}` WHERE day = @submission_date GROUP BY day, country"
CLIENTS = f"{HEAD}COUNT(DISTINCT client_id) AS clients{TAIL}"
PRINTS = f"{HEAD}COUNT(*) AS number, MAX(FARM_FINGERPRINT(client_id)) AS print{TAIL}"


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.fixture(scope="module")
def tools(engine: GoogleSql) -> Tools:
    return Tools(engine, engine, Memory(schemas=SCHEMAS), RulesAuthor())


def _model(required: Requirements, sql: str) -> Model:
    return Model(OUTPUT, required, artifacts=(Artifact(paths.query_sql(OUTPUT), sql, "query"),))


def _with_example(name: str, expected: str = "1", required: Requirements = KNOWN) -> Requirements:
    row = {"day": "2025-06-02", "country": "PT", "client_id": "ana"}
    example = Example(
        name,
        {str(ORDERS): (row, row)},
        ({"day": "2025-06-02", "country": "PT", "clients": expected},),
        {"submission_date": "2025-06-02"},
    )
    request = replace(required.request, examples=(*required.request.examples, example))
    return replace(required, request=request)


def _expectations(model: Model) -> dict[str, Artifact]:
    return {a.path.split("/")[-2]: a for a in model.artifacts if a.path.endswith("/expect.yaml")}


def _causes(model: Model, tools: Tools) -> set[str]:
    return {trial.cause for trial in trials(model, tools)}


def _findings(gate: Gate, model: Model, tools: Tools) -> tuple[Finding, ...]:
    answer = gate.check(model, tools)
    return answer.findings if isinstance(answer, Failed) else ()


def _bent(model: Model, old: str, new: str) -> Model:
    files = [replace(file, text=file.text.replace(old, new)) for file in model.artifacts]
    return replace(model, artifacts=tuple(files))


def test_what_the_requirements_tell_is_labelled_requirement(tools: Tools) -> None:
    model = work(_model(KNOWN, CLIENTS), tools)
    expectations = _expectations(model)
    assert expectations
    for file in expectations.values():
        assert file.text.startswith("# labels: requirement\n")
        assert "# Expected rows: evaluated from the requirements, without the query.\n" in file.text
        assert {note.source for note in file.notes} <= {"requirement"}
    assert _causes(model, tools) == {""}
    rows = sum(len(file.notes) for file in expectations.values())
    assert says(model) == f"{len(expectations)} tests; expected rows: {rows} from requirement"


def test_an_example_is_a_test_of_its_own_labelled_example(tools: Tools) -> None:
    file = _expectations(work(_model(_with_example("Two orders of Ana"), CLIENTS), tools))["test_two_orders_of_ana"]
    assert file.text == (
        "# labels: example\n"
        "# Expected rows: worked by hand, from the examples of the requirements.\n"
        "- day: '2025-06-02'\n  country: PT\n  clients: 1\n"
    )
    assert [(note.at, note.source, note.text) for note in file.notes] == [("row 1", "example", "Two orders of Ana")]


def test_an_example_that_the_query_does_not_meet_stays_as_the_person_wrote_it(tools: Tools) -> None:
    model = work(_model(_with_example("by hand", "2"), CLIENTS), tools)
    failed = [trial for trial in trials(model, tools) if trial.cause]
    assert [(trial.name, trial.cause, trial.detail) for trial in failed] == [
        ("test_by_hand", "logic", "row 1, clients: expected 2, got 1")
    ]


@pytest.mark.parametrize(("ordered", "causes"), [(False, {""}), (True, {"logic"})])
def test_the_arrays_of_an_example_compare_in_order_only_where_it_says_so(
    ordered: bool, causes: set[str], tools: Tools
) -> None:
    rows = tuple({"day": "2025-06-02", "client_id": name} for name in ("ana", "bo"))
    day = "2025-06-02"
    example = Example(
        "two", {str(ORDERS): rows}, ({"day": day, "who": ["bo", "ana"]},), {"submission_date": day}, ordered
    )
    required = replace(WHO, request=replace(WHO.request, examples=(example,)))
    made = work(_model(required, WHO_SQL), tools)
    two = replace(
        made, artifacts=tuple(file for file in made.artifacts if "test_" not in file.path or "two" in file.path)
    )
    assert _causes(two, tools) == causes
    assert not _findings(unfounded_expectation.GATE, made, tools)
    swapped = {True: "example, ordered", False: "example"}
    bent = _bent(made, f"# labels: {swapped[ordered]}", f"# labels: {swapped[not ordered]}")
    assert _findings(unfounded_expectation.GATE, bent, tools)


def test_an_array_whose_order_the_requirements_leave_open_compares_in_any_order(tools: Tools) -> None:
    made = work(_model(WHO, WHO_SQL.replace("(client_id)", "(client_id ORDER BY client_id DESC)")), tools)
    assert _causes(made, tools) == {""}
    ordered = replace(
        WHO, body=replace(WHO.body, columns=columns("day", "who = ARRAY_AGG(client_id ORDER BY client_id)"))
    )
    ordered = replace(ordered, request=replace(ordered.request, body=ordered.body))
    assert "logic" in _causes(replace(made, requirements=ordered), tools)


def test_a_wrong_query_meets_the_same_expectations_as_the_right_one(tools: Tools) -> None:
    right = work(_model(KNOWN, CLIENTS), tools)
    wrong = work(_model(KNOWN, CLIENTS.replace("COUNT(DISTINCT client_id)", "COUNT(*)")), tools)
    assert _expectations(wrong) == _expectations(right)
    assert "logic" in _causes(wrong, tools)


def test_only_the_columns_that_nobody_can_tell_are_taken_from_the_output(tools: Tools) -> None:
    model = work(_model(PARTLY, PRINTS), tools)
    file = _expectations(model)["test_happy_path"]
    assert file.text.startswith("# labels: requirement, snapshot\n")
    assert "# But for print: SNAPSHOT of the query's own output" in file.text
    assert "FARM_FINGERPRINT" in file.text
    sources = [(note.at, note.source) for note in file.notes]
    assert ("row 1", "requirement") in sources
    assert ("row 1, print", "snapshot") in sources
    assert file.text.count("  print: ") == file.text.count("- day:") > 0
    assert _causes(model, tools) == {""}
    assert " from requirement, " in says(model)
    assert says(model).endswith(" from snapshot")


def test_a_row_that_is_wrong_in_a_known_column_gets_nothing_from_the_output(tools: Tools) -> None:
    right = work(_model(PARTLY, PRINTS), tools)
    wrong = work(_model(PARTLY, PRINTS.replace("COUNT(*)", "COUNT(*) + 1")), tools)
    assert "  print: " not in _expectations(wrong)["test_happy_path"].text
    known = [line for line in _expectations(right)["test_happy_path"].text.splitlines() if "number" in line]
    assert known == [line for line in _expectations(wrong)["test_happy_path"].text.splitlines() if "number" in line]
    assert "logic" in _causes(wrong, tools)


def test_an_adopted_query_has_snapshots_that_say_so(tools: Tools) -> None:
    adopted = requirements(Body(), query=CLIENTS, sources=(ORDERS,))
    model = work(_model(adopted, CLIENTS), tools)
    expectations = _expectations(model)
    assert expectations
    for file in expectations.values():
        assert file.text.startswith("# labels: snapshot\n")
        assert "SNAPSHOT of the query's own output: proves nothing until you have read it." in file.text
        assert {note.source for note in file.notes} <= {"snapshot"}
    assert "snapshot" in says(model)


def test_a_query_that_fails_on_the_rows_gets_no_made_up_expectation(tools: Tools) -> None:
    failing = PRINTS.replace("COUNT(*)", "COUNT(*) + DIV(1, 0)")
    model = work(_model(PARTLY, failing), tools)
    file = _expectations(model)["test_happy_path"]
    assert (file.text, file.notes) == ("[]\n", ())
    assert "error" in _causes(model, tools)


def test_a_query_py_has_no_tests(tools: Tools) -> None:
    said = Decision("", "nobody said")
    plan = Plan(OUTPUT, Decision("query.py", "an API"), *((said,) * 8))
    old = Artifact(f"{TESTS}/test_old/expect.yaml", "[]\n", "tests")
    model = work(replace(_model(KNOWN, CLIENTS), plan=plan).with_artifacts("tests", (old,)), tools)
    assert [artifact.made_by for artifact in model.artifacts] == ["query"]
    assert says(model) == "no SQL tests for a query.py"
    assert says(work(Model(OUTPUT), tools)) == "no tests"


def test_tables_without_a_schema_file_get_one_beside_the_tests(engine: GoogleSql) -> None:
    joined = requirements(
        Body((orders(filter="day = @submission_date"), countries()), columns("day", "region = MAX(countries.region)"))
    )
    sql = (
        f"SELECT day, MAX(c.region) AS region FROM `{ORDERS}` AS o LEFT JOIN `{COUNTRIES}` AS c ON o.country = c.code "
    )
    sql += "WHERE day = @submission_date GROUP BY day"
    catalog = Memory(schemas=SCHEMAS, files={paths.schema_yaml(ORDERS): "fields: []\n"})
    model = work(_model(joined, sql), Tools(engine, engine, catalog, RulesAuthor()))
    beside = {a.path: a.text for a in model.artifacts if a.path.endswith(".schema.yaml")}
    assert list(beside) == [f"{TESTS}/{COUNTRIES}.schema.yaml"]
    assert "- name: code\n" in beside[f"{TESTS}/{COUNTRIES}.schema.yaml"]
    tests = len(_expectations(model))
    assert says(model).startswith(f"{tests} tests; ")


def test_a_schema_declared_inline_types_the_fixtures(engine: GoogleSql) -> None:
    schemas: dict[str, Schema] = {str(ORDERS): SCHEMAS[ORDERS]}
    tools = Tools(engine, engine, Memory(), RulesAuthor())
    model = work(_model(replace(KNOWN, schemas=schemas), CLIENTS), tools)
    assert model.text(f"{TESTS}/{ORDERS}.schema.yaml")
    assert _causes(model, tools) == {""}


def test_a_source_of_unknown_schema_stops_the_room(engine: GoogleSql) -> None:
    required = replace(KNOWN, sources=(ORDERS, TableRef("test-project", "shop", "secret_v1")))
    with pytest.raises(Unavailable, match="secret_v1"):
        work(_model(required, CLIENTS), Tools(engine, engine, Memory(schemas=SCHEMAS), RulesAuthor()))


@pytest.mark.parametrize("name", ["Happy path", "!!!", "Ação"])
def test_no_test_is_written_over_another(name: str, tools: Tools) -> None:
    model = work(_model(_with_example(name, required=_with_example(name)), CLIENTS), tools)
    written = [artifact.path for artifact in model.artifacts]
    assert len(written) == len(set(written))
    labels = [file.text.splitlines()[0] for file in _expectations(model).values()]
    assert labels.count("# labels: example") == 2
    assert "# labels: requirement" in labels
    assert _causes(model, tools) == {""}


def test_the_room_makes_the_same_twice_and_replaces_what_it_made(tools: Tools) -> None:
    once = work(_model(PARTLY, PRINTS), tools)
    stray = Artifact(f"{TESTS}/test_stray/expect.yaml", "[]\n", "tests")
    assert work(once.with_artifacts("tests", (*once.artifacts[1:], stray)), tools) == once
