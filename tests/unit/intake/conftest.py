"""A bookshop: its tables, its DAGs, and requirements that lack nothing, to be changed piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from etl_orchestrator import intake
from etl_orchestrator.authors import RulesAuthor, ScriptedAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.requirements import Question, Request, Requirements
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Dag, Settings, TableFacts, Tools

PROJECT = "books-data"

#: Requirements with nothing missing.
WHOLE = """\
table: sales_derived.daily_sales_v1
description: Sales per day and shop.
grain: [submission_date, shop_id]
sources:
  - table: sales_live.orders_v1
    alias: orders
    filter: submission_date = @submission_date
  - table: static.shops_v1
    alias: shops
    join: LEFT
    on: orders.shop_id = shops.shop_id
where: orders.status = 'paid'
columns:
  - name: submission_date
  - name: shop_id
    expression: orders.shop_id
  - name: city
    expression: ANY_VALUE(shops.city)
  - name: order_count
    expression: COUNT(*)
partitioning: {incremental: true, field: submission_date, type: day}
schedule: {dag: bqetl_sales}
"""

ORDERS = (
    Field("submission_date", "DATE"),
    Field("order_id", "STRING"),
    Field("shop_id", "STRING"),
    Field("customer_id", "STRING"),
    Field("status", "STRING"),
    Field("amount", "NUMERIC"),
    Field("lines", "RECORD", "REPEATED", None, (Field("isbn", "STRING"), Field("price", "NUMERIC"))),
    Field("tags", "STRING", "REPEATED"),
    Field("address", "RECORD", "NULLABLE", None, (Field("city", "STRING"),)),
)
SHOPS = (Field("shop_id", "STRING"), Field("city", "STRING"), Field("opened_on", "DATE"))


def ref(name: str) -> TableRef:
    return TableRef.parse(name, PROJECT)


@dataclass
class Shop:
    """The door with everything behind it."""

    tools: Tools
    analyzer: Scripted

    def read(self, text: str, path: str = "requirements.yaml") -> Request:
        return intake.read_request(path, text.encode(), PROJECT)

    def questions(self, text: str | Request, path: str = "requirements.yaml") -> tuple[Question, ...]:
        request = self.read(text, path) if isinstance(text, str) else text
        return intake.questions(request, self.tools)

    def asked(self, text: str | Request, path: str = "requirements.yaml") -> list[str]:
        """The elements asked about, in order."""
        return [question.element for question in self.questions(text, path)]

    def accept(self, text: str | Request, path: str = "requirements.yaml") -> Requirements:
        return intake.accept(self.read(text, path) if isinstance(text, str) else text, self.tools)


def whole(old: str = "", new: str = "") -> str:
    """The whole requirements with one piece replaced."""
    assert old in WHOLE, f"{old!r} is not part of the requirements"
    return WHOLE.replace(old, new, 1) if old else WHOLE


@pytest.fixture
def catalog() -> Memory:
    names = ["sales_live.orders_v1", "static.shops_v1", "sales_live.unknown_shape_v1", "sales_derived.monthly_sales_v1"]
    return Memory(
        schemas={ref("sales_live.orders_v1"): ORDERS, ref("static.shops_v1"): SHOPS},
        facts=[TableFacts(ref(name), "query.sql") for name in names],
        known_dags=[Dag("bqetl_sales", "daily"), Dag("bqetl_stock", "daily"), Dag("bqetl_finance", "monthly")],
    )


@pytest.fixture
def make_shop(catalog: Memory) -> Callable[..., Shop]:
    def make(*answers: str | None) -> Shop:
        analyzer = Scripted()
        author = ScriptedAuthor(answers) if answers else RulesAuthor()
        return Shop(Tools(analyzer, analyzer, catalog, author, Settings(PROJECT)), analyzer)

    return make


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture
def changed() -> Callable[[str, str], str]:
    return whole


@pytest.fixture
def whole_text() -> str:
    return WHOLE
