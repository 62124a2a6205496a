"""Whole messages, as a person reads them in a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import Failed, Finding, NotDue, Passed, Unchecked
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.outcome import Outcome
from etl_orchestrator.plan import Decision, Plan, PlannedSource
from etl_orchestrator.report import terminal
from etl_orchestrator.requirements import Question
from etl_orchestrator.run import Answer, Run, Visit
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
ORDERS = TableRef("acme-data", "shop_live", "orders_v1")
FINDING = Finding("TST006", "wrong_rows", "row 1 is missing", "tests/expect.yaml", "query", "correct the query")
ANSWERS = (
    Answer("TST001", "missing_test", Passed("2 tests")),
    Answer("TST006", "wrong_rows", Failed((FINDING,))),
    Answer("TST010", "unproved_example", NotDue("no examples")),
    Answer("TST011", "unfounded_expectation", Unchecked("no engine")),
)
VISIT = Visit("tests", "2 tests", ANSWERS, 0.256, "d", sent_back_to="query")
PLAN = Plan(
    TABLE,
    Decision("query.sql", "plain SQL is the rule"),
    Decision("incremental", "each run writes one day"),
    Decision("bqetl_shop", "the requirements name it"),
    Decision("", "the DAG tells none"),
    Decision("ana@acme.example", "named"),
    Decision("no", "no tier"),
    Decision("Daily Orders", "the name in words"),
    Decision("day on submission_date", "named"),
    Decision("", "not asked for"),
    sources=(PlannedSource(ORDERS, "declared inline"),),
    files=("sql/acme-data/shop_derived/daily_orders_v1/query.sql",),
)


def _run(*visits: Visit) -> Run:
    return Run("run-1", TABLE, Model(TABLE), visits)


def _marked(text: str, colour: str) -> str:
    return f"<{colour}>{text}</>"


def test_leaving_a_room_tells_findings_what_was_not_asked_and_the_way_back() -> None:
    assert terminal.left(_run(VISIT), 4, 7) == (
        "[4/7] tests: 2 tests (1 gates passed, 0.26 s)\n"
        "  TST006 wrong_rows: row 1 is missing\n"
        "    at tests/expect.yaml\n"
        "    fix: correct the query\n"
        "  unchecked TST011 unfounded_expectation: no engine\n"
        "  back to query"
    )


def test_leaving_a_room_in_detail() -> None:
    visit = replace(VISIT, answers=(ANSWERS[0], ANSWERS[2]), sent_back_to=None)
    head = "[4/7] tests: 2 tests (1 gates passed, 0.26 s)\n    TST001 missing_test: 2 tests"
    assert terminal.left(_run(visit), 4, 7, verbose=1) == head
    assert terminal.left(_run(visit), 4, 7, verbose=2) == f"{head}\n    TST010 unproved_example: no examples"


@pytest.mark.parametrize(
    ("visit", "head"),
    [
        (VISIT, "<red>[4/7] tests</>: 2 tests"),
        (replace(VISIT, answers=ANSWERS[:1]), "<green>[4/7] tests</>: 2 tests"),
        (replace(VISIT, trouble="the engine fell over"), "<yellow>[4/7] tests</>: the engine fell over"),
    ],
)
def test_the_colour_tells_how_a_room_was_left(visit: Visit, head: str) -> None:
    assert terminal.left(_run(visit), 4, 7, _marked).startswith(head)


def test_a_delivered_build_names_files_snapshots_report_and_next_command() -> None:
    snapshot = Note("row 1", "snapshot", "only the query can tell")
    outcome = Outcome(
        "build",
        "delivered",
        table=str(TABLE),
        artifacts=(Artifact("a.sql", "x", "query"), Artifact("expect.yaml", "y", "tests", (snapshot,))),
        changed=("a.sql",),
        report=".etl-orchestrator/report.md",
        next="git add a.sql",
        seconds=1.234,
    )
    assert terminal.summary(outcome) == (
        "delivered  acme-data.shop_derived.daily_orders_v1  (1.23 s)\n"
        "  a.sql  written\n"
        "  expect.yaml  unchanged\n"
        "  1 expected value(s) are snapshots of the query's own output: please read them\n"
        "report: .etl-orchestrator/report.md\n"
        "next: git add a.sql"
    )
    dry = terminal.summary(replace(outcome, changed=(), dry_run=True))
    assert "  a.sql  not written\n" in dry
    again = terminal.summary(replace(outcome, changed=()))
    assert "  a.sql  unchanged\n  expect.yaml  unchanged\n" in again


def test_an_open_build_shows_each_finding_and_what_could_not_be_asked() -> None:
    outcome = Outcome(
        "build",
        "open",
        table=str(TABLE),
        findings=(FINDING,),
        answers=tuple(("tests", answer) for answer in ANSWERS),
        next="etl-orchestrator resume run-1",
        seconds=2,
    )
    assert terminal.summary(outcome) == (
        "open  acme-data.shop_derived.daily_orders_v1  (2.00 s)\n"
        "TST006 wrong_rows: row 1 is missing\n"
        "  at tests/expect.yaml\n"
        "  fix: correct the query\n"
        "unchecked TST011 unfounded_expectation: no engine\n"
        "next: etl-orchestrator resume run-1"
    )


def test_a_plan_is_a_table_of_decisions_with_their_reasons() -> None:
    outcome = Outcome("plan", "delivered", table=str(TABLE), plan=PLAN, assumptions=("grain: one row per order",))
    assert terminal.summary(outcome) == (
        "planned  acme-data.shop_derived.daily_orders_v1  (0.00 s)\n"
        "  query_type     query.sql  [plain SQL is the rule]\n"
        "  refresh        incremental  [each run writes one day]\n"
        "  dag            bqetl_shop  [the requirements name it]\n"
        "  tier           -  [the DAG tells none]\n"
        "  owners         ana@acme.example  [named]\n"
        "  partitioning   day on submission_date  [named]\n"
        "  clustering     -  [not asked for]\n"
        "  monitoring     no  [no tier]\n"
        "  friendly_name  Daily Orders  [the name in words]\n"
        "  source         acme-data.shop_live.orders_v1  [declared inline]\n"
        "  file           sql/acme-data/shop_derived/daily_orders_v1/query.sql\n"
        "inferred:\n"
        "  grain: one row per order"
    )
    assert "inferred" not in terminal.summary(replace(outcome, verb="build"))
    assert "inferred" in terminal.summary(replace(outcome, verb="build"), verbose=1)


def test_questions_are_numbered_with_their_candidates() -> None:
    asked = (
        Question("grain", "What is one row?", ("day", "day, shop"), "x.yaml:3"),
        Question("schedule", "Which DAG?"),
    )
    assert terminal.summary(Outcome("build", "needs_answers", questions=asked)) == (
        "needs answers  (0.00 s)\n"
        "1. grain: What is one row?  (x.yaml:3)\n"
        "     day\n"
        "     day, shop\n"
        "2. schedule: Which DAG?"
    )


def test_an_error_says_where_and_what_to_do() -> None:
    error = InvalidInput("duplicate key `grain`", at="x.yaml:7", fix="keep one")
    assert terminal.summary(Outcome("build", "refused", error=error), _marked) == (
        "<red>refused</>  (0.00 s)\nduplicate key `grain`\n  at x.yaml:7\n  fix: keep one"
    )


def test_a_batch_has_a_line_for_each_and_one_total() -> None:
    results = (
        Outcome("build", "delivered", table="p.d.one", seconds=0.5),
        Outcome("build", "open", table="p.d.two", findings=(FINDING,), seconds=0.25),
        Outcome("build", "unchecked", table="p.d.three", answers=(("tests", ANSWERS[3]),)),
        Outcome("build", "refused", error=InvalidInput("no such file", at="four.yaml")),
        Outcome("build", "needs_answers", questions=(Question("grain", "What is one row?"),)),
    )
    assert terminal.summary(Outcome("build", "refused", results=results, seconds=1)) == (
        "delivered     p.d.one  (0.50 s)\n"
        "open          p.d.two  (0.25 s)\n"
        "    TST006 wrong_rows: row 1 is missing\n"
        "      at tests/expect.yaml\n"
        "      fix: correct the query\n"
        "unchecked     p.d.three  (0.00 s)\n"
        "    unchecked TST011 unfounded_expectation: no engine\n"
        "refused       four.yaml  (0.00 s)\n"
        "    no such file\n"
        "      at four.yaml\n"
        "needs answers   (0.00 s)\n"
        "    grain: What is one row?\n"
        "5 models: 1 delivered, 1 open, 1 unchecked, 1 refused, 1 needs answers  (1.00 s)"
    )


def test_of_a_check_of_several_only_what_does_not_pass_is_told_and_then_counted() -> None:
    results = (
        Outcome("check", "delivered", table="p.d.one"),
        Outcome("check", "open", table="p.d.two", findings=(FINDING,)),
        Outcome("check", "unchecked", table="p.d.three", answers=(("tests", ANSWERS[3]),)),
    )
    data = {
        "open": [{"code": "TST006", "name": "wrong_rows", "models": 1}],
        "unchecked": [{"code": "TST011", "name": "unfounded_expectation", "models": 1}],
    }
    assert terminal.summary(Outcome("check", "open", results=results, data=data)) == (
        "open          p.d.two  (0.00 s)\n"
        "    TST006 wrong_rows: row 1 is missing\n"
        "      at tests/expect.yaml\n"
        "      fix: correct the query\n"
        "unchecked     p.d.three  (0.00 s)\n"
        "    unchecked TST011 unfounded_expectation: no engine\n"
        "open:\n"
        "      1  TST006 wrong_rows\n"
        "could not be asked:\n"
        "      1  TST011 unfounded_expectation\n"
        "3 models: 1 passed, 1 open, 1 unchecked  (0.00 s)"
    )


@pytest.mark.parametrize(
    ("verb", "status", "word"),
    [
        ("build", "delivered", "delivered"),
        ("resume", "delivered", "delivered"),
        ("plan", "delivered", "planned"),
        ("check", "delivered", "passed"),
        ("build", "needs_answers", "needs answers"),
    ],
)
def test_the_status_as_a_person_says_it(verb: str, status: str, word: str) -> None:
    assert terminal.summary(Outcome(verb, status)) == f"{word}  (0.00 s)"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            Outcome("list", "delivered", data=[{"name": "a", "about": "first"}, {"name": "long", "about": ""}]),
            "a     first\nlong",
        ),
        (
            Outcome(
                "explain",
                "delivered",
                data={"code": "X1", "name": "x", "phase": "query", "owner": "plan", "text": "A page."},
            ),
            "X1 x  (phase query, mended in plan)\n\nA page.",
        ),
        (Outcome("runs", "delivered", data=[]), "no runs yet"),
        (
            Outcome("runs", "delivered", data=[{"run": "r1", "status": "open", "published": False, "table": "p.d.t"}]),
            "r1  open          -          p.d.t",
        ),
        (
            Outcome("format", "delivered", data={"files": 3, "changed": ["a.sql"]}),
            "formatted a.sql\n3 files, 1 changed  (0.00 s)",
        ),
        (
            Outcome("schema", "delivered", data={"path": "s.yaml", "text": "fields:\n", "differs": True, "notes": []}),
            "# s.yaml: differs from the file\nfields:",
        ),
        (
            Outcome("schema", "delivered", data={"path": "s.yaml", "text": "fields:\n", "differs": False, "notes": []}),
            "# s.yaml: as the file\nfields:",
        ),
        (
            Outcome(
                "schema",
                "delivered",
                changed=("s.yaml",),
                data={"path": "s.yaml", "text": "f:\n", "differs": True, "notes": []},
            ),
            "# s.yaml: written\nf:",
        ),
        (
            Outcome(
                "validate",
                "delivered",
                table="p.d.t",
                data={
                    "columns": [{"name": "day", "type": "DATE", "mode": "NULLABLE"}],
                    "notes": ["on the condition that `x` is an INTEGER"],
                },
            ),
            "valid  p.d.t  (0.00 s)\n  day  DATE  NULLABLE\non the condition that `x` is an INTEGER",
        ),
        (
            Outcome("test", "delivered", table="p.d.t", data=[{"test": "test_a", "verdict": "passed"}]),
            "passed  test_a\n1 tests of p.d.t passed  (0.00 s)",
        ),
        (
            Outcome("init", "delivered", data={"files": ["dags.yaml"], "folder": "new"}),
            "dags.yaml\na new repository in new",
        ),
    ],
    ids=lambda value: value.verb if isinstance(value, Outcome) else "",
)
def test_what_a_verb_answers_with(outcome: Outcome, text: str) -> None:
    assert terminal.summary(outcome) == text


def test_a_verbose_check_shows_what_each_gate_looked_at() -> None:
    outcome = Outcome("check", "delivered", answers=(("tests", ANSWERS[0]), ("validation", ANSWERS[0])))
    assert "TST001" not in terminal.summary(outcome)
    assert terminal.summary(outcome, verbose=1).count("TST001 missing_test: 2 tests") == 1


def test_a_guard_that_no_rows_reach_is_shown() -> None:
    note = Note("refuse_when", "unproved", "no rows were found for which `x` holds")
    outcome = Outcome("build", "delivered", artifacts=(Artifact("tests/expect.yaml", "[]", "tests", (note,)),))
    assert "not proved: refuse_when: no rows were found for which `x` holds" in terminal.summary(outcome)
