from __future__ import annotations

from typing import Any

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout.autodetect import detected
from etl_orchestrator.table import Field


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([True, None], "BOOLEAN"),
        (["true", "FALSE"], "BOOLEAN"),
        ([1, "2"], "INTEGER"),
        (["007"], "INTEGER"),
        ([2**63], "FLOAT"),
        (["9223372036854775808"], "FLOAT"),
        ([1, 2.5], "FLOAT"),
        (["1.5", "1e3"], "FLOAT"),
        (["2025-06-01"], "DATE"),
        (["2025-13-01"], "STRING"),
        (["10:30:00"], "TIME"),
        (["2025-06-01 10:30:00"], "TIMESTAMP"),
        (["2025-06-01T10:30:00.123Z", "2025-06-01 10:30:00+02:00", "2025-06-01 10:30:00 UTC"], "TIMESTAMP"),
        (["2025-06-01", "soon"], "STRING"),
        ([1, "x"], "STRING"),
        ([None], "STRING"),
        ([""], "STRING"),
    ],
    ids=str,
)
def test_the_type_of_a_column_is_what_its_cells_look_like(cells: list[Any], kind: str) -> None:
    assert detected([{"x": cell} for cell in cells]) == (Field("x", kind),)


def test_columns_come_by_name_and_are_the_same_in_any_case() -> None:
    assert detected([{"b": 1, "a": 1}, {"B": 2.5, "c": "x"}]) == (
        Field("a", "INTEGER"),
        Field("b", "FLOAT"),
        Field("c", "STRING"),
    )


def test_records_and_arrays_are_what_all_rows_together_hold() -> None:
    rows: list[dict[str, Any]] = [{"r": {"y": 1}, "many": [], "list": [{"k": "a"}]}, {"r": {"x": "z"}, "many": [1, 2]}]
    assert detected(rows) == (
        Field("list", "RECORD", "REPEATED", None, (Field("k", "STRING"),)),
        Field("many", "INTEGER", "REPEATED"),
        Field("r", "RECORD", "NULLABLE", None, (Field("x", "STRING"), Field("y", "INTEGER"))),
    )


def test_no_rows_have_no_columns() -> None:
    assert detected([]) == ()


@pytest.mark.parametrize("cells", [[{"a": 1}, 1], [[1], 1]], ids=["record", "array"])
def test_what_no_load_takes_is_refused(cells: list[Any]) -> None:
    with pytest.raises(InvalidInput, match="`x` holds"):
        detected([{"x": cell} for cell in cells])
