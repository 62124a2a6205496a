"""query.py for a model that SQL alone cannot make: an API call, or rows of several projects.

What the requirements tell is written out: the address, the secrets, the fields, the partition. What they do not tell is
marked `PERSON:` in the file and noted on the artifact, so that it stands in the report.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace

from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Column, Requirements
from etl_orchestrator.skills.query_writer import python_text as text
from etl_orchestrator.skills.query_writer.select import Known, write_query

PERSON = "PERSON:"
_URL = re.compile(r"https?://[^\s`'\"<>)\]]+")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_LITERAL = re.compile(r"-?\d+(?:\.\d+)?|'[^'\\{}]*'|\"[^\"\\{}]*\"")
#: strftime of the partition decorator by partition type.
_DECORATOR = {"hour": "%Y%m%d%H", "day": "%Y%m%d", "month": "%Y%m", "year": "%Y"}


@dataclass(frozen=True, slots=True)
class PythonQuery:
    """The file, and what a person has to complete: pairs of the place and the words."""

    text: str
    open: tuple[tuple[str, str], ...] = ()


_API = re.compile(r"\bAPIs?\b|\bHTTPS?\b|\bREST\b|\bendpoint\b|https?://", re.IGNORECASE)


def write_python(requirements: Requirements, plan: Plan, known: Known | None = None) -> str:
    """query.py: docstring, schema, fetch, rows, upload, main with the usual flags, guard."""
    return python_query(requirements, plan, known).text


def python_query(requirements: Requirements, plan: Plan, known: Known | None = None) -> PythonQuery:
    """`write_python` together with what it left to a person."""
    from_api = _from_api(requirements)
    source = _api_source if from_api else _table_source
    constants, fetch, imports, open_ = source(requirements, plan, known)
    rows, open_rows = _rows(requirements)
    open_refusals = _refusals(requirements) if from_api else ()
    parts = [
        _docstring(requirements),
        text.imports(imports),
        f"logger = logging.getLogger(__name__)\n\n{constants}\n{_schema(requirements)}",
        fetch,
        rows,
        _upload(requirements, plan),
        _main(requirements, open_refusals),
        'if __name__ == "__main__":\n    main()',
    ]
    head, body = "\n\n".join(parts[:3]), "\n\n\n".join(parts[3:])
    return PythonQuery(f"{head}\n\n\n{body}\n", (*open_, *open_rows, *open_refusals))


def _from_api(requirements: Requirements) -> bool:
    """Whether the records come from an API: the reason for Python says so, or there is no table to read."""
    return not requirements.sources or bool(_API.search(requirements.request.python or ""))


def _docstring(requirements: Requirements) -> str:
    table = requirements.table
    paragraphs = [requirements.description]
    if requirements.keys:
        paragraphs.append(f"Grain: one row per {', '.join(requirements.keys)}.")
    if requirements.request.python:
        paragraphs.append(f"Why Python: {requirements.request.python}")
    body = "\n\n".join(textwrap.fill(" ".join(paragraph.split()), 88) for paragraph in paragraphs if paragraph.strip())
    return text.docstring(f"Load {table.dataset}.{table.name}.", body)


_Source = tuple[str, str, set[str], tuple[tuple[str, str], ...]]


def _api_source(requirements: Requirements, plan: Plan, known: Known | None) -> _Source:
    words = _words(requirements)
    url = next(iter(_URL.findall(words)), "").rstrip(".,;:")
    open_: list[tuple[str, str]] = []
    constants = [f"API_URL = {text.string(url)}"]
    if not url:
        open_.append(("API_URL", "the address of the API, which the requirements do not name"))
        constants.insert(0, f"# {PERSON} {open_[-1][1]}")
    constants.append("TIMEOUT_SECONDS = 60")
    imports = {"import logging", "import requests", "from typing import Any"}
    if requirements.partitioning.incremental:
        imports.add(f"from datetime import {_day(requirements)}")
    headers = ""
    secrets = _secrets(requirements)
    if secrets:
        imports.add("import os")
        constants += [f'{name} = os.environ.get({text.string(name)}, "")' for name in secrets]
        headers = f'    session.headers["Authorization"] = f"Bearer {{{secrets[0]}}}"\n'
        open_.append(("fetch_records", "how the API takes its key: a bearer token is assumed"))
        headers = f"    # {PERSON} {open_[-1][1]}\n{headers}"
    paging = ""
    if not re.search(r"\b(no|not|without)\s+(\w+\s+)?(paginat|pages|paging)|\bone page\b|\bsingle page\b", words, re.I):
        open_.append(("fetch_records", "pages named in a Link header are followed; any other way of paging is not"))
        paging = f"        # {PERSON} {open_[-1][1]}\n"
    for table in requirements.sources:
        open_.append(("fetch_records", f"what is asked for each row of {table}, a source besides the API"))
        paging += f"        # {PERSON} {open_[-1][1]}\n"
    fetch = (_FETCH_INCREMENTAL if requirements.partitioning.incremental else _FETCH_FULL).format(
        headers=headers, paging=paging, address=_address(url), day=_day(requirements)
    )
    fetch += _RECORDS.format(keys=_record_keys(words))
    return "\n".join(constants), fetch, imports, tuple(open_)


def _day(requirements: Requirements) -> str:
    """The Python type of `--date`."""
    return "datetime" if requirements.partitioning.type == "hour" else "date"


def _address(url: str) -> str:
    """The first request: a date goes into the address where it has a place for one, else into the query string."""
    return "API_URL.format(date=day.isoformat()), {}" if "{date}" in url else 'API_URL, {"date": day.isoformat()}'


def _record_keys(words: str) -> str:
    """The keys under which APIs usually wrap their list; the one which the words name comes first."""
    named = re.findall(r"(?:under|list|array|key)\s+`(\w+)`", words)
    keys = list(dict.fromkeys([*named, "results", "data", "items", "records"]))
    return f"({', '.join(text.string(key) for key in keys)})"


def _secrets(requirements: Requirements) -> list[str]:
    """Environment variables that Airflow sets (`scheduling.secrets`)."""
    found = requirements.schedule.options.get("secrets")
    entries = found if isinstance(found, list | tuple) else []
    names = [str(entry.get("deploy_target", "")) for entry in entries if isinstance(entry, dict)]
    return [name for name in names if name.isidentifier()]


def _words(requirements: Requirements) -> str:
    request = requirements.request
    texts = [request.python, request.notes, requirements.description, *(prose.text for prose in request.prose)]
    return "\n".join(part for part in texts if part)


def _table_source(requirements: Requirements, plan: Plan, known: Known | None) -> _Source:
    """Rows of tables: the query written by rule, run by the script; a script has no first run of its own."""
    request = requirements.request
    steps = tuple(replace(step, on_init=None) for step in request.steps)
    query = write_query(replace(requirements, request=replace(request, steps=steps, on_init=None)), plan, known)
    incremental = requirements.partitioning.incremental
    imports = {"import logging", "import json", "from typing import Any"}
    if incremental:
        imports.add(f"from datetime import {_day(requirements)}")
    lines, open_ = [], []
    for parameter in requirements.parameters:
        kind = parameter.type.upper()
        if incremental and kind in {"DATE", "DATETIME", "TIMESTAMP"}:
            day = "day.date()" if kind == "DATE" and _day(requirements) == "datetime" else "day"
        else:
            day = "None"
            open_.append(("fetch_records", f"the value of @{parameter.name}: {parameter.value}"))
            lines.append(f"            # {PERSON} {' '.join(open_[-1][1].split())}")
        arguments = f"{text.string(parameter.name)}, {text.string(kind)}, {day}"
        lines.append(f"            bigquery.ScalarQueryParameter({arguments}),")
    listed = "\n        query_parameters=[\n" + "\n".join(lines) + "\n        ],\n    " if lines else ""
    fetch = _FETCH_TABLES.format(
        signature=f"client: bigquery.Client, day: {_day(requirements)}" if incremental else "client: bigquery.Client",
        parameters=listed,
    )
    return f"QUERY = {text.raw_block(query)}", fetch, imports, tuple(open_)


def _rows(requirements: Requirements) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The function that makes one row of the table from one record."""
    incremental = requirements.partitioning.incremental
    if not _from_api(requirements):
        return _ROW_AS_IT_IS, ()
    lines: list[str] = []
    open_: list[tuple[str, str]] = []
    for column in requirements.body.columns:
        value, left = _value(column, requirements)
        if left:
            open_.append((column.name, left))
            lines += [f"        # {PERSON} {line}" for line in textwrap.wrap(f"{column.name}: {left}", 88)]
        lines.append(text.entry(column.name, value))
    signature = f"record: dict[str, Any], day: {_day(requirements)}" if incremental else "record: dict[str, Any]"
    body = "\n".join(lines)
    helper = _PICK if "pick(" in body else ""
    return (
        f'{helper}def row_of({signature}) -> dict[str, Any]:\n    """Make one row of the table."""\n    return {{\n{body}\n    }}',
        tuple(open_),
    )


def _value(column: Column, requirements: Requirements) -> tuple[str, str]:
    """The Python of a column's value, and what a person must complete."""
    partitioning = requirements.partitioning
    expression = (column.expression or "").strip()
    day = partitioning.incremental
    if not expression and column.name == partitioning.field and day:
        return f"record.get({text.string(column.name)}) or day.isoformat()", ""
    if not expression:
        return f"record.get({text.string(column.name)})", column.notes or ""
    if expression.startswith("@") and day:
        return "day.isoformat()", ""
    if expression.upper() in {"NULL", "TRUE", "FALSE"}:
        return {"NULL": "None", "TRUE": "True", "FALSE": "False"}[expression.upper()], ""
    if _LITERAL.fullmatch(expression):
        return expression if expression[0] not in "'\"" else text.string(expression[1:-1]), ""
    if _PATH.match(expression):
        parts = expression.split(".")
        if len(parts) == 1:
            return f"record.get({text.string(parts[0])})", ""
        return f"pick(record, {', '.join(text.string(part) for part in parts)})", ""
    return f"record.get({text.string(column.name)})", f"the requirements say {expression}"


def _refusals(requirements: Requirements) -> tuple[tuple[str, str], ...]:
    """Runs that must fail, in words: their conditions are SQL and speak of rows that no query reads."""
    words = "raise an error ({message}) when {condition}"
    return tuple(
        ("main", words.format(message=" ".join(refusal.message.split()), condition=" ".join(refusal.condition.split())))
        for refusal in requirements.request.refuse_when
    )


def _schema(requirements: Requirements) -> str:
    fields = [text.schema_field(_typed(column, requirements), 1) for column in requirements.body.columns]
    return "SCHEMA = [\n" + "\n".join(fields) + "\n]"


def _typed(column: Column, requirements: Requirements) -> Column:
    """The column with a type: the partition column's follows from the partitioning, any other is text."""
    if column.type is not None:
        return column
    if column.name == requirements.partitioning.field:
        return replace(column, type="TIMESTAMP" if requirements.partitioning.type == "hour" else "DATE")
    return replace(column, type="STRING")


def _upload(requirements: Requirements, plan: Plan) -> str:
    partitioning = plan.partition or requirements.partitioning
    disposition = "WRITE_APPEND" if partitioning.write == "append" else "WRITE_TRUNCATE"
    options = ["schema=SCHEMA", f"write_disposition=bigquery.WriteDisposition.{disposition}"]
    if partitioning.field or partitioning.ingestion_time:
        kind = (partitioning.type or "day").upper()
        field = f", field={text.string(partitioning.field)}" if partitioning.field else ""
        options.append(
            f"time_partitioning=bigquery.TimePartitioning(\n            type_={text.string(kind)}{field}\n        )"
        )
    if plan.cluster_list:
        options.append(text.listing("clustering_fields=", plan.cluster_list, 8))
    body = "\n".join(f"        {option}," for option in options)
    doing = "Append the rows" if disposition == "WRITE_APPEND" else "Replace the partition or table by the rows"
    return _UPLOAD.format(options=body, doing=doing)


def _main(requirements: Requirements, refusals: tuple[tuple[str, str], ...]) -> str:
    table = requirements.table
    partitioning = requirements.partitioning
    tables = not _from_api(requirements)
    if partitioning.incremental:
        decorator = _DECORATOR[partitioning.type or "day"]
        whole = partitioning.write in {"append", "table"}
        suffix = "" if whole else f"${{args.date:{decorator}}}"
        fetch = "fetch_records(client, args.date)" if tables else "fetch_records(args.date)"
        row = "row_of(record)" if tables else "row_of(record, args.date)"
        parse, date_ = f"{_day(requirements)}.fromisoformat", ", required=True"
        help_ = "the partition to write, YYYY-MM-DD"
    else:
        suffix, row = "", "row_of(record)"
        fetch = "fetch_records(client)" if tables else "fetch_records()"
        parse, date_ = "", ""
        help_ = "accepted for the scheduler; every run writes the whole table"
    type_ = f", type={parse}" if parse else ""
    return _MAIN.format(
        arguments="\n".join(
            [
                text.argument("--date", f"{type_}{date_}, help={text.string(help_)}"),
                text.argument("--project", f", default={text.string(table.project)}"),
                text.argument("--dataset", f", default={text.string(table.dataset)}"),
                text.argument("--table", f", default={text.string(table.name)}"),
            ]
        ),
        suffix=suffix,
        fetch=fetch,
        row=row,
        refusals="".join(f"    # {PERSON} {line}\n" for _, words in refusals for line in textwrap.wrap(words, 88)),
    )


_FETCH_INCREMENTAL = '''\
def fetch_records(day: {day}) -> list[dict[str, Any]]:
    """Fetch the records of one day, following the pages."""
    session = requests.Session()
{headers}    url, params = {address}
    records: list[dict[str, Any]] = []
    while url:
        response = session.get(url, params=params, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        records.extend(records_of(response.json()))
{paging}        url, params = response.links.get("next", {{}}).get("url", ""), {{}}
    return records
'''

_FETCH_FULL = '''\
def fetch_records() -> list[dict[str, Any]]:
    """Fetch all records, following the pages."""
    session = requests.Session()
{headers}    url = API_URL
    records: list[dict[str, Any]] = []
    while url:
        response = session.get(url, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        records.extend(records_of(response.json()))
{paging}        url = response.links.get("next", {{}}).get("url", "")
    return records
'''

_RECORDS = '''

def records_of(answer: Any) -> list[dict[str, Any]]:
    """Find the list of records in an answer of the API."""
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        raise TypeError(f"neither a list nor an object: {{answer!r}}")
    for key in {keys}:
        if isinstance(answer.get(key), list):
            return answer[key]
    return [answer]'''

_FETCH_TABLES = '''\
def fetch_records({signature}) -> list[dict[str, Any]]:
    """Run the query and fetch its rows."""
    job_config = bigquery.QueryJobConfig({parameters})
    return [dict(row) for row in client.query(QUERY, job_config=job_config).result()]'''

_ROW_AS_IT_IS = '''\
def row_of(record: dict[str, Any]) -> dict[str, Any]:
    """Make one row of the table: dates and numbers as text, which a load job reads."""
    return json.loads(json.dumps(record, default=str))'''

_PICK = '''\
def pick(record: dict[str, Any], *keys: str) -> Any:
    """Get a nested value, None where the way to it ends."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


'''

_UPLOAD = '''\
def upload(
    client: bigquery.Client, rows: list[dict[str, Any]], destination: str
) -> None:
    """{doing}."""
    job_config = bigquery.LoadJobConfig(
{options}
    )
    client.load_table_from_json(rows, destination, job_config=job_config).result()
    logger.info("%d rows loaded into %s", len(rows), destination)'''

_MAIN = '''\
def main() -> None:
    """Fetch, transform and load."""
    parser = ArgumentParser(description=__doc__)
{arguments}
    args = parser.parse_args()

    logging.basicConfig(level=logging.INFO)
    client = bigquery.Client(args.project)
    rows = [{row} for record in {fetch}]
{refusals}    destination = f"{{args.project}}.{{args.dataset}}.{{args.table}}{suffix}"
    upload(client, rows, destination)'''
