"""validate: any SQL file of a repository, many at once, and nothing asked twice that has not changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from etl_orchestrator import api
from etl_orchestrator.report import terminal

FILES = {
    "bqetl_project.yaml": "default:\n  project: acme-data\n  user_facing_project: acme-public\n",
    "dags.yaml": "{}\n",
    "sql/acme-data/shop_derived/orders_v1/schema.yaml": (
        "fields:\n- {name: day, type: DATE, mode: NULLABLE}\n- {name: price, type: INTEGER, mode: NULLABLE}\n"
    ),
    "sql/acme-data/shop/orders/view.sql": (
        "CREATE OR REPLACE VIEW\n  `acme-data.shop.orders`\nAS\nSELECT\n  *\nFROM\n  `acme-data.shop_derived.orders_v1`\n"
    ),
    "sql/acme-data/shop/tax/udf.sql": "CREATE OR REPLACE FUNCTION shop.tax(x INT64) AS (x * 19 / 100);\nSELECT shop.tax(1);\n",
    "sql/acme-data/shop_derived/daily_v1/query.sql": (
        "{% set column = 'price' %}\nSELECT\n  day,\n  SUM(shop.tax({{ column }})) AS tax,\nFROM\n  `acme-public.shop.orders`\n"
        "WHERE\n  day = @submission_date\nGROUP BY\n  day\n"
    ),
    "sql/acme-data/shop_derived/daily_v1/checks.sql": "ASSERT(SELECT COUNT(*) FROM `{{ project_id }}.shop.orders`) > 0;\n",
    "sql/acme-data/shop_derived/broken_v1/query.sql": (
        "{% if true %}\nSELECT\n  prize\nFROM\n  `acme-data.shop.orders`\n{% endif %}\n"
    ),
    "sql/acme-data/shop_derived/lost_v1/query.sql": "SELECT\n  x\nFROM\n  `acme-data.other.gone_v1`\n",
}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> api.Workplace:
    from etl_orchestrator.catalogs import answers

    # The compiled engine stays where it is; what is kept of this repository must not outlive the test.
    monkeypatch.setattr(answers, "folder", lambda: tmp_path / "cache")
    root = tmp_path / "repo"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return api.Workplace(root)


def test_all_kinds_of_files_by_their_causes(workplace: api.Workplace) -> None:
    outcome = api.validate(workplace, ["sql"])
    assert outcome.data["verdicts"] == {"refused": 1, "accepted": 4, "unknown": 1}
    assert (outcome.status, outcome.exit_code) == ("open", 1)
    places = {f.at for result in outcome.results for f in result.findings}
    assert places == {"sql/acme-data/shop_derived/broken_v1/query.sql:3:3"}
    assert {entry["verdict"]: entry["files"] for entry in outcome.data["causes"]} == {"refused": 1, "unknown": 1}
    told = terminal.summary(outcome)
    assert "`acme-data.other.gone_v1`" in told
    assert "6 files: " in told
    assert "orders/view.sql" not in told


def test_a_view_alone_tells_its_columns(workplace: api.Workplace) -> None:
    outcome = api.validate(workplace, ["shop.orders"])
    assert [column["name"] for column in outcome.data["columns"]] == ["day", "price"]
    assert outcome.data["path"] == "sql/acme-data/shop/orders/view.sql"


def test_on_what_an_accepted_file_rests_is_told(workplace: api.Workplace) -> None:
    folder = workplace.root / "sql/acme-data/shop_derived/riders_v1"
    folder.mkdir()
    (folder / "query.sql").write_text(
        "SELECT\n  TO_HEX(id) AS id,\n  city,\nFROM\n  EXTERNAL_QUERY('acme-data.us.app', 'SELECT id, city FROM riders')\n"
    )
    outcome = api.validate(workplace, ["shop_derived.riders_v1"])
    assert (outcome.status, outcome.error and "`city`" in outcome.error.message) == ("unchecked", True)
    (folder / "schema.yaml").write_text("fields:\n- {name: id, type: STRING}\n- {name: city, type: STRING}\n")
    outcome = api.validate(workplace, ["shop_derived.riders_v1"])
    condition = "provided that the database behind `acme-data.us.app` gives `id` as BYTES, `city` as STRING"
    assert outcome.data["notes"] == [condition]
    assert condition in terminal.summary(outcome)
    schema = api.schema(workplace, ["shop_derived.riders_v1"])
    assert schema.data["notes"] == [condition]
    assert f"riders_v1/schema.yaml: as the file\n# {condition}\nfields:" in terminal.summary(schema)
    several = api.validate(workplace, ["sql"])
    assert several.data["provided"] == 1
    assert "1 unknown, 1 of the accepted on a condition" in terminal.summary(several)


def test_that_a_table_was_found_by_its_own_query_is_told_by_those_who_read_it(workplace: api.Workplace) -> None:
    folder = workplace.root / "sql/acme-data/shop_derived"
    (folder / "last_v1").mkdir()
    (folder / "last_v1/query.sql").write_text(
        "SELECT day, price FROM `acme-data.shop.orders` LEFT JOIN `acme-data.shop_derived.last_v1` USING (day, price)"
    )
    (folder / "reader_v1").mkdir()
    (folder / "reader_v1/query.sql").write_text("SELECT MAX(day) AS day FROM `acme-data.shop_derived.last_v1`")
    note = "`acme-data.shop_derived.last_v1` reads itself and has no schema.yaml"
    for name in ("last_v1", "reader_v1", "reader_v1"):  # at last from what is kept
        (told,) = api.validate(workplace, [f"shop_derived.{name}"]).data["notes"]
        assert told.startswith(note)
    checked = api.check(workplace, ["shop_derived.reader_v1"]).as_dict()["evidence"]
    (evidence,) = {entry["text"] for entry in checked if entry["code"] == "QRY002"}
    assert note in evidence


def test_what_has_not_changed_is_not_asked_again_and_what_has_is(
    workplace: api.Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = api.validate(workplace, ["sql"])
    again = api.Workplace(workplace.root, engine="googlesql")
    with monkeypatch.context() as patched:
        patched.setattr(type(again.tools.analyzer), "analyze", None)
        patched.setattr(type(again.tools.analyzer), "references", None)
        assert api.validate(again, ["sql"]).data == first.data
    schema = workplace.root / "sql/acme-data/shop_derived/orders_v1/schema.yaml"
    schema.write_text(schema.read_text().replace("price", "prize"))
    changed = api.validate(again, ["sql"])
    assert {r.data["path"].split("/")[3]: r.status for r in changed.results}["broken_v1"] == "delivered"
    assert [r.status for r in changed.results if "daily_v1/query" in r.data["path"]] == ["open"]


def test_several_processes_give_the_same_and_progress_is_told(workplace: api.Workplace) -> None:
    folder = workplace.root / "sql/acme-data/shop_derived"
    for number in range(20):
        shutil.copytree(folder / "daily_v1", folder / f"daily_{number}_v1")
    told: list[str] = []
    outcome = api.validate(workplace, ["sql"], jobs=2, say=told.append)
    assert outcome.data["verdicts"] == {"refused": 1, "accepted": 44, "unknown": 1}
    assert [result.data["path"] for result in outcome.results] == sorted(r.data["path"] for r in outcome.results)


def test_a_file_that_belongs_to_no_table_is_bad_input(workplace: api.Workplace) -> None:
    (workplace.root / "loose.sql").write_text("SELECT 1")
    assert api.validate(workplace, [str(workplace.root / "loose.sql")]).exit_code == 2


@pytest.mark.parametrize(
    "name",
    ["`acme-data`.INFORMATION_SCHEMA.SCHEMATA", "`acme-data.INFORMATION_SCHEMA.SCHEMATA`", "INFORMATION_SCHEMA.SCHEMATA",
     "`acme-data.region-us.INFORMATION_SCHEMA.SCHEMATA`", "`region-us`.INFORMATION_SCHEMA.SCHEMATA"],
)  # fmt: skip
def test_what_a_project_tells_of_itself_is_known(name: str, workplace: api.Workplace) -> None:
    _write(workplace, "listing_v1/query.sql", f"SELECT\n  schema_name,\n  creation_time\nFROM\n  {name}\n")
    assert _kinds(api.validate(workplace, ["shop_derived.listing_v1"])) == ["STRING", "TIMESTAMP"]
    _write(workplace, "listing_v1/query.sql", f"SELECT\n  *\nFROM\n  {name.replace('SCHEMATA', 'OTHER_THINGS')}\n")
    outcome = api.validate(workplace, ["shop_derived.listing_v1"])
    assert (outcome.exit_code, outcome.error and "OTHER_THINGS" in outcome.error.message) == (4, True)


@pytest.mark.parametrize(
    ("name", "text", "at", "fix"),
    [
        (
            "slip_v1/query.sql",
            "{% set n = 1 %}\nSELECT\n  day\nFROM\n  `acme-data.shop_derived.order_v1`\n",
            ":5:3",
            "did you mean `acme-data.shop_derived.orders_v1`? correct the name, or add its schema.yaml",
        ),
        (
            "slip_v1/script.sql",
            "MERGE\n  `acme-public.shp.orders` AS o\nUSING\n  shop.orders AS n\nON\n  FALSE\nWHEN NOT MATCHED THEN\n"
            "  INSERT ROW;\n",
            ":2:3",
            "did you mean `acme-public.shop.orders`? correct the name, or add its schema.yaml",
        ),
        (
            "slip_v1/view.sql",
            "CREATE OR REPLACE VIEW\n  `acme-data.shop_derived.slip_v1`\nAS\nSELECT\n  *\nFROM\n  shop.nothing_like_it\n",
            ":7:3",
            "correct the name, or add its schema.yaml",
        ),
        (
            "slip_v1/query.sql",
            "SELECT\n  shop.tx(1) AS tax\n",
            ":2:3",
            "did you mean `acme-data.shop.tax`? correct the name, or add the routine",
        ),
    ],
)
def test_a_slip_in_a_name_is_told_with_its_place_and_what_may_be_meant(
    name: str, text: str, at: str, fix: str, workplace: api.Workplace
) -> None:
    _write(workplace, name, text)
    for _ in range(2):  # as asked, and as kept
        outcome = api.validate(workplace, [f"sql/acme-data/shop_derived/{name}"])
        assert (outcome.exit_code, outcome.error and outcome.error.fix) == (4, fix)
        assert outcome.error is not None
        assert outcome.error.at == f"sql/acme-data/shop_derived/{name}{at}"


def test_a_slip_in_a_view_is_told_where_the_view_has_it(workplace: api.Workplace) -> None:
    text = FILES["sql/acme-data/shop/orders/view.sql"]
    (workplace.root / "sql/acme-data/shop/orders/view.sql").write_text(text.replace("orders_v1", "oders_v1"))
    outcome = api.validate(workplace, ["sql/acme-data/shop_derived/daily_v1/query.sql"])
    assert outcome.error is not None
    assert outcome.error.at == "sql/acme-data/shop/orders/view.sql:7:3"
    (workplace.root / "sql/acme-data/shop_derived/oders_v1").mkdir()
    shutil.copy(
        workplace.root / "sql/acme-data/shop_derived/orders_v1/schema.yaml",
        workplace.root / "sql/acme-data/shop_derived/oders_v1/schema.yaml",
    )
    assert api.validate(workplace, ["sql/acme-data/shop_derived/daily_v1/query.sql"]).status == "delivered"


def _write(workplace: api.Workplace, name: str, text: str) -> None:
    file = workplace.root / "sql/acme-data/shop_derived" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def _kinds(outcome: api.Outcome) -> list[str]:
    return [column["type"] for column in outcome.data["columns"]]
