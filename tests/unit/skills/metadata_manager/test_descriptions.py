from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.authors.scripted import ScriptedAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.requirements import Body, Column, Partitioning, Request, Requirements, Schedule
from etl_orchestrator.skills.metadata_manager.descriptions import described
from etl_orchestrator.skills.metadata_manager.wording import generated
from etl_orchestrator.table import Field, TableRef, walk
from etl_orchestrator.tools import Analysis, BaseField, Lineage, Tools

TABLE = TableRef("acme-data", "shop_derived", "daily_v1")
ORDERS = TableRef("acme-data", "shop_derived", "orders_v1")
COUNTRY = Field("country", "STRING")
COPIED = Analysis((COUNTRY,), (ORDERS,), {"country": Lineage("copied", ((ORDERS, "land"),))})


def model(*columns: Column) -> Model:
    body = Body(columns=columns)
    request = Request("r.yaml", "0", TABLE)
    return Model(
        TABLE, Requirements(request, TABLE, "Orders.", body, (), (ORDERS,), Partitioning(True), Schedule(dag="d"))
    )


def tools(**said: Any) -> Tools:
    engine = Scripted()
    author = said.pop("author", RulesAuthor())
    return Tools(engine, engine, Memory(**said), author)


#: Every place that may know a word, the preferred one first.
SOURCES: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    (
        "base schema",
        {"base": {"": (BaseField("country", "From the base.", origin="global.yaml"),)}},
        "From the base.",
        "global.yaml",
    ),
    (
        "source column",
        {"schemas": {ORDERS: (Field("land", "STRING", description="From the source."),)}},
        "From the source.",
        f"{ORDERS}.land",
    ),
    (
        "sibling tables",
        {"descriptions": {"country": ("From siblings.", 7)}},
        "From siblings.",
        "7 columns of this name are described so",
    ),
)


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_the_first_place_that_has_words_wins(first: int) -> None:
    known: dict[str, Any] = {}
    for _, said, _, _ in SOURCES[first:]:
        known |= said
    schema, notes = described((COUNTRY,), model(Column("country")), tools(**known), COPIED)
    source, _, text, detail = SOURCES[first]
    assert schema[0].description == text
    assert notes == (Note("country", source, detail),)


def test_the_requirement_wins_over_all() -> None:
    known: dict[str, Any] = {}
    for _, said, _, _ in SOURCES:
        known |= said
    wanted = model(Column("country", description="As the person says."))
    schema, notes = described((COUNTRY,), wanted, tools(**known), COPIED)
    assert schema[0].description == "As the person says."
    assert notes == (Note("country", "requirement", ""),)


def test_the_base_schema_of_the_dataset_comes_first_and_a_name_before_an_alias() -> None:
    base: dict[str, tuple[BaseField, ...]] = {
        "shop_derived": (BaseField("nation", "By alias.", ("country",), origin="shop.yaml"),),
        "": (BaseField("country", "By name.", origin="global.yaml"),),
    }
    schema, _ = described((COUNTRY,), model(Column("country")), tools(base=base), COPIED)
    assert schema[0].description == "By name."
    base["shop_derived"] += (BaseField("country", "Of the dataset.", origin="shop.yaml"),)
    schema, _ = described((COUNTRY,), model(Column("country")), tools(base=base), COPIED)
    assert schema[0].description == "Of the dataset."


def test_an_alias_is_told() -> None:
    base = {"": (BaseField("nation", "A nation.", ("country",), origin="global.yaml"),)}
    _, notes = described((COUNTRY,), model(Column("country")), tools(base=base), COPIED)
    assert notes == (Note("country", "base schema", "global.yaml, an alias of nation"),)


def test_what_is_computed_is_not_described_by_its_source() -> None:
    computed = replace(COPIED, lineage={"country": Lineage("computed", ((ORDERS, "land"),))})
    known = {ORDERS: (Field("land", "STRING", description="Land of the order."),)}
    schema, notes = described((COUNTRY,), model(Column("country")), tools(schemas=known), computed)
    assert schema[0].description == "Country, computed from orders_v1.land."
    assert notes[0].source == "generated"


def test_the_words_of_one_other_column_are_not_taken() -> None:
    _, notes = described((COUNTRY,), model(Column("country")), tools(descriptions={"country": ("Odd.", 1)}), Analysis())
    assert notes[0].source == "generated"


def test_an_author_comes_before_the_rule() -> None:
    author = ScriptedAuthor([" A  country.\n"])
    schema, notes = described((COUNTRY,), model(Column("country")), tools(author=author), COPIED)
    assert schema[0].description == "A country."
    assert notes == (Note("country", "generated", "by scripted"),)
    assert author.history[0].context["sources"] == f"{ORDERS}.land"


def test_an_author_is_not_asked_where_somebody_has_said_it() -> None:
    author = ScriptedAuthor(["A country."])
    described((COUNTRY,), model(Column("country", description="Said.")), tools(author=author), COPIED)
    assert author.history == []


def test_parts_are_described_too_from_the_same_places() -> None:
    items = Field(
        "items",
        "RECORD",
        "REPEATED",
        fields=(Field("product", "STRING"), Field("price", "NUMERIC"), Field("n", "INTEGER")),
    )
    source = replace(
        items,
        description="What was ordered.",
        fields=(Field("product", "STRING", description="Its name."), *items.fields[1:]),
    )
    analysis = Analysis((items,), (ORDERS,), {"items": Lineage("copied", ((ORDERS, "items"),))})
    wanted = model(Column("items", fields=(Column("price", description="In euro."),)))
    schema, notes = described((items,), wanted, tools(schemas={ORDERS: (source,)}), analysis)
    assert [(path, field.description) for path, field in walk(schema)] == [
        ("items", "What was ordered."),
        ("items.product", "Its name."),
        ("items.price", "In euro."),
        ("items.n", "N of `items`."),
    ]
    assert [note.source for note in notes] == ["source column", "source column", "requirement", "generated"]
    assert [note.at for note in notes] == ["items", "items.product", "items.price", "items.n"]


def test_a_table_without_requirements_speaks_through_its_schema_yaml() -> None:
    text = "fields:\n- name: country\n  type: STRING\n  description: As it stands.\n"
    standing = Model(TABLE, artifacts=(Artifact(paths.schema_yaml(TABLE), text, "metadata"),))
    schema, notes = described((COUNTRY,), standing, tools(), COPIED)
    assert schema[0].description == "As it stands."
    assert notes == (Note("country", "schema.yaml", "as it stands"),)


@pytest.mark.parametrize(
    ("field", "lineage", "sentence"),
    [
        (
            Field("n_orders", "INTEGER"),
            Lineage("aggregated", ((ORDERS, "id"),)),
            "Number of orders, aggregated from orders_v1.id.",
        ),
        (Field("report_count", "INTEGER"), None, "Number of reports."),
        (Field("city_count", "INTEGER"), None, "Number of cities."),
        (Field("new_days_count", "INTEGER"), None, "Number of new days."),
        (Field("avg_price", "FLOAT"), Lineage("aggregated"), "Average price."),
        (Field("is_open", "BOOLEAN"), Lineage("constant"), "Whether it is open, the same in every row."),
        (
            Field("opened_at", "TIMESTAMP"),
            Lineage("copied", ((ORDERS, "t"),)),
            "Time of opened, taken from orders_v1.t.",
        ),
        (Field("tags", "STRING", "REPEATED"), None, "List of tags."),
        (
            Field("x", "STRING"),
            Lineage("computed", tuple((ORDERS, c) for c in "abcde")),
            "X, computed from orders_v1.a, orders_v1.b, orders_v1.c and 2 more.",
        ),
        (Field("_", "STRING"), None, "_."),
    ],
)
def test_generated_sentences(field: Field, lineage: Lineage | None, sentence: str) -> None:
    assert generated(field.name, field, lineage) == sentence
