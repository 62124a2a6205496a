"""The open questions on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from etl_orchestrator import intake
from etl_orchestrator.requirements import Request

Change = Callable[[str, str], str]


class Person:
    """Types the lines it was given, then nothing more."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.prompts: list[str] = []
        self.heard: list[str] = []

    def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def asked(self, shop: Any, request: Request) -> Request:
        return intake.ask(request, shop.tools, self.read, self.heard.append)


def test_nobody_is_asked_when_nothing_is_open(shop: Any, whole_text: str) -> None:
    person = Person()
    request = shop.read(whole_text)
    assert person.asked(shop, request) == request
    assert person.prompts == []
    assert person.heard == []


def test_questions_are_asked_one_by_one_and_the_answers_kept(shop: Any, changed: Change) -> None:
    text = changed("    join: LEFT\n", "").replace("grain: [submission_date, shop_id]\n", "")
    person = Person("2", "1")
    request = person.asked(shop, shop.read(text))
    assert person.prompts == ["sources.1.join:", "grain:"]
    assert request.answers == {"sources.1.join": "LEFT", "grain": "submission_date, shop_id"}
    assert shop.questions(request) == ()
    assert "  2  LEFT" in person.heard
    assert yaml.safe_load(intake.write_answers(request)) == dict(request.answers)


def test_an_answer_may_open_further_questions(shop: Any, changed: Change) -> None:
    person = Person("static.shops_v1", "orders.shop_id = shops.shop_id")
    text = changed("table: static.shops_v1", "table: static.shop_v1").replace(
        "    on: orders.shop_id = shops.shop_id\n", ""
    )
    request = person.asked(shop, shop.read(text))
    assert shop.questions(request) == ()


def test_what_cannot_be_read_is_asked_again(shop: Any, changed: Change) -> None:
    person = Person("as usual", "daily on submission_date")
    request = person.asked(
        shop, shop.read(changed("partitioning: {incremental: true, field: submission_date, type: day}\n", ""))
    )
    assert request.partitioning is not None
    assert any("not understood" in line for line in person.heard)


def test_three_bad_answers_leave_a_question_open(shop: Any, changed: Change) -> None:
    person = Person("x y", "x y", "x y", "never read")
    request = person.asked(shop, shop.read(changed("    join: LEFT\n", "")))
    assert person.lines == ["never read"]
    assert [question.element for question in shop.questions(request)] == ["sources.1.join"]


def test_an_empty_line_leaves_one_question_open_and_goes_on(shop: Any, changed: Change) -> None:
    text = changed("    join: LEFT\n", "").replace("grain: [submission_date, shop_id]\n", "")
    person = Person("", "1")
    request = person.asked(shop, shop.read(text))
    assert [question.element for question in shop.questions(request)] == ["sources.1.join"]


def test_an_answer_that_settles_nothing_is_not_asked_for_ever(shop: Any, changed: Change) -> None:
    person = Person("static.nowhere_v1", "static.nowhere_v2", "static.shops_v1")
    request = person.asked(shop, shop.read(changed("table: static.shops_v1", "table: static.shop_v1")))
    assert len(person.prompts) <= 3
    assert request.answers


def test_the_end_of_input_leaves_everything_open(shop: Any) -> None:
    person = Person()
    request = person.asked(shop, shop.read("description: a wish"))
    assert len(shop.questions(request)) == 6
    assert len(person.prompts) == 6


def test_an_answer_that_the_check_refuses_is_asked_again_and_earlier_answers_stay(shop: Any, changed: Change) -> None:
    text = changed("    join: LEFT\n", "").replace("    on: orders.shop_id = shops.shop_id\n", "")
    person = Person("2", "orders.shop_id = ) shops", "orders.shop_id = shops.shop_id")
    request = person.asked(shop, shop.read(text))
    assert shop.questions(request) == ()
    assert request.answers == {"sources.1.join": "LEFT", "sources.1.on": "orders.shop_id = shops.shop_id"}
    assert person.prompts == ["sources.1.join:", "sources.1.on:", "sources.1.on:"]
