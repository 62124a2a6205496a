"""Every Runner must answer these queries as BigQuery does.

A case whose `gaps` names an engine must fail there (a strict xfail with the reason); one whose `unsupported` names it must
be refused there by that name. Expected rows were written by hand from BigQuery's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl_orchestrator.engines import ENGINES
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.sql.values import equal, parse_cell
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, Rows, Runner, TableData, Value

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def _cases() -> list[Any]:
    found = []
    for file in FILES:
        content = yaml.safe_load(file.read_text())
        for case in content["cases"]:
            case["tables"] = {**content.get("tables", {}), **case.get("tables", {})}
            for engine, _ in ENGINES:
                gap = case.get("gaps", {}).get(engine)
                marks = [pytest.mark.xfail(reason=gap, raises=AssertionError)] if gap else []
                found.append(pytest.param(engine, case, id=f"{engine}-{file.stem}: {case['name']}", marks=marks))
    return found


@pytest.fixture(scope="module")
def runners() -> Mapping[str, Runner]:
    return {name: make() for name, make in ENGINES}


def _field(written: Mapping[str, Any]) -> Field:
    parts = tuple(_field(part) for part in written.get("fields", ()))
    return Field(written["name"], written["type"], written.get("mode", "NULLABLE"), None, parts)


def _typed(schema: Schema, row: Mapping[str, Any]) -> dict[str, Value]:
    return {field.name: parse_cell(field, row[field.name]) for field in schema if field.name in row}


def _tables(written: Mapping[str, Any]) -> dict[TableRef, TableData]:
    tables = {}
    for name, table in written.items():
        schema = tuple(_field(field) for field in table["schema"])
        tables[TableRef.parse(name)] = TableData(schema, tuple(_typed(schema, row) for row in table.get("rows", ())))
    return tables


def _parameters(written: Mapping[str, Any]) -> dict[str, ParameterValue]:
    from etl_orchestrator.engines.googlesql.types import parse_type

    return {
        name: ParameterValue(kind, parse_cell(parse_type(name, kind), cell)) for name, (kind, cell) in written.items()
    }


def _same_rows(got: list[dict[str, Value]], expected: list[dict[str, Value]], ordered: bool) -> bool:
    if len(got) != len(expected):
        return False
    if ordered:
        return all(equal(a, b) for a, b in zip(got, expected, strict=True))
    left = list(got)
    for row in expected:
        match = next((index for index, other in enumerate(left) if equal(row, other)), None)
        if match is None:
            return False
        left.pop(match)
    return True


@pytest.mark.parametrize(("engine", "case"), _cases())
def test_case(engine: str, case: Mapping[str, Any], runners: Mapping[str, Runner]) -> None:
    tables, parameters = _tables(case["tables"]), _parameters(case.get("parameters", {}))
    refused = case.get("unsupported", {}).get(engine)
    if refused:
        with pytest.raises(Unsupported, match=re.escape(refused)):
            runners[engine].run(case["sql"], tables, parameters)
        return
    rows = runners[engine].run(case["sql"], tables, parameters)
    if "problem" in case:
        assert rows.problem, f"no problem but {rows.rows}"
        assert re.search(case["problem"], rows.problem.message)
        return
    _check_rows(rows, case)


def _check_rows(rows: Rows, case: Mapping[str, Any]) -> None:
    assert rows.problem is None
    if "columns" in case:
        shapes = [f"{c.name} {c.type}" + (" REPEATED" if c.mode == "REPEATED" else "") for c in rows.columns]
        assert shapes == case["columns"]
    for row in case["expect"]:
        assert list(row) == [column.name for column in rows.columns]
    expected = [_typed(rows.columns, row) for row in case["expect"]]
    assert _same_rows(rows.dicts(), expected, case.get("ordered", False)), f"got {rows.dicts()}"
