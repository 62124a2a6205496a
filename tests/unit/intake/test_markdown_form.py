"""The Markdown form: headings in any wording, tables, blocks of SQL, and nothing dropped silently."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake.markdown_form import read_markdown
from etl_orchestrator.intake.markdown_text import cells, heading_key, sections
from etl_orchestrator.requirements import Body, Column, Parameter, Partitioning, RefuseWhen, Request, Schedule, Source
from etl_orchestrator.table import Field, TableRef

FULL = """\
# Daily sales requirements

Sales of a day
per shop.

A second paragraph.

## Table
`sales_derived.daily_sales_v1`

## 2) Row grain
One row per `shop_id` and `submission_date`.

### SOURCES
| Table | Alias | Join | Join key(s) | Filter logic | Notes | Asked of |
|---|:-:|---|---|---|---|---|
| `sales_live.orders_v1` | orders | | | `status = 'paid' \\| 'x'` | why | Ann |
| static.shops_v1 | | | LEFT JOIN on `shop_id` | | | |
| UNNEST(orders.lines) | line | CROSS | | line.price > 0 | | |

## Source schemas
```yaml
static.shops_v1:
  - {name: shop_id, type: STRING}
  - name: place
    type: RECORD
    fields: [{name: city, type: STRING}]
```

## Rows to keep
- where `orders.amount > 0`
- `orders.shop_id IS NOT NULL`
- having `COUNT(*) > 1`
- qualify `ROW_NUMBER() OVER (PARTITION BY order_id) = 1`
- distinct
- drop rows when `orders.status = 'test'`

## Field summary
| Field | Description | Type | Business Logic / Transform Notes | Agreed |
|-------|-------------|------|----------------|---|
| submission_date | | DATE | as is | |
| `shop_id` | The shop. | STRING, REQUIRED | `orders.shop_id` | yes |
| label | | STRING | `a || b` | |
| regulars | | INTEGER | customers with three orders or more | |
| places | | STRING, REPEATED | `ARRAY_AGG(orders.place)` | |
| detail | | RECORD | `ANY_VALUE(orders.detail)` | |
| detail.city | Where. | STRING | | |

## Parameters
| Name | Type | Value |
|---|---|---|
| `@download_date` | DATE | `{{ds}}` |

## Partitioning
- incremental, daily on submission_date
- clustered by shop_id
- keep 90 days
- filter required

## Scheduling
- DAG: bqetl_sales
- depends_on_past: true
- date_partition_parameter: null

## Owner
- Ann <ann@books.example>
- books/data
- the shop team

## Tier
tier 2

## Consumers
dashboards, the board

## Labels
- application: sales
- internal: true

## Monitoring
none

## Refuse when
- `COUNT(*) = 0`: no orders

## Notes
Read the till's manual.

## Examples
### Two orders
```yaml
given:
  sales_live.orders_v1:
    - {submission_date: 2025-06-01, country: NO}
expect:
  - {submission_date: 2025-06-01}
```
```yaml
- name: nothing
  expect: []
- expect: []
```
"""


def read(text: str, path: str = "f.md") -> Request:
    return read_markdown(text, path, "digest", "books-data")


def test_the_whole_form() -> None:
    request = read(FULL)
    assert request.table == TableRef("books-data", "sales_derived", "daily_sales_v1")
    assert request.friendly_name == "Daily sales"
    assert request.description == "Sales of a day per shop."
    assert request.grain == "One row per `shop_id` and `submission_date`."
    assert request.parameters == (Parameter("download_date", "DATE", "{{ds}}"),)
    assert request.partitioning == Partitioning(True, "submission_date", "day", 90, True)
    assert request.clustering == ("shop_id",)
    options = {"depends_on_past": True, "date_partition_parameter": None}
    assert request.schedule == Schedule("bqetl_sales", options=options)
    assert request.owners == ("ann@books.example", "books/data")
    assert request.tier == "tier_2"
    assert request.consumers == ("dashboards", "the board")
    assert request.labels == {"application": "sales", "internal": True}
    assert request.monitoring == "none"
    assert request.refuse_when == (RefuseWhen("COUNT(*) = 0", "no orders"),)


def test_sources() -> None:
    orders, shops, line = read(FULL).body.sources
    assert orders == Source(
        "orders", "books-data.sales_live.orders_v1", filter="status = 'paid' | 'x'", notes="why; Asked of: Ann"
    )
    assert (shops.alias, shops.join, shops.on) == ("shops", "LEFT", "shop_id")
    city = Field("place", "RECORD", "NULLABLE", None, (Field("city", "STRING"),))
    assert shops.schema == (Field("shop_id", "STRING"), city)
    assert line == Source("line", unnest="orders.lines", join="CROSS", filter="line.price > 0")


def test_conditions_go_where_they_belong() -> None:
    body = read(FULL).body
    assert (
        body.where == "(orders.amount > 0) AND (orders.shop_id IS NOT NULL) AND ((orders.status = 'test') IS NOT TRUE)"
    )
    assert body.having == "COUNT(*) > 1"
    assert body.qualify == "ROW_NUMBER() OVER (PARTITION BY order_id) = 1"
    assert body.distinct


def test_a_condition_on_an_output_column_goes_where_it_is_said_to() -> None:
    body = read(
        FULL.replace("having `COUNT(*) > 1`", "having: `regulars > 1`").replace("- distinct", "- qualify `rank <= 3`")
    ).body
    assert body.having == "regulars > 1"
    assert body.qualify == "(ROW_NUMBER() OVER (PARTITION BY order_id) = 1) AND (rank <= 3)"


def test_columns() -> None:
    columns = {column.name: column for column in read(FULL).body.columns}
    assert columns["submission_date"] == Column("submission_date", type="DATE")
    assert columns["shop_id"] == Column(
        "shop_id", "orders.shop_id", "The shop.", "STRING", "REQUIRED", notes="Agreed: yes"
    )
    assert columns["label"].expression == "a || b"
    assert columns["regulars"].expression is None
    assert columns["regulars"].notes == "customers with three orders or more"
    assert (columns["places"].type, columns["places"].mode) == ("STRING", "REPEATED")
    assert columns["detail"].fields == (Column("city", description="Where.", type="STRING"),)


def test_what_no_rule_understood_is_kept() -> None:
    kept = {prose.text: (prose.where, prose.line) for prose in read(FULL).prose}
    assert kept["A second paragraph."] == ("Daily sales requirements", 6)
    assert kept["the shop team"][0] == "Owner"
    assert kept["Read the till's manual."][0] == "Notes"


def test_examples_with_names_from_headings() -> None:
    first, second, third = read(FULL).examples
    assert first.name == "Two orders"
    assert first.given["books-data.sales_live.orders_v1"][0] == {"submission_date": "2025-06-01", "country": "NO"}
    assert [second.name, third.name] == ["nothing", "example 3"]


def test_lines() -> None:
    request = read(FULL)
    assert request.at("sources.1") == "f.md:18"
    assert request.at("columns.regulars") == "f.md:44"
    assert request.at("partitioning") == "f.md:54"


STEPS = """\
# Visits
## Source data
| Table | Alias | Join | Join key(s) | Filter |
|---|---|---|---|---|
| d.visits_v1 | visits | | | `visits.day = @submission_date` |
| d.people_v1 | people | LEFT | `known.person_id = people.person_id` | |
## Key logic
Robots do not count.
```sql known
SELECT DISTINCT v.person_id FROM visits AS v WHERE NOT v.is_robot
```
```sql
SELECT person_id, COUNT(*) AS n FROM known GROUP BY 1
```
- keep people when `n > 1`
- everyone else is ignored
## Fields
| Field | Logic |
|---|---|
| person_id | |
"""


def test_blocks_of_sql_are_steps_and_the_fields_read_the_last() -> None:
    request = read(STEPS)
    known, last = request.steps
    assert known.name == "known"
    assert known.body == Body(
        sources=(Source("v", "books-data.d.visits_v1", filter="v.day = @submission_date"),),
        columns=(Column("person_id", "v.person_id"),),
        where="NOT v.is_robot",
        distinct=True,
    )
    assert last.name == "logic_2"
    assert [source.alias for source in request.body.sources] == ["logic_2", "people"]
    assert request.body.sources[1].join == "LEFT"
    assert request.body.where == "n > 1"
    assert [prose.text for prose in request.prose] == ["Robots do not count.", "everyone else is ignored"]


@pytest.mark.parametrize(
    ("row", "alias"),
    [
        ("| d.visits_v1 | again | LEFT | person_id | |", "again"),
        ("| UNNEST(people.names) | name | CROSS | | |", "name"),
    ],
)
def test_a_listed_source_that_no_block_reads_is_a_source_of_the_fields(row: str, alias: str) -> None:
    head = next(line for line in STEPS.splitlines() if line.startswith("| d.visits_v1"))
    request = read(STEPS.replace(head, f"{head}\n{row}"))
    assert [source.alias for source in request.body.sources] == ["logic_2", alias, "people"]


def test_an_array_that_a_block_reads_is_no_further_source() -> None:
    head = next(line for line in STEPS.splitlines() if line.startswith("| d.visits_v1"))
    listed = STEPS.replace(head, f"{head}\n| UNNEST(v.pages) | page | CROSS | | |")
    request = read(listed.replace("WHERE NOT v.is_robot", "CROSS JOIN UNNEST(v.pages) AS page WHERE NOT v.is_robot"))
    assert [source.alias for source in request.body.sources] == ["logic_2", "people"]


TEMPLATE = """\
# <Name> Requirements
## 1. Overview
<What it is for>
## 2. Useful Links / Prior Work
<links>
## 3. Dependencies
**Upstream:** <tables>

**Downstream:** <who reads it>
## 4. Grain
<what a row is>
## 5. Source Data
| Table | Join Key(s) | Filter Logic | Notes |
|---|---|---|---|
| `<project.dataset.table>` | `<keys>` | `<filters>` | <why> |
## 6. Field Summary
| Field | Description | Type | Business Logic / Transform Notes |
|---|---|---|---|
| `<name>` | <meaning> | `<type>` | <logic> |
## 7. Questions This Model Should Answer
1. <a question>
## 8. Lineage Diagram
<link>
## 9. Data Governance
**Classification:** Bronze / Silver / Gold
**Retention Policy:** <days>
**PII / Sensitive Flags:** <yes or no>
## 10. Validation & QA
- rows are counted
## 11. Owner & Status
| Field | Value |
|---|---|
| Primary Owner | @<handle> |
---
## Working Notes (For SQL Development)
**Grain:** <again>
**Source Tables:**
- `<table1>` - <why>
**Key Transformations:**
- <one>
**Derived Fields:**
- `field_name` - <logic>
**Partitioning:** <daily on field>
**Scheduling:** <DAG>
**Blockers:** <none>
"""


def test_an_unfilled_template_says_nothing() -> None:
    request = read(TEMPLATE)
    assert request.body == Body()
    elements = (request.table, request.description, request.grain, request.partitioning, request.schedule)
    assert elements == (None, None, None, None, None)
    assert request.owners == ()
    assert [prose.text for prose in request.prose] == ["Bronze / Silver / Gold", "rows are counted"]


def test_a_filled_template() -> None:
    text = TEMPLATE
    for old, new in (
        ("<Name>", "Late Trains"),
        ("<What it is for>", "Trains that were late."),
        ("<what a row is>", "one row per train_id and submission_date"),
        ("`<project.dataset.table>` | `<keys>` | `<filters>`", "`p-rail.live.trains_v1` | train_id | `delay > 5`"),
        ("| <why> |\n## 6", "| delays |\n| `p-rail.live.lines_v1` | LEFT JOIN on train_id | | names |\n## 6"),
        ("| `<name>` | <meaning> | `<type>` | <logic> |", "| `train_id` | The train. | `STRING` | |"),
        ("@<handle>", "@ann, ann@rail.example"),
        ("<days>", "90 days"),
        ("**Grain:** <again>", "**Grain:** train_id, submission_date"),
        ("`<table1>` - <why>", "`p-rail.live.trains_v1` - the delays"),
        ("`field_name` - <logic>", "`minutes` - `SUM(delay)`"),
        ("<daily on field>", "daily on submission_date"),
        ("<DAG>", "bqetl_rail"),
        ("<who reads it>", "the board"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    request = read(text)
    assert request.friendly_name == "Late Trains"
    assert [(s.alias, s.filter, s.join, s.on) for s in request.body.sources] == [
        ("trains", "delay > 5", None, None),
        ("lines", None, "LEFT", "train_id"),
    ]
    assert request.body.sources[0].notes == "delays; the delays"
    assert request.body.columns[1] == Column("minutes", "SUM(delay)")
    assert request.partitioning == Partitioning(True, "submission_date", "day", 90)
    assert request.schedule == Schedule("bqetl_rail")
    assert request.owners == ("ann@rail.example",)
    assert request.consumers == ("the board",)
    assert not any("unclear" in prose.where for prose in request.prose)


def test_the_real_template_parses_as_it_is() -> None:
    folder = os.environ.get("ETLO_SKILLS")
    if not folder:
        pytest.skip("needs ETLO_SKILLS, a checkout of mozilla/bigquery-etl-skills")
    file = Path(folder) / "skills/model-requirements/assets/requirements_template.md"
    request = read(file.read_text())
    assert request.body == Body()
    assert request.grain is None
    assert request.partitioning is None


def test_what_is_said_twice_and_differently_is_unclear() -> None:
    text = (
        "# X\n## Grain\none row per a\n## Fields\n| Field |\n|---|\n| a |\n| b |\n## Notes\n**Grain:** one row per b\n"
    )
    text += "**Partitioning:** daily on a\n## Partitioning\nfull refresh\n## Schedule\nbqetl_a\n## DAG\nbqetl_b\n"
    found = {prose.where for prose in read(text).prose}
    assert found == {"grain: unclear", "partitioning: unclear", "schedule: unclear"}


def test_a_second_list_of_sources_with_another_table_is_unclear() -> None:
    text = "# X\n## Source data\n| Table |\n|---|\n| a.b_v1 |\n## Source tables\n- `a.b_v1` - why\n- `a.c_v1` - why\n"
    (prose,) = read(text).prose
    assert prose.where == "sources: unclear"
    assert "a.c_v1" in prose.text


def test_words_where_an_expression_belongs_are_unclear() -> None:
    text = "# X\n## Source data\n| Table | Join | Join key(s) | Filter |\n|---|---|---|---|\n| a.b_v1 | | | only paid ones |\n"
    text += "| a.c_v1 | LEFT | by the shop where it was sold | |\n## Rows to keep\n- the good ones\n## Partitioning\nas usual\n"
    found = {prose.where for prose in read(text).prose}
    assert found == {"sources.0.filter: unclear", "sources.1.on: unclear", "where: unclear", "partitioning: unclear"}


@pytest.mark.parametrize(
    "heading",
    ["Fields", "FIELD SUMMARY", "3. Output Columns", "Field(s)", "Columns:", "**Columns**", "## Column summary ##"],
)
def test_headings_in_any_wording(heading: str) -> None:
    line = heading if heading.startswith(("#", "**")) else f"#### {heading}"
    request = read(f"# X\n{line}\n| Column | Meaning |\n|---|---|\n| a | What it is. |\n")
    assert request.body.columns == (Column("a", description="What it is."),)


def test_the_title_may_be_the_table() -> None:
    assert read("# sales_derived.daily_v1\n\nWhat it is.\n").table == TableRef(
        "books-data", "sales_derived", "daily_v1"
    )


def test_unknown_headings_below_logic_and_notes_are_content() -> None:
    request = read("# X\n## Notes\nfirst\n### Something odd\nsecond\n## Key logic\n### The robots\nthird\n")
    assert [prose.text for prose in request.prose] == ["first", "second", "third"]


REFUSED = [
    ("# X\n## Sorce dota\n", "`Sorce dota` is not known", 2, "Source data"),
    ("# X\n## Zzz\n", "`Zzz` is not known", 2, "known are"),
    ("# X\n## Fields\n### Zzz\n", "`Zzz` is not known", 3, None),
    ("# X\n## Table\n../../etc/passwd\n", "is not a", 3, None),
    ("# X\n## Source data\n| Table |\n|---|\n| d.a/../b |\n", "is not a", 5, None),
    ("# X\n## Source data\n| What |\n|---|\n| d.a |\n", "no column `Table`", 3, None),
    ("# X\n## Fields\n| What |\n|---|\n| a |\n", "no column `Field`", 3, None),
    ("# X\n## Fields\n| Field | Logic |\n|---|---|\n| a | `b; DROP TABLE c` |\n", "semicolon", 5, None),
    ("# X\n## Fields\n| Field | Logic |\n|---|---|\n| a | `b -- c` |\n", "swallows", 5, None),
    ("# X\n## Fields\n| Field | Type |\n|---|---|\n| a | TEXT |\n", "not a BigQuery type", 5, None),
    ("# X\n## Fields\n| Field |\n|---|\n| a.b |\n", "stands nowhere above", 5, None),
    ("# X\n## Rows to keep\n- where `a; b`\n", "semicolon", 3, None),
    ("# X\n## Key logic\n```sql a\nSELECT a FROM b LIMIT 1\n```\n", "LIMIT", 3, None),
    ("# X\n## Key logic\n```sql a\nSELECT a FROM b\n", "not closed", 3, None),
    (
        "# X\n## Key logic\n```sql a\nSELECT a FROM d.b\n```\n```sql a\nSELECT a FROM d.b\n```\n",
        "two steps are called",
        6,
        None,
    ),
    ("# X\n## Examples\n```yaml\ngiven: {}\n```\n", "lacks the key `expect`", 4, None),
    ("# X\n## Examples\n```yaml\na: 1\na: 2\n```\n", "second time", 5, None),
    ("# X\n## Source schemas\n```yaml\nd.a:\n  - {name: x, type: STRNG}\n```\n", "not a BigQuery type", 5, None),
    ("# X\n## Source schemas\n```yaml\nd.a:\n  - {name: x, type: DATE}\n```\n", "is no source", 4, None),
    ("# X\n## Parameters\n| Name | Type |\n|---|---|\n| a | DATE |\n", "no value", 5, None),
    ("# X\n## Tier\ngold\n", "not a tier", 3, None),
]


@pytest.mark.parametrize(("text", "reason", "line", "fix"), REFUSED)
def test_what_is_refused(text: str, reason: str, line: int, fix: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert reason in caught.value.message
    assert caught.value.at == f"f.md:{line}"
    if fix:
        assert fix in (caught.value.fix or "")


def test_cells_of_a_table() -> None:
    assert cells("| a | `x || y` | b \\| c | `d \\| e` |") == ("a", "`x || y`", "b | c", "`d | e`")
    assert cells("a | `") == ("a", "`")
    assert cells("| a |  | |") == ("a", "", "")


def test_heading_keys() -> None:
    assert heading_key("10. Validation & QA") == "validation qa"
    assert heading_key("Business Logic / Transform Notes") == "business logic transform notes"
    assert heading_key("Working Notes (For SQL Development)") == "working notes"


def test_text_in_fences_and_comments_is_no_heading() -> None:
    found = sections("# A\n```\n# not one\n```\n<!--\n# nor this\n-->\n## B\n", "f.md")
    assert [(section.title, section.line) for section in found] == [("", 1), ("A", 1), ("B", 8)]
