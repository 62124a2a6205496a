"""Documents for JSON columns, made of the paths that a requirement reads."""

from __future__ import annotations

import json

from etl_orchestrator.proving.exercise import documents


def test_paths_of_functions_and_of_field_access_meet_in_one_document() -> None:
    text = "JSON_VALUE(payload, '$.pause.reason') LAX_STRING(rides.payload.pause.by) other.name"
    first = json.loads(documents("payload", text)[0])
    assert first == {"pause": {"reason": "reason_a", "by": "by_a"}}


def test_leaves_come_in_several_types() -> None:
    made = [json.loads(text)["n"] for text in documents("payload", "payload.n")]
    assert made == ["n_a", 1, True]


def test_a_column_of_which_no_path_is_read_has_no_documents() -> None:
    assert documents("payload", "TO_JSON_STRING(payload)") == []
