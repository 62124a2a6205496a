"""The one envelope: exit codes, keys, and the status of a batch."""

from __future__ import annotations

import json
import re
from itertools import permutations

import pytest

from etl_orchestrator import outcome
from etl_orchestrator.errors import (
    EngineCrashed,
    InvalidInput,
    Locked,
    OrchestratorError,
    Refused,
    StoreError,
    Unavailable,
    Unsupported,
)
from etl_orchestrator.finding import Failed, Finding, NotDue, Passed, Unchecked
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.outcome import Outcome, of_batch, of_error, of_run, said
from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.requirements import Question
from etl_orchestrator.run import Answer, Run, Status, Visit
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")
FINDING = Finding("QRY002", "refused_query", "no such column", "query.sql:3", "query", "correct it")
ANSWERS = (
    Answer("QRY001", "missing_query", Passed("it is there")),
    Answer("QRY002", "refused_query", Failed((FINDING,))),
    Answer("QRY003", "unlisted_source", Unchecked("no engine")),
    Answer("QRY004", "broken_template", NotDue("no template")),
)
WORST_FIRST: tuple[Status, ...] = ("failed", "refused", "open", "unchecked", "needs_answers", "delivered")


@pytest.mark.parametrize(
    ("status", "code"),
    [("delivered", 0), ("open", 1), ("failed", 1), ("refused", 2), ("needs_answers", 3), ("unchecked", 4)],
)
def test_the_exit_code_of_a_status(status: Status, code: int) -> None:
    assert Outcome("build", status).exit_code == code


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput("x"), "refused", 2),
        (Refused("x"), "refused", 1),
        (Locked("x"), "refused", 1),
        (Unavailable("x"), "unchecked", 4),
        (Unsupported("x"), "unchecked", 4),
        (EngineCrashed("x"), "unchecked", 4),
        (StoreError("x"), "failed", 1),
        (OrchestratorError("x"), "failed", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_becomes_a_status_and_a_code(error: OrchestratorError, status: Status, code: int) -> None:
    made = of_error("build", error)
    assert (made.status, made.exit_code, made.error) == (status, code, error)


def test_the_envelope_has_the_documented_keys_in_the_documented_order_and_is_json() -> None:
    envelope = Outcome("list", "delivered").as_dict()
    documented = re.findall(r"^([a-z]+) {2,}|^([a-z]+) \[", outcome.__doc__ or "", re.MULTILINE)
    assert [one or other for one, other in documented] == list(envelope)
    assert json.loads(json.dumps(envelope)) == envelope


def test_the_envelope_of_a_run() -> None:
    said_so = Decision("query.sql", "the rule")
    artifact = Artifact("query.sql", "SELECT 'ä'\n", "query", (Note("row 1", "snapshot", "why"),))
    model = Model(TABLE, plan=Plan(TABLE, *((said_so,) * 9)), artifacts=(artifact,))
    run = Run("r1", TABLE, model, (Visit("query", "written", ANSWERS, 0.12345, "d", "query"),), "open", "why")
    envelope = of_run(
        "build", run, changed=("query.sql",), next="etl-orchestrator resume r1", seconds=1.23456
    ).as_dict()
    assert json.loads(json.dumps(envelope)) == envelope
    assert (envelope["verb"], envelope["status"], envelope["table"], envelope["run"]) == (
        "build", "open", str(TABLE), "r1",
    )  # fmt: skip
    assert envelope["findings"] == [
        {
            "code": "QRY002", "name": "refused_query", "message": "no such column", "at": "query.sql:3",
            "owner": "query", "fix": "correct it",
        }
    ]  # fmt: skip
    assert envelope["unchecked"] == [{"code": "QRY003", "name": "unlisted_source", "reason": "no engine"}]
    assert envelope["decisions"]["dag"] == {"value": "query.sql", "reason": "the rule"}
    assert envelope["artifacts"] == [
        {
            "path": "query.sql", "bytes": 12, "made_by": "query", "changed": True,
            "notes": [{"at": "row 1", "source": "snapshot", "text": "why"}],
        }
    ]  # fmt: skip
    assert [(entry["phase"], entry["verdict"], entry["text"]) for entry in envelope["evidence"]] == [
        ("query", "passed", "it is there"),
        ("query", "failed", "no such column"),
        ("query", "unchecked", "no engine"),
        ("query", "not_due", "no template"),
    ]
    assert envelope["phases"] == [{"phase": "query", "says": "written", "seconds": 0.123, "sent_back_to": "query"}]
    assert envelope["seconds"] == 1.235
    assert envelope["error"] is None


def test_findings_of_a_run_that_was_delivered_are_not_told_as_open() -> None:
    run = Run("r1", TABLE, Model(TABLE), (Visit("query", "", ANSWERS, 0, "d"),), "delivered")
    assert of_run("build", run).findings == ()


def test_a_run_that_failed_has_its_reason_as_error() -> None:
    made = of_run("build", Run("r1", TABLE, Model(TABLE), (), "failed", "the disk is full"))
    assert made.as_dict()["error"] == {"message": "the disk is full", "at": None, "fix": None}


def test_questions_and_errors_in_the_envelope() -> None:
    asked = Outcome("build", "needs_answers", questions=(Question("grain", "What is one row?", ("day",), "x.yaml:1"),))
    assert asked.as_dict()["questions"] == [
        {"element": "grain", "text": "What is one row?", "candidates": ["day"], "at": "x.yaml:1"}
    ]
    refused = of_error("build", InvalidInput("no", at="x.yaml:2", fix="yes"), seconds=1.0)
    assert refused.as_dict()["error"] == {"message": "no", "at": "x.yaml:2", "fix": "yes"}


@pytest.mark.parametrize(("worse", "better"), [(a, b) for i, a in enumerate(WORST_FIRST) for b in WORST_FIRST[i + 1 :]])
def test_a_batch_has_the_worst_status_in_any_order(worse: Status, better: Status) -> None:
    for order in permutations((worse, better, "delivered")):
        batch = of_batch("build", [Outcome("build", status) for status in order], 2.0)
        assert batch.status == worse
        assert [result["status"] for result in batch.as_dict()["results"]] == list(order)
        assert batch.exit_code == outcome.EXIT_CODES[worse]


def test_a_batch_of_one_is_that_one() -> None:
    only = Outcome("check", "open", table="p.d.t")
    assert of_batch("check", [only], 9.0) is only


def test_a_batch_that_only_met_locks_is_no_usage_error() -> None:
    locked, invalid = of_error("build", Locked("held")), of_error("build", InvalidInput("no"))
    assert of_batch("build", [locked, Outcome("build", "delivered")], 1.0).exit_code == 1
    assert of_batch("build", [locked, invalid], 1.0).exit_code == 2


def test_a_failed_verdict_tells_all_its_messages() -> None:
    assert said(Failed((FINDING, FINDING))) == ("failed", "no such column; no such column")


def test_a_gate_that_two_rooms_could_not_ask_is_named_once() -> None:
    twice = Outcome("check", "unchecked", answers=(("query", ANSWERS[2]), ("validation", ANSWERS[2])))
    assert [answer.code for answer in twice.unchecked] == ["QRY003"]
    assert len(twice.as_dict()["unchecked"]) == 1
    assert len(twice.as_dict()["evidence"]) == 2
