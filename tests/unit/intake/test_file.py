"""The file: its form, its query, and everything that may be thrown at the door."""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_orchestrator import intake
from etl_orchestrator.errors import InvalidInput


def read(data: bytes | str, path: str = "r.yaml") -> object:
    return intake.read_request(path, data.encode() if isinstance(data, str) else data, "books-data")


@pytest.mark.parametrize("path", ["a.md", "a.MARKDOWN", "no_suffix"])
def test_markdown(path: str) -> None:
    request = intake.read_request(path, b"# X\n## Grain\none row per a\n", "books-data")
    assert request.grain == "one row per a"
    assert request.origin == path


@pytest.mark.parametrize("path", ["a.yaml", "a.YML", "a.json", "no_suffix"])
def test_yaml(path: str) -> None:
    data = b'{"table": "a.b"}' if path.endswith("json") else b"# a comment\ntable: a.b\n"
    request = intake.read_request(path, data, "books-data")
    assert str(request.table) == "books-data.a.b"
    assert request.digest == hashlib.sha256(data).hexdigest()


def test_what_could_be_either_is_refused() -> None:
    with pytest.raises(InvalidInput, match="which form"):
        read("hello", "no_suffix")


def test_a_query_beside_the_requirements(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "q.sql").write_text("SELECT 1 AS a\n")
    request = intake.read_request(str(tmp_path / "r.yaml"), b"query: sub/q.sql", "books-data")
    assert request.query is not None
    assert request.query.text == "SELECT 1 AS a\n"
    assert request.query.origin == str(tmp_path / "sub" / "q.sql")


def test_a_query_in_the_file() -> None:
    request = intake.read_request("r.yaml", b"query: |\n  SELECT 1 AS a\n", "books-data")
    assert request.query is not None
    assert (request.query.text, request.query.origin) == ("SELECT 1 AS a\n", "inline")


def test_a_query_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.sql").write_text("SELECT 'secret'")
    (inside / "link.sql").symlink_to(tmp_path / "secret.sql")
    for name in ("../secret.sql", str(tmp_path / "secret.sql"), "link.sql", "x/../../secret.sql"):
        with pytest.raises(InvalidInput, match="outside"):
            intake.read_request(str(inside / "r.yaml"), f"query: {name}".encode(), "books-data")


@pytest.mark.parametrize("value", ["missing.sql", "notes.txt", "/etc/passwd", "DROP TABLE x"])
def test_what_is_no_query_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "notes.txt").write_text("SELECT 1")
    with pytest.raises(InvalidInput):
        intake.read_request(str(tmp_path / "r.yaml"), f"query: {value}".encode(), "books-data")


HOSTILE = [
    "table: ../../../etc/passwd",
    "table: a.b\x00",
    "table: 'a.b`; DROP TABLE c; --'",
    "table: a..b",
    "table: a.b.c.d",
    "table: /a.b",
    "table: 'a.b\\n'",
    "table: a.con/../x",
    "table: a.Ⅷ",
    "table: A-PROJECT.a.b",
    "sources: [{table: 'a.b` AS x, `secret.t'}]",
    "sources: [{table: a.b, alias: 'x`'}]",
    "sources: [{table: a.b, alias: 'x, secret.t'}]",
    "columns: [{name: 'a`, (SELECT 1) AS `b'}]",
    "columns: [{name: a, expression: '1) AS x, (SELECT secret FROM t'}]",
    'columns: [{name: a, expression: "\'"}]',
    "columns: [{name: a, expression: \"'\\\\'\"}]",
    "columns: [{name: a, expression: '{% raw %}'}]",
    "columns: [{name: a, expression: \"'{{ x }}'\"}]",
    "where: 1 = 1 UNION ALL SELECT * FROM secret.t",
    "where: TRUE -- ",
    "where: TRUE /*",
    "where: 'TRUE # x'",
    "partitioning: {incremental: true, field: 'a; b'}",
    "clustering: ['a, b']",
    "parameters: [{name: 'x y', type: DATE, value: z}]",
    "parameters: [{name: x, type: 'DATE; DROP', value: z}]",
    "steps: [{name: 'a AS (SELECT 1), b'}]",
    "examples: [{given: {'../x.y': []}, expect: []}]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert (caught.value.at or "").startswith("r.yaml")


@pytest.mark.parametrize(
    "data",
    [b"", b"   \n", b"\x00", b"\xff\xfe", b"a" * 2_000_000, b"# X\n" + b"[" * 500_000, b"{" * 200_000, b"- " * 200_000],
)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(data)


def test_a_large_honest_file_is_read() -> None:
    rows = "".join(f"        - {{day: 2025-06-01, client: c{n}, count: {n}}}\n" for n in range(3000))
    text = f"table: a.b\nexamples:\n  - given:\n      a.c:\n{rows}    expect: []\n"
    request = intake.read_request("r.yaml", text.encode(), "books-data")
    assert len(request.examples[0].given["books-data.a.c"]) == 3000


WORDS = ["table", ":", " ", "\n", "- ", "a.b", "{", "}", "[", "]", "'", '"', "`", "|", "#", "## ", "sources", "columns", "name",
         "expression", "&a", "*a", "!x", "~", "null", "1", "@d", "(", ")", ";", "--", "/*", "SELECT", "FROM", "```sql", "```",
         "Grain", "Field summary", "| Field |\n|---|\n", "steps", "partitioning", "on", ",", "\t", "é"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40), st.sampled_from(["r.yaml", "r.md", "r"]))
def test_any_text_is_read_or_refused(words: list[str], path: str) -> None:
    """Never a traceback of another kind."""
    with suppress(InvalidInput):
        assert read("".join(words), path) is not None


def test_damaged_requirements_are_read_or_refused(whole_text: str) -> None:
    chance = random.Random(7)
    refused: list[InvalidInput] = []
    for _ in range(300):
        start = chance.randrange(len(whole_text))
        piece = chance.choice(["", "x", "'", "{", ":", "\n", "  - ", "*", "]", "\t", "`;"])
        text = whole_text[:start] + piece + whole_text[start + chance.randrange(6) :]
        try:
            read(text)
        except InvalidInput as error:
            refused.append(error)
    assert len(refused) > 50
    assert all(error.at for error in refused)


def test_a_query_whose_name_is_too_long_is_bad_input() -> None:
    with pytest.raises(InvalidInput, match="cannot be read") as caught:
        read(f"table: a.b\nquery: {'x' * 300}.sql\n")
    assert caught.value.at == "r.yaml:2"
