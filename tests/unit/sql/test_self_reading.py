from __future__ import annotations

import pytest

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.sql.self_reading import fixed_point
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, Lineage, SqlProblem

TABLE = TableRef("acme-data", "shop", "riders_last_seen_v1")
DAILY = TableRef("acme-data", "shop", "riders_daily_v1")
RIDER = Field("rider", "STRING")


def answer(*columns: Field, of: TableRef = DAILY) -> Analysis:
    return Analysis(columns, (DAILY, TABLE), {column.name: Lineage("computed", ((of, "x"),)) for column in columns})


def test_the_columns_are_those_that_come_back() -> None:
    asked: list[Schema] = []

    def analyze(own: Schema) -> Analysis:
        asked.append(own)
        return answer(Field("day", "DATE"), RIDER)

    found = fixed_point(TABLE, [(RIDER, Field("rides", "INT64")), (Field("RIDES", "STRING"),)], analyze)
    assert found.columns == (Field("day", "DATE"), RIDER)
    assert found.notes == (
        "`acme-data.shop.riders_last_seen_v1` reads itself and has no schema.yaml: its columns are those which its query"
        " gives again",
    )
    assert asked == [(RIDER, Field("rides", "INT64")), (Field("day", "DATE"), RIDER)]


def test_what_is_refused_or_never_the_same_or_made_of_itself_is_not_known() -> None:
    with pytest.raises(Unavailable, match="no such column"):
        fixed_point(TABLE, [], lambda own: Analysis(problem=SqlProblem("no such column")))
    with pytest.raises(Unavailable, match="other columns each time"):
        fixed_point(TABLE, [], lambda own: answer(*own, Field(f"c{len(own)}", "DATE")))
    with pytest.raises(Unavailable, match="`rider` of nothing else"):
        fixed_point(TABLE, [(RIDER,)], lambda own: answer(*own, of=TABLE))
    with pytest.raises(Unavailable, match="`rider` of nothing else"):
        fixed_point(TABLE, [(RIDER,)], lambda own: Analysis(own))
