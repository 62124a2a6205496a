"""The page and the schema under docs/ say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etl_orchestrator import intake
from etl_orchestrator.intake.yaml_keys import RequirementsKeys, json_schema

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_schema_refuses_unknown_keys_everywhere() -> None:
    schema = json_schema()
    objects = [schema, *schema["$defs"].values()]
    assert len(objects) > 9
    assert all(one["additionalProperties"] is False for one in objects)


def test_every_key_stands_on_the_page() -> None:
    page = (DOCS / "requirements-format.md").read_text()
    missing = [key for key in RequirementsKeys.model_fields if not re.search(rf"`?\b{key}\b`?", page)]
    assert missing == []


def test_the_yaml_of_the_page_is_read() -> None:
    page = (DOCS / "requirements-format.md").read_text()
    block = page.split("```yaml\n")[1].split("```")[0]
    request = intake.read_request("page.yaml", block.encode(), "books-data")
    assert [column.name for column in request.body.columns] == ["submission_date", "shop_id", "revenue"]


PAGE = (DOCS / "requirements-format.md").read_text()
ANSWERING = PAGE.split("## Answering")[1].split("\n## ")[0]
ANSWERS = re.findall(r"^\| `([^`]*)`[^|]* \| `([^`]*)`[^|]*\|$", ANSWERING, re.MULTILINE)


@pytest.mark.parametrize(("element", "value"), [one for one in ANSWERS if "…" not in one[0]])
def test_the_answers_of_the_page_are_understood(element: str, value: str) -> None:
    page = (DOCS / "requirements-format.md").read_text()
    request = intake.read_request("page.yaml", page.split("```yaml\n")[1].split("```")[0].encode(), "books-data")
    assert intake.apply_answers(request, {element: value}).answers == {element: value}


def test_the_page_has_answers() -> None:
    assert len(ANSWERS) >= 10


@pytest.mark.parametrize("file", sorted((EXAMPLES / "requirements").glob("*.[my]*")), ids=lambda file: file.name)
def test_the_examples_are_read(file: Path) -> None:
    request = intake.read_request(str(file), file.read_bytes(), "pedalo-data-prod")
    assert request.table is not None or request.friendly_name
    assert not any(prose.where.endswith("unclear") for prose in request.prose)


@pytest.mark.parametrize("file", sorted((EXAMPLES / "refused").glob("*.[my]*")), ids=lambda file: file.name)
def test_the_refused_examples_are_refused(file: Path) -> None:
    from etl_orchestrator.errors import InvalidInput

    with pytest.raises(InvalidInput) as caught:
        intake.read_request(str(file), file.read_bytes(), "pedalo-data-prod")
    for fragment in file.with_suffix(".expected.txt").read_text().splitlines():
        assert fragment in str(caught.value)


def test_the_schema_is_json() -> None:
    assert json_schema()["title"] == "Requirements for a BigQuery table"
