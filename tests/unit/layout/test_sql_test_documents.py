from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout.sql_test_documents import documents_of, expected_documents, whole_documents
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Rows


@pytest.mark.parametrize(
    ("column", "value", "document"),
    [
        (Field("x", "DATE"), date(2025, 6, 1), "2025-06-01"),
        (Field("x", "TIMESTAMP"), datetime(2025, 6, 1, 10, tzinfo=UTC), "2025-06-01T10:00:00+00:00"),
        (Field("x", "DATETIME"), datetime(2025, 6, 1, 10, 0, 0, 5), "2025-06-01T10:00:00.000005"),
        (Field("x", "NUMERIC"), Decimal("1.50"), "1.5"),
        (Field("x", "NUMERIC"), Decimal("1E+2"), "100"),
        (Field("x", "BYTES"), b"xx", "eHg="),
        (Field("x", "JSON"), '{"a":null,"b":[1,{"c":null}]}', {"b": [1, {}]}),
        (Field("x", "JSON"), '"1"', "1"),
        (Field("x", "STRING", "REPEATED"), [], []),
        (Field("x", "DATE", "REPEATED"), [date(2025, 6, 1)], ["2025-06-01"]),
        (Field("x", "FLOAT"), 0.1 + 0.2, 0.1 + 0.2),
        (Field("x", "BOOLEAN"), True, True),
    ],
    ids=str,
)
def test_a_value_is_what_the_plugin_makes_of_it(column: Field, value: Any, document: Any) -> None:
    assert documents_of(Rows((column,), ((value,),))) == [{"x": document}]


def test_nulls_and_times_of_making_are_left_out_at_every_level() -> None:
    record = Field("r", "RECORD", "NULLABLE", None, (Field("a", "STRING"), Field("created_at", "STRING")))
    columns = (Field("x", "STRING"), Field("generated_time", "STRING"), record)
    rows = Rows(columns, ((None, "now", {"a": None, "created_at": "now"}),))
    assert documents_of(rows) == [{"r": {}}]
    assert whole_documents(rows) == [{"x": None, "generated_time": "now", "r": {"a": None, "created_at": "now"}}]


def test_an_expected_row_keeps_what_it_says() -> None:
    rows = [{"day": date(2025, 6, 1), "at": datetime(2025, 6, 1), "none": None, 1: True}]
    assert expected_documents(rows) == [{"day": "2025-06-01", "at": "2025-06-01T00:00:00", "none": None, "1": True}]


@pytest.mark.parametrize("row", [1, {"x": b"bytes"}], ids=["no mapping", "bytes"])
def test_what_is_no_row_of_json_is_refused_at_its_file(row: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        expected_documents([row], "expect.json")
    assert caught.value.at == "expect.json"
