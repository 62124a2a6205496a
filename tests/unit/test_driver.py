"""The only loop: forwards, back to the earliest owner, and to an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from etl_orchestrator.authors import ScriptedAuthor
from etl_orchestrator.driver import MAX_RETURNS, drive
from etl_orchestrator.errors import EngineCrashed, InvalidInput, OrchestratorError, Unavailable
from etl_orchestrator.finding import Failed, Finding, NotDue, Passed, Unchecked, Verdict
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.phase import Gate, Phase
from etl_orchestrator.run import Run
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Analyzer, Catalog, Runner, Tools

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")


class _Nobody:
    """Plays a tool that these rooms never ask."""


NOBODY: object = _Nobody()


def _tools() -> Tools:
    analyzer: Analyzer = NOBODY  # type: ignore[assignment]
    runner: Runner = NOBODY  # type: ignore[assignment]
    catalog: Catalog = NOBODY  # type: ignore[assignment]
    return Tools(analyzer, runner, catalog, ScriptedAuthor())


def _start() -> Run:
    return Run("run", TABLE, Model(TABLE))


def _counting(name: str) -> Callable[[Model, Tools], Model]:
    """A room that makes another text at each visit."""

    def work(model: Model, tools: Tools) -> Model:
        before = model.text(f"{name}.txt") or ""
        return model.with_artifacts(name, (Artifact(f"{name}.txt", before + "x", name),))

    return work


def _constant(name: str) -> Callable[[Model, Tools], Model]:
    return lambda model, tools: model.with_artifacts(name, (Artifact(f"{name}.txt", "same", name),))


def _gate(code: str, check: Callable[[Model], Verdict]) -> Gate:
    return Gate(code, code.lower(), "one", lambda model, tools: check(model))


def _finding(owner: str, message: str = "wrong") -> Finding:
    return Finding("TST001", "wrong_thing", message, "one.txt:1", owner, "mend it")


def _phase(name: str, *gates: Gate, work: Callable[[Model, Tools], Model] | None = None) -> Phase:
    return Phase(name, "skill", work or _counting(name), gates, lambda model: f"made {name}")


def _names(run: Run) -> list[str]:
    return [visit.phase for visit in run.visits]


def test_a_model_that_passes_every_gate_is_delivered_with_the_judged_bytes() -> None:
    passing = _gate("G1", lambda model: Passed("looked"))
    run = drive(_start(), _tools(), [_phase("one", passing), _phase("two", passing)])
    assert run.status == "delivered"
    assert _names(run) == ["one", "two"]
    assert run.delivery is not None
    assert run.delivery.digest == run.model.digest


def test_a_finding_sends_the_model_back_to_its_owner_and_later_gates_are_asked_again() -> None:
    # Wrong until the first room has been visited twice.
    late = _gate("G3", lambda m: Passed("ok") if m.text("one.txt") == "xx" else Failed((_finding("one"),)))
    run = drive(_start(), _tools(), [_phase("one"), _phase("two"), _phase("three", late)])
    assert run.status == "delivered"
    assert _names(run) == ["one", "two", "three", "one", "two", "three"]
    assert run.visits[2].sent_back_to == "one"


def test_the_earliest_owner_wins() -> None:
    late = _gate(
        "G3", lambda m: Passed("ok") if m.text("one.txt") == "xx" else Failed((_finding("two"), _finding("one")))
    )
    run = drive(_start(), _tools(), [_phase("one"), _phase("two"), _phase("three", late)])
    assert run.visits[2].sent_back_to == "one"


def test_the_room_sees_the_findings_it_is_to_mend() -> None:
    seen: list[tuple[Finding, ...]] = []

    def work(model: Model, tools: Tools) -> Model:
        seen.append(model.findings)
        return _counting("one")(model, tools)

    late = _gate("G2", lambda m: Passed("ok") if m.text("one.txt") == "xx" else Failed((_finding("one"),)))
    run = drive(_start(), _tools(), [_phase("one", work=work), _phase("two", late)])
    assert seen == [(), (_finding("one"),)]
    assert run.model.findings == ()


def test_an_owner_that_makes_the_same_again_ends_the_run_at_once() -> None:
    never = _gate("G1", lambda model: Failed((_finding("one"),)))
    run = drive(_start(), _tools(), [_phase("one", never, work=_constant("one"))])
    assert run.status == "open"
    assert run.ended == "phase one made the same again"
    assert _names(run) == ["one", "one"]
    assert run.delivery is None


def test_the_budget_ends_a_run_that_changes_without_getting_right() -> None:
    never = _gate("G1", lambda model: Failed((_finding("one", f"wrong with {model.text('one.txt')}"),)))
    run = drive(_start(), _tools(), [_phase("one", never)])
    assert run.status == "open"
    assert len(run.visits) == MAX_RETURNS + 1
    assert f"{MAX_RETURNS} times" in run.ended
    assert len(run.findings) == 1


def test_what_only_a_person_can_mend_ends_the_run() -> None:
    person = _gate("G1", lambda model: Failed((_finding("requirements"),)))
    run = drive(_start(), _tools(), [_phase("one", person), _phase("two")])
    assert (run.status, _names(run)) == ("open", ["one"])
    assert run.findings == (_finding("requirements"),)


def test_a_finding_never_sends_the_model_forwards() -> None:
    forwards = _gate("G1", lambda model: Failed((_finding("two"),)))
    run = drive(_start(), _tools(), [_phase("one", forwards), _phase("two")])
    assert (run.status, _names(run)) == ("open", ["one"])


def test_unasked_is_not_passed() -> None:
    blind = _gate("G1", lambda model: Unchecked("no engine"))
    run = drive(_start(), _tools(), [_phase("one", blind), _phase("two")])
    assert run.status == "unchecked"
    assert _names(run) == ["one", "two"]
    assert run.delivery is None
    assert [answer.code for answer in run.unchecked] == ["G1"]


def test_not_due_is_no_obstacle() -> None:
    run = drive(_start(), _tools(), [_phase("one", _gate("G1", lambda model: NotDue("a SQL model")))])
    assert run.status == "delivered"
    assert run.asked == 0


@pytest.mark.parametrize("error", [Unavailable("no network"), EngineCrashed("trapped")])
def test_a_tool_that_cannot_know_makes_its_gate_unchecked(error: OrchestratorError) -> None:
    def check(model: Model, tools: Tools) -> Verdict:
        raise error

    run = drive(_start(), _tools(), [_phase("one", Gate("G1", "g", "one", check))])
    assert run.status == "unchecked"


def test_a_room_that_cannot_work_ends_the_run_and_is_entered_again_on_resume() -> None:
    down = [True]

    def work(model: Model, tools: Tools) -> Model:
        if down[0]:
            raise Unavailable("the schema of `a.b.c` is not known")
        return _counting("two")(model, tools)

    phases = [_phase("one"), _phase("two", work=work), _phase("three")]
    run = drive(_start(), _tools(), phases)
    assert (run.status, _names(run)) == ("unchecked", ["one", "two"])
    down[0] = False
    again = drive(replace(run, status="running", ended=""), _tools(), phases)
    assert again.status == "delivered"
    assert _names(again) == ["one", "two", "two", "three"]


def test_a_resumed_run_repeats_no_finished_room() -> None:
    phases = [_phase("one"), _phase("two"), _phase("three")]
    stops: list[Run] = []
    whole = drive(_start(), _tools(), phases, left=stops.append)
    for stopped in stops:
        again = drive(stopped, _tools(), phases)
        assert _names(again) == ["one", "two", "three"]
        assert again.model.digest == whole.model.digest


def test_every_visit_is_told_before_the_next_begins() -> None:
    told: list[str] = []
    phases = [_phase("one"), _phase("two")]
    drive(
        _start(),
        _tools(),
        phases,
        lambda run, phase: told.append(f"enter {phase.name}"),
        lambda run: told.append(f"left {run.visits[-1].phase}"),
    )
    assert told == ["enter one", "left one", "enter two", "left two"]


def test_a_resumed_run_asks_again_what_could_not_be_asked() -> None:
    blind = [True]
    gate = _gate("G1", lambda model: Unchecked("no engine") if blind[0] else Passed("looked"))
    phases = [_phase("one"), _phase("two", gate), _phase("three")]
    run = drive(_start(), _tools(), phases)
    assert run.status == "unchecked"
    blind[0] = False
    again = drive(replace(run, status="running", ended=""), _tools(), phases)
    assert again.status == "delivered"
    assert _names(again) == ["one", "two", "three", "two", "three"]


def test_input_that_a_gate_cannot_read_makes_it_unchecked() -> None:
    def check(model: Model, tools: Tools) -> Verdict:
        raise InvalidInput("not YAML")

    run = drive(_start(), _tools(), [_phase("one", Gate("G1", "g", "one", check))])
    assert run.status == "unchecked"


def test_a_room_behind_the_judges_cannot_change_what_they_judged() -> None:
    passing = _gate("G1", lambda model: Passed("looked"))
    run = drive(_start(), _tools(), [_phase("one", passing), _phase("two")])
    assert run.delivery is not None
    assert run.delivery.digest != run.model.digest  # room two made another file; `publish` refuses it
