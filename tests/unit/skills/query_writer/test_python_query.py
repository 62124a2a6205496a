"""query.py as a rule writes it: laid out, understood by Python, and doing what it says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any

import black
import pytest

from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.requirements import Body, Column, Partitioning, RefuseWhen, Requirements, Schedule, Source
from etl_orchestrator.skills.query_writer import write_python
from etl_orchestrator.skills.query_writer.python_query import python_query

Make = Callable[..., Requirements]

COLUMNS = (
    Column("submission_date"),
    Column("currency", "code"),
    Column("rate", "quote.mid.value", type="NUMERIC"),
    Column("source", "'acme'"),
    Column("weight", "1"),
    Column("nothing", "NULL"),
    Column("shouted", "UPPER(code)"),
    Column("a_name_so_long_that_nobody_would_write_it_but_somebody_did", "some.path.into.the.answer_of_the_api.and_on"),
    Column(
        "parts",
        type="RECORD",
        mode="REPEATED",
        fields=(Column("name", type="STRING"), Column("values", type="FLOAT", mode="REPEATED")),
    ),
)
API = "It calls the API https://api.acme.example/v1/rates/{date}, whose list stands under `rates`."
PARTITIONINGS = (
    Partitioning(True, "submission_date", "day"),
    Partitioning(True, "submission_date", "hour"),
    Partitioning(True, "submission_date", "month", write="append"),
    Partitioning(False),
    Partitioning(False, "submission_date", "day"),
)
SECRET = Schedule(dag="bqetl_shop", options={"secrets": [{"deploy_target": "ACME_API_KEY", "key": "acme"}]})
TABLES = Body(
    sources=(Source("orders", "acme-data.shop_live.orders_v1", filter="submission_date = @submission_date"),),
    columns=(Column("submission_date"), Column("n", r"COUNTIF(REGEXP_CONTAINS(status, r'\d'))", type="INTEGER")),
)


@pytest.fixture
def python_plan(plan: Plan) -> Plan:
    return replace(
        plan,
        query_type=Decision("query.py", "an API"),
        clustering=Decision("currency, source", "the requirements say so"),
    )


@pytest.mark.parametrize("partitioning", PARTITIONINGS, ids=str)
@pytest.mark.parametrize("schedule", [Schedule(dag="bqetl_shop"), SECRET], ids=["open", "secret"])
@pytest.mark.parametrize("python", [API, 'an API \\d with """ and no pages', TABLES], ids=["api", "odd", "tables"])
def test_it_is_laid_out_as_the_repository_wants(
    partitioning: Partitioning, schedule: Schedule, python: str | Body, required: Make, python_plan: Plan
) -> None:
    body = python if isinstance(python, Body) else Body(columns=COLUMNS)
    words = "Rows of several projects." if isinstance(python, Body) else python
    guards = (RefuseWhen("COUNT(*) = 0", "nothing came"),)
    text = write_python(
        required(
            body, python=words, partitioning=partitioning, schedule=schedule, refuse_when=guards, keys=("currency",)
        ),
        python_plan,
    )
    assert ast.get_docstring(ast.parse(text))
    assert black.format_str(text, mode=black.Mode()) == text
    chosen = "--select=E4,E7,E9,F,I,D,W,E501", "--line-length=160", '--config=lint.pydocstyle.convention="pep257"'
    for options in ((), chosen):
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", *options, "-"]
        ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout


def test_what_the_requirements_do_not_tell_is_left_to_a_person(required: Make, python_plan: Plan) -> None:
    made = python_query(required(Body(columns=COLUMNS), python="an API", schedule=SECRET), python_plan)
    assert dict(made.open).keys() == {"API_URL", "fetch_records", "shouted"}
    assert made.text.count("PERSON:") == len(made.open)
    told = python_query(required(Body(columns=COLUMNS[:3]), python=f"{API} The answer is one page."), python_plan)
    assert told.open == ()
    assert "PERSON:" not in told.text


class _Client:
    """Stands for bigquery.Client: keeps what is loaded."""

    loaded: list[tuple[list[dict[str, Any]], str, Any]]
    queried: list[tuple[str, Any]]

    def __init__(self, project: str) -> None:
        self.project = project

    def load_table_from_json(self, rows: list[dict[str, Any]], destination: str, job_config: Any) -> Any:
        _Client.loaded.append((rows, destination, job_config))
        return SimpleNamespace(result=lambda: None)

    def query(self, sql: str, job_config: Any) -> Any:
        _Client.queried.append((sql, job_config))
        return SimpleNamespace(result=lambda: [{"submission_date": date(2025, 6, 1), "n": 3}])


class _Session:
    """Stands for requests.Session: two pages, the first of which names the second in its Link header."""

    asked: list[tuple[str, dict[str, str], int]]

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def get(self, url: str, params: dict[str, str], timeout: int) -> Any:
        _Session.asked.append((url, params, timeout))
        first = len(_Session.asked) == 1
        record = {"code": "EUR", "quote": {"mid": {"value": "1.5"}}} if first else {"code": "USD", "quote": None}
        return SimpleNamespace(
            raise_for_status=lambda: None,
            json=lambda: {"rates": [record]},
            links={"next": {"url": "https://api.acme.example/page2"}} if first else {},
        )


def _run(text: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the file as a script, with doubles in the place of the two libraries it imports."""
    _Client.loaded, _Client.queried, _Session.asked = [], [], []
    bigquery = SimpleNamespace(
        Client=_Client,
        SchemaField=lambda *a, **k: (a, k),
        LoadJobConfig=SimpleNamespace,
        QueryJobConfig=SimpleNamespace,
        TimePartitioning=SimpleNamespace,
        ScalarQueryParameter=lambda *a: a,
        WriteDisposition=SimpleNamespace(WRITE_TRUNCATE="WRITE_TRUNCATE", WRITE_APPEND="WRITE_APPEND"),
    )
    cloud, requests = ModuleType("google.cloud"), ModuleType("requests")
    cloud.bigquery = bigquery  # type: ignore[attr-defined]
    requests.Session = _Session  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.cloud", cloud)
    monkeypatch.setitem(sys.modules, "requests", requests)
    monkeypatch.setattr(sys, "argv", ["query.py", *arguments])
    exec(compile(text, "query.py", "exec"), {"__name__": "__main__"})


def test_pages_are_followed_and_one_partition_is_replaced(
    required: Make, python_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_python(required(Body(columns=COLUMNS[:6]), python=API), python_plan)
    _run(text, monkeypatch, "--date", "2025-06-01", "--dataset", "stage")
    assert [url for url, _, _ in _Session.asked] == [
        "https://api.acme.example/v1/rates/2025-06-01",
        "https://api.acme.example/page2",
    ]
    ((rows, destination, config),) = _Client.loaded
    assert destination == "acme-data.stage.daily_orders_v1$20250601"
    assert config.write_disposition == "WRITE_TRUNCATE"
    shared = {"submission_date": "2025-06-01", "source": "acme", "weight": 1, "nothing": None}
    assert rows == [{"currency": "EUR", "rate": "1.5", **shared}, {"currency": "USD", "rate": None, **shared}]


def test_rows_of_tables_are_queried_and_loaded(
    required: Make, python_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_python(required(TABLES, python="Rows of several projects."), python_plan)
    _run(text, monkeypatch, "--date", "2025-06-01")
    ((sql, config),) = _Client.queried
    assert r"r'\d'" in sql
    assert config.query_parameters == [("submission_date", "DATE", date(2025, 6, 1))]
    assert _Client.loaded[0][0] == [{"submission_date": "2025-06-01", "n": 3}]


def test_without_a_date_an_incremental_script_stops(
    required: Make, python_plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_python(required(Body(columns=COLUMNS[:3]), python=API), python_plan)
    with pytest.raises(SystemExit):
        _run(text, monkeypatch)
    assert "--date" in capsys.readouterr().err
