"""The double answers what it was told."""

from __future__ import annotations

from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Analysis, Analyzer, Rows, Runner, TableData

TABLE = TableRef("proj-one", "shop", "orders")


def test_it_plays_both_roles_by_text() -> None:
    engine = Scripted({"q": Analysis((Field("a", "DATE"),))}, {"q": Rows((), ((1,),))}, {"q": (TABLE,)})
    analyzer: Analyzer = engine
    runner: Runner = engine
    assert analyzer.analyze("q", {}, {}).columns == (Field("a", "DATE"),)
    assert analyzer.references("q") == (TABLE,)
    assert runner.run("q", {}, {}).rows == ((1,),)
    assert engine.asked == ["q", "q"]


def test_what_was_not_scripted_is_a_problem() -> None:
    assert Scripted().analyze("x", {}, {}).problem
    assert Scripted().run("x", {}, {}).problem
    assert Scripted().references("x") == ()


def test_it_answers_by_function() -> None:
    engine = Scripted(
        analyses=lambda sql: Analysis((Field(sql, "DATE"),)),
        results=lambda sql, tables: Rows((), tuple((len(data.rows),) for data in tables.values())),
    )
    assert engine.analyze("x", {}, {}).columns[0].name == "x"
    assert engine.run("x", {TABLE: TableData((), ({}, {}))}, {}).rows == ((2,),)
