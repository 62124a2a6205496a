"""The verb `lineage`: sources of columns through queries and views, and who reads a table."""

from __future__ import annotations

from typing import Any

import pytest

from etl_orchestrator import api

PROJECT = "acme-data"
FILES = {
    "raw_v1/schema.yaml": """\
fields:
- {name: day, type: DATE}
- {name: user, type: RECORD, fields: [{name: id, type: STRING}, {name: age, type: INTEGER}]}
- {name: tags, type: STRING, mode: REPEATED}
- {name: price, type: NUMERIC}
""",
    "inner/view.sql": """\
CREATE OR REPLACE VIEW `acme-data.shop.inner` AS
SELECT day, user AS person, user.age + 1 AS next_age, tags, price, 'shop' AS origin FROM `acme-data.shop.raw_v1`
""",
    "outer/view.sql": """\
CREATE OR REPLACE VIEW `acme-data.shop.outer` AS
SELECT *, SUM(price) OVER (PARTITION BY day) AS day_price FROM `acme-data.shop.inner`
""",
    "daily_v1/query.sql": """\
WITH tagged AS (
  SELECT o.day, o.person.id AS rider, tag, STRUCT(o.price AS amount, o.next_age AS age) AS facts, o.day_price, o.origin
  FROM `acme-data.shop.outer` AS o CROSS JOIN UNNEST(o.tags) AS tag
)
SELECT
  day,
  rider,
  UPPER(tag) AS tag,
  facts.amount AS amount,
  facts.age,
  origin,
  MAX(day_price) AS day_price,
  COUNT(*) AS n,
  @submission_date AS run,
  CURRENT_DATE() AS today,
FROM tagged GROUP BY ALL
UNION ALL SELECT day, rider, tag, amount, age, origin, day_price, n, run, today FROM `acme-data.shop.daily_v1`
""",
    "daily_v1/schema.yaml": """\
fields:
- {name: day, type: DATE}
- {name: rider, type: STRING}
- {name: tag, type: STRING}
- {name: amount, type: NUMERIC}
- {name: age, type: INTEGER}
- {name: origin, type: STRING}
- {name: day_price, type: NUMERIC}
- {name: n, type: INTEGER}
- {name: run, type: DATE}
- {name: today, type: DATE}
""",
    "broken/view.sql": "CREATE VIEW `acme-data.shop.broken` AS SELECT nothing FROM `acme-data.shop.raw_v1`\n",
    "odd_v1/query.sql": "SELECT {{ oops( FROM x\n",
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> api.Workplace:
    root = tmp_path_factory.mktemp("lineage") / "repository"
    assert api.init(root, PROJECT).status == "delivered"
    for name, text in FILES.items():
        file = root / "sql" / PROJECT / "shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return api.Workplace(root)


def _columns(workplace: api.Workplace, table: str, **how: Any) -> dict[str, tuple[str, list[str], str]]:
    outcome = api.lineage(workplace, [table], **how)
    assert outcome.status == "delivered", outcome.error
    return {
        column["name"]: (
            column["kind"],
            [f"{source['table'].removeprefix('acme-data.shop.')}.{source['column']}" for source in column["sources"]],
            column["note"],
        )
        for column in outcome.data["columns"]
    }


def test_through_views_down_to_tables(workplace: api.Workplace) -> None:
    assert _columns(workplace, "shop.outer") == {
        "day": ("copied", ["raw_v1.day"], ""),
        "person": ("copied", ["raw_v1.user"], ""),
        "next_age": ("computed", ["raw_v1.user.age"], ""),
        "tags": ("copied", ["raw_v1.tags"], ""),
        "price": ("copied", ["raw_v1.price"], ""),
        "origin": ("constant", [], ""),
        "day_price": ("computed", ["raw_v1.price"], ""),  # a window keeps the rows
    }


def test_through_queries_structs_and_arrays_and_back_to_itself(workplace: api.Workplace) -> None:
    found = _columns(workplace, "shop.daily_v1")
    assert found["rider"] == ("copied", ["raw_v1.user.id", "daily_v1.rider"], "")
    assert found["tag"] == ("computed", ["raw_v1.tags", "daily_v1.tag"], "")
    assert found["amount"] == ("copied", ["raw_v1.price", "daily_v1.amount"], "")
    assert found["age"] == ("computed", ["raw_v1.user.age", "daily_v1.age"], "")
    assert found["origin"][1] == ["daily_v1.origin"]
    assert found["day_price"] == ("aggregated", ["raw_v1.price", "daily_v1.day_price"], "")
    assert found["n"] == ("aggregated", ["daily_v1.n"], "")


def test_it_may_stop_at_views(workplace: api.Workplace) -> None:
    found = _columns(workplace, "shop.daily_v1", through_views=False)
    assert found["rider"] == ("copied", ["outer.person.id", "daily_v1.rider"], "")
    assert found["day_price"] == ("aggregated", ["outer.day_price", "daily_v1.day_price"], "")


def test_no_column_is_silently_without_sources(workplace: api.Workplace) -> None:
    file = workplace.root / "sql" / PROJECT / "shop" / "counts_v1" / "query.sql"
    file.parent.mkdir(exist_ok=True)
    file.write_text("SELECT COUNT(*) AS n, 1 AS one, CURRENT_DATE() AS today FROM `acme-data.shop.raw_v1`\n")
    assert _columns(workplace, "shop.counts_v1") == {
        "n": ("aggregated", [], "counts rows of acme-data.shop.raw_v1"),
        "one": ("constant", [], ""),
        "today": ("computed", [], "made by functions that read no column (the clock, a random number)"),
    }


def test_what_cannot_be_followed_is_said(workplace: api.Workplace) -> None:
    refused = api.lineage(workplace, ["shop.broken"])
    assert (refused.status, refused.exit_code) == ("refused", 2)
    assert "nothing" in str(refused.error)
    none = api.lineage(workplace, ["shop.raw_v1"])
    assert (none.status, none.exit_code) == ("unchecked", 4)


def test_downstream_names_the_readers_and_their_columns(workplace: api.Workplace) -> None:
    outcome = api.lineage(workplace, ["shop.inner"], downstream=True)
    (reader,) = outcome.data["readers"]
    assert (reader["table"], reader["path"]) == ("acme-data.shop.outer", "sql/acme-data/shop/outer/view.sql")
    assert {"name": "day_price", "kind": "computed", "from": ["price"]} in reader["columns"]
    assert outcome.data["unread"] == ["sql/acme-data/shop/odd_v1/query.sql"]
    readers = api.lineage(workplace, ["shop.raw_v1"], downstream=True).data["readers"]
    assert {"shop.inner", "shop.broken"} <= {one["table"].removeprefix("acme-data.") for one in readers}
    assert next(one for one in readers if one["table"].endswith("broken"))["unknown"] != ""


def test_downstream_of_a_table_that_is_nowhere_is_refused_and_of_one_that_is_read_or_lies_elsewhere_is_not(
    workplace: api.Workplace,
) -> None:
    slip = api.lineage(workplace, ["shop.iner"], downstream=True)
    assert (slip.status, slip.exit_code) == ("refused", 2)
    assert slip.error is not None
    assert (slip.error.at, slip.error.fix) == ("sql/acme-data/shop/iner", "did you mean `acme-data.shop.inner`?")
    assert api.lineage(workplace, ["other-data.elsewhere.unread_v1"], downstream=True).data["readers"] == []
    _write(
        workplace, "reading", "CREATE VIEW `acme-data.shop.reading` AS SELECT day FROM `acme-data.shop.outside_v1`\n"
    )
    assert len(api.lineage(workplace, ["shop.outside_v1"], downstream=True).data["readers"]) == 1
    (workplace.root / "sql" / PROJECT / "shop" / "reading" / "view.sql").unlink()


def _write(workplace: api.Workplace, view: str, text: str) -> None:
    file = workplace.root / "sql" / PROJECT / "shop" / view / "view.sql"
    file.parent.mkdir()
    file.write_text(text)


def test_the_index_sees_a_reader_that_comes_and_goes(workplace: api.Workplace) -> None:
    file = workplace.root / "sql" / PROJECT / "shop" / "late" / "view.sql"
    file.parent.mkdir()

    def readers() -> list[str]:
        found = api.lineage(api.Workplace(workplace.root), ["shop.outer"], downstream=True).data["readers"]
        return [one["table"].rpartition(".")[2] for one in found]

    assert readers() == ["daily_v1"]
    file.write_text("CREATE VIEW `acme-data.shop.late` AS SELECT day FROM `acme-data.shop.outer`\n")
    assert readers() == ["daily_v1", "late"]
    file.unlink()
    assert readers() == ["daily_v1"]


def test_the_index_sees_a_file_that_is_no_template_any_more(workplace: api.Workplace) -> None:
    _write(
        workplace, "marked", "CREATE VIEW `acme-data.shop.marked` AS SELECT '{{ 1' AS a FROM `acme-data.shop.raw_v1`\n"
    )
    settings = workplace.root / "bqetl_project.yaml"
    before = settings.read_text()

    def readers() -> set[str]:
        found = api.lineage(api.Workplace(workplace.root), ["shop.raw_v1"], downstream=True).data["readers"]
        return {one["table"].rpartition(".")[2] for one in found}

    assert "marked" not in readers()
    settings.write_text(f"{before}\nrender: {{skip: [sql/acme-data/shop/marked/view.sql]}}\n")
    assert "marked" in readers()
    settings.write_text(before)
    assert "marked" not in readers()
    (workplace.root / "sql" / PROJECT / "shop" / "marked" / "view.sql").unlink()
