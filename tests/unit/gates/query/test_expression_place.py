"""A place of the query is told as the expression of the requirements that stands there."""

from __future__ import annotations

import pytest

from etl_orchestrator import intake
from etl_orchestrator.gates.query._expression_place import place_of_expression
from etl_orchestrator.requirements import Request
from etl_orchestrator.tools import SqlProblem

YAML = b"""table: shop_derived.daily_orders_v1
sources:
  - table: shop_derived.orders_v1
    alias: orders
    filter: day = @submission_date
  - {table: shop_derived.customers_v1, alias: customers, join: LEFT, on: orders.customer_id = customers.customer_id}
steps:
  - name: paid
    sources: [{table: shop_derived.orders_v1, alias: orders}]
    columns: [{name: day}, {name: paid, expression: SUM(orders.amount)}]
where: amount > 0
columns:
  - name: day
  - name: revenue
    expression: >-
      SUM(amount)
  - {name: twice, expression: 2 * SUM(amount)}
refuse_when:
  - {condition: COUNT(*) = 0, message: no orders}
"""
MARKDOWN = b"""# Daily orders

## Source data

| Table | Alias | Join | Join keys | Filter logic |
|---|---|---|---|---|
| shop_derived.orders_v1 | orders | | | `day = @submission_date` |

## Fields

| Field | Description | Type | Business logic |
|---|---|---|---|
| day | The day. | DATE | |
| revenue | What was paid. | INTEGER | `SUM(amount)` |

## Rows to keep

- where `amount > 0`
"""
QUERY = """WITH paid AS (
  SELECT day, SUM(orders.amount) AS paid FROM `acme-data.shop_derived.orders_v1` AS orders GROUP BY day
)
SELECT
  orders.day,
  SUM(orders.amount) AS revenue,
  2 * SUM(orders.amount) AS twice,
FROM (SELECT * FROM `acme-data.shop_derived.orders_v1` AS orders WHERE orders.day = @submission_date) AS orders
LEFT JOIN `acme-data.shop_derived.customers_v1` AS customers ON orders.customer_id = customers.customer_id
WHERE orders.amount > 0
  AND IF(COUNT(*) = 0, ERROR("no orders"), TRUE)
"""


def _request(name: str, data: bytes) -> Request:
    return intake.read_request(name, data, "acme-data")


def _place(request: Request, words: str, at: str, message: str = "Name not found") -> tuple[str, str] | None:
    """The place of `at` within the one line of the query that holds the words."""
    ((number, line),) = [(n, line) for n, line in enumerate(QUERY.split("\n"), 1) if words in line]
    problem = SqlProblem(message, number, line.index(words) + words.index(at) + 1)
    return place_of_expression(request, QUERY, problem)


@pytest.mark.parametrize(
    ("words", "at", "element", "line"),
    [
        ("orders.day,", "day", "columns.day.expression", 13),
        ("SUM(orders.amount) AS revenue", "amount", "columns.revenue.expression", 15),
        ("2 * SUM(orders.amount)", "SUM", "columns.twice.expression", 17),
        ("WHERE orders.day = @", "=", "sources.0.filter", 5),
        ("customers.customer_id", "customer_id", "sources.1.on", 6),
        ("WHERE orders.amount > 0", ">", "where", 11),
        ("COUNT(*) = 0", "COUNT", "refuse_when.0.condition", 19),
    ],
)
def test_an_expression_is_found_with_the_line_of_the_yaml_file(words: str, at: str, element: str, line: int) -> None:
    assert _place(_request("asked.yaml", YAML), words, at) == (element, f"asked.yaml:{line}")


@pytest.mark.parametrize(
    ("words", "at", "element", "line"),
    [
        ("SUM(orders.amount) AS revenue", "amount", "columns.revenue.expression", 14),
        ("WHERE orders.day = @", "=", "sources.0.filter", 7),
        ("WHERE orders.amount > 0", ">", "where", 18),
    ],
)
def test_in_a_markdown_file_it_is_the_row_of_the_table_or_the_heading(
    words: str, at: str, element: str, line: int
) -> None:
    assert _place(_request("asked.md", MARKDOWN), words, at) == (element, f"asked.md:{line}")


def test_what_a_rule_wrote_is_at_no_place_of_the_requirements() -> None:
    assert _place(_request("asked.yaml", YAML), "LEFT JOIN", "LEFT") is None
    assert _place(_request("asked.yaml", YAML), 'ERROR("no orders")', "ERROR") is None


def test_the_grammar_stumbles_over_what_follows_the_fault() -> None:
    request = _request("asked.yaml", YAML)
    assert _place(request, "orders.day,", "orders", "Syntax error: Unexpected orders") is None
    assert _place(request, "orders.day,", "day", "Syntax error: Unexpected day") is not None
