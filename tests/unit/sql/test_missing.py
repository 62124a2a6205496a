"""missing: where a name stands that nobody knows, and which one may be meant."""

from __future__ import annotations

import pytest

from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.sql.missing import Missing, StandingNames, placed
from etl_orchestrator.sql.near_names import nearest
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.table import TableRef

FILES = (
    "sql/acme-data/shop_derived/daily_orders_v1/query.sql",
    "sql/acme-data/shop_derived/daily_orders_v1/schema.yaml",
    "sql/acme-data/other_derived/daily_orders_v1/query.sql",
    "sql/acme-data/shop/daily_orders/view.sql",
    "sql/acme-data/shop/dataset_metadata.yaml",
    "sql/acme-tools/text/first_word/udf.sql",
)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("acme-data.shop_derived.daily_order_v1", "acme-data.shop_derived.daily_orders_v1"),
        ("acme-data.shop_derved.daily_orders_v1", "acme-data.shop_derived.daily_orders_v1"),
        ("acme-dtaa.shop_derived.daily_orders_v1", "acme-data.shop_derived.daily_orders_v1"),
        ("another-one.shop.daily_orders", "acme-data.shop.daily_orders"),
        ("acme-public.shop.daily_odrers", "acme-public.shop.daily_orders"),
        ("acme-data.finance.daily_orders", None),
        ("acme-data.shop_derived.riders_v1", None),
        ("acme-tools.text.first_wrod", None),
        ("acme-data.shop.*", None),
    ],
)
def test_the_name_that_may_be_meant(name: str, near: str | None) -> None:
    def published_from(table: TableRef) -> TableRef | None:
        return TableRef("acme-data", table.dataset, table.name) if table.project == "acme-public" else None

    names = StandingNames(Memory({}, files=dict.fromkeys(FILES, "")), published_from)
    found = names.near(TableRef.parse(name))
    assert (found and str(found)) == near
    assert (
        str(names.near(TableRef("acme-tools", "text", "first_wrod"), is_routine=True)) == "acme-tools.text.first_word"
    )


def test_the_last_part_of_a_name_decides_then_the_whole() -> None:
    among = ["a.x.orders", "a.y.orders", "a.y.order", "a.y.riders"]
    assert nearest("a.y.ordrs", among) == ("a.y.orders", "a.x.orders", "a.y.order")
    assert nearest("a.y.orders", among, least=0.95) == ("a.y.orders", "a.x.orders")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("SELECT 1\nFROM\n  `acme-data.shop.gone`", "q.sql:3:3"),
        ("SELECT 1 FROM `acme-data`.shop . `gone`", "q.sql:1:15"),
        ("SELECT 'shop.gone' -- shop.gone\nFROM shop.gone", "q.sql:2:6"),
        ("{% for n in [1, 2] %}\nSELECT {{ n }}\nFROM shop.gone;\n{% endfor %}", "q.sql:3:6"),
        ("{% set name = 'gone' %}\nSELECT 1 FROM shop.{{ name }}", "q.sql:2:15"),
        ("EXECUTE IMMEDIATE 'SELECT 1 FROM shop.gone'", "q.sql"),
        ("SELECT `", "q.sql"),
    ],
)
def test_the_place_is_that_of_the_template(text: str, at: str) -> None:
    template = Template(text, lambda _: None, "q.sql")
    with pytest.raises(Missing) as caught, placed(template, template.render()):
        raise Missing(TableRef("acme-data", "shop", "gone"), "correct it")
    assert caught.value.at == at
    inner, outer = caught.value, Template("SELECT 1 FROM shop.gone", lambda _: None, "outer.sql")
    with pytest.raises(Missing), placed(outer, outer.text):
        raise inner
    assert inner.at == at
