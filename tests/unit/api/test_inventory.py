"""explain and list tell what the program consists of."""

from __future__ import annotations

import pytest

from etl_orchestrator.api.inventory import explain, gates, listing
from etl_orchestrator.phases.order import PHASES


@pytest.mark.parametrize("code", sorted(gates()))
def test_every_gate_is_explained_by_code_and_by_name(code: str) -> None:
    phase, gate = gates()[code]
    by_code = explain(code)
    assert by_code.status == "delivered"
    assert by_code.data["text"] == gate.page
    for part in ("What it checks", "Why", "Example", "Repair"):
        assert f"\n{part}\n" in gate.page
    assert by_code.data["phase"] == phase
    for spelling in (gate.name, gate.name.replace("_", "-"), f" {gate.name.upper()} ", code.lower()):
        assert explain(spelling).data == by_code.data


@pytest.mark.parametrize(("word", "near"), [("TST06", "TST006"), ("wrong_row", "WRONG_ROWS")])
def test_an_unknown_gate_is_answered_with_near_ones(word: str, near: str) -> None:
    outcome = explain(word)
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert outcome.error is not None
    assert outcome.error.message == f"there is no gate `{word}`"
    assert near in (outcome.error.fix or "")


def test_a_word_that_is_near_to_nothing_is_answered_with_the_list() -> None:
    outcome = explain("zzzzzzzzzz")
    assert outcome.error is not None
    assert outcome.error.fix == "etl-orchestrator list gates"


def test_the_gates_are_listed_in_the_order_of_their_rooms() -> None:
    rooms = list(dict.fromkeys(entry["phase"] for entry in listing("gates").data))
    assert rooms == [phase.name for phase in PHASES if phase.name != "report"]


def test_the_phases_are_numbered() -> None:
    names = [entry["name"] for entry in listing("phases").data]
    assert names == [f"{number}. {phase.name}" for number, phase in enumerate(PHASES, 1)]


def test_the_skills_are_those_that_the_phases_name() -> None:
    assert {entry["name"] for entry in listing("skills").data} == {phase.skill for phase in PHASES}


def test_a_list_of_anything_else_is_refused_with_what_there_is() -> None:
    outcome = listing("sandwiches")
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert outcome.error is not None
    assert outcome.error.fix == "phases, gates, skills, engines, monitors"
