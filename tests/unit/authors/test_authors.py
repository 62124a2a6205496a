"""Authors propose text or stay silent."""

from __future__ import annotations

from etl_orchestrator.authors import AUTHORS, RulesAuthor, ScriptedAuthor
from etl_orchestrator.tools import Author, Task

TASK = Task("description", "describe `city_code`", {"table": "p.d.t"})


def test_the_rules_have_nothing_to_say_to_any_task() -> None:
    author: Author = RulesAuthor()
    assert [author.write(Task(kind, "")) for kind in ("expression", "query", "description", "repair")] == [None] * 4


def test_the_scripted_author_gives_its_answers_in_order_then_nothing() -> None:
    author = ScriptedAuthor(["one", None, "three"])
    assert [author.write(TASK) for _ in range(5)] == ["one", None, "three", None, None]
    assert author.history == [TASK] * 5


def test_an_author_who_was_told_nothing_says_nothing() -> None:
    author = ScriptedAuthor()
    assert author.write(TASK) is None
    assert author.history == [TASK]


def test_every_author_has_a_name_of_its_own() -> None:
    names = [author.name for author in AUTHORS]
    assert names == ["rules", "scripted"]
