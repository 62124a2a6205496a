"""The whole report of a run, and the parts that only some runs have."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.finding import Failed, Finding, NotDue, Passed, Unchecked
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.plan import Decision, Plan, PlannedSource
from etl_orchestrator.report.markdown import report
from etl_orchestrator.run import Answer, Run, Visit
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
FOLDER = "sql/acme-data/shop_derived/daily_orders_v1"
BEGAN = "2025-06-02T07:00:00+00:00"
FINDING = Finding("QRY004", "unread_source", "nobody reads `a|b`", f"{FOLDER}/query.sql:3", "query", "read it")
BAD = Visit("query", "query written", (Answer("QRY004", "unread_source", Failed((FINDING,))),), 0.5, "d", "query")
GOOD = Visit(
    "query",
    "query written",
    (Answer("QRY004", "unread_source", Passed("2 sources\nread")), Answer("QRY009", "x", NotDue("no template"))),
    0.25,
    "e",
)
ARTIFACTS = (
    Artifact(f"{FOLDER}/query.sql", "SELECT 'ä'\n", "query"),
    Artifact(
        f"{FOLDER}/schema.yaml", "fields: []\n", "metadata", (Note("day", "requirement"), Note("n", "requirement"))
    ),
    Artifact(
        "tests/expect.yaml",
        "- n: 1\n",
        "tests",
        (Note("row 1", "requirement", "rows"), Note("row 1, n", "snapshot", "a float sum")),
    ),
)


def _plan() -> Plan:
    said = Decision("", "nobody said")
    return Plan(
        TABLE,
        Decision("query.sql", "plain SQL is the rule"),
        *((said,) * 8),
        sources=(PlannedSource(TableRef("acme-data", "shop_live", "orders_v1"), "declared inline"),),
    )


def _run(*visits: Visit) -> Run:
    return Run("run-1", TABLE, Model(TABLE, plan=_plan(), artifacts=ARTIFACTS), visits, "delivered")


def test_the_whole_report_of_a_run_that_was_sent_back_once() -> None:
    run = _run(BAD, GOOD)
    said = "\n".join(
        f"| {name} | - | nobody said |"
        for name in (
            "refresh", "dag", "tier", "owners", "partitioning", "clustering", "monitoring", "friendly name",
        )
    )  # fmt: skip
    assert (
        report(run, "table: x\n", (f"{FOLDER}/query.sql",), BEGAN)
        == f"""\
# acme-data.shop_derived.daily_orders_v1: delivered

|  |  |
| --- | --- |
| Run | run-1 |
| Began | {BEGAN} |
| Time in the rooms | 0.75 s |
| Rooms visited | 2 |
| Gate verdicts given | 2 |
| Digest of the files | {run.model.digest} |

## Configuration

| Decision | Value | Reason |
| --- | --- | --- |
| query type | query.sql | plain SQL is the rule |
{said}
| source | acme-data.shop_live.orders_v1 | declared inline |

## Files

| File | Bytes | Made in |  |
| --- | --- | --- | --- |
| `{FOLDER}/query.sql` | 12 | query | written |
| `{FOLDER}/schema.yaml` | 11 | metadata | unchanged |
| `tests/expect.yaml` | 7 | tests | unchanged |

## Where it came from

| What | Source | How many |
| --- | --- | --- |
| expected values | requirement | 1 |
| expected values | snapshot | 1 |
| schema.yaml | requirement | 2 |

Snapshots of the query's own output, which prove nothing until a person has read them:

- `tests/expect.yaml` row 1, n: a float sum

## Phases

| Phase | What was decided or made | Seconds |  |
| --- | --- | --- | --- |
| query | query written | 0.50 | back to query |
| query | query written | 0.25 |  |

## Findings on the way

| Gate | Finding | Met in | Outcome |
| --- | --- | --- | --- |
| QRY004 unread_source | nobody reads `a\\|b` | query | mended in query |

## Evidence by gate

2 answers, 0 failed, 0 could not be asked.

| Phase | Gate | Verdict | Evidence |
| --- | --- | --- | --- |
| query | QRY004 unread_source | passed | 2 sources<br>read |
| query | QRY009 x | not_due | no template |

## Next steps

- Read the files above
- Commit them and open a pull request
- Deploying stays with the repository's own tools

## The request

```
table: x
```
"""
    )


def test_a_run_that_stands_open_says_why_and_what_to_do() -> None:
    unchecked = Answer("QRY002", "refused_query", Unchecked("no engine"))
    run = replace(
        _run(replace(BAD, sent_back_to=None, answers=(*BAD.answers, unchecked))),
        status="open",
        ended="only a person can mend what is open",
    )
    text = report(run, "", (), BEGAN)
    assert text.startswith("# acme-data.shop_derived.daily_orders_v1: open\n\nonly a person can mend what is open\n\n|")
    assert "| QRY004 unread_source | nobody reads `a\\|b` | query | open |" in text
    assert "2 answers, 1 failed, 1 could not be asked." in text
    assert "| query | QRY002 refused_query | unchecked | no engine |" in text
    assert (
        "## Next steps\n\n- read it\n- make it possible to ask QRY002 refused_query\n- `etl-orchestrator resume run-1`\n"
    ) in text


def test_a_dry_run_says_that_nothing_was_written() -> None:
    text = report(_run(GOOD), "", (), BEGAN, dry_run=True)
    assert "| written |" not in text
    assert "- Nothing was written: build again without --dry-run to write the files\n" in text
    assert "## Findings on the way\n\nNone.\n" in text


def test_a_room_in_trouble_says_so_and_a_run_without_plan_and_files_has_no_such_parts() -> None:
    visit = Visit("query", "", (), 0.1, "d", trouble="the engine fell over")
    run = Run("run-1", TABLE, Model(TABLE), (visit,), "failed", "the engine fell over")
    text = report(run, "", (), BEGAN)
    assert "| query | the engine fell over | 0.10 |  |" in text
    assert all(heading not in text for heading in ("## Configuration", "## Files", "## Where it came from"))


def test_a_request_with_a_fence_of_its_own_stays_inside_of_the_report() -> None:
    text = report(_run(GOOD), "# Ask\n```sql\nSELECT 1\n```\n", (), BEGAN)
    assert text.endswith("## The request\n\n````\n# Ask\n```sql\nSELECT 1\n```\n````\n")


def test_a_build_that_changes_nothing_says_so() -> None:
    text = report(_run(GOOD), "", (), BEGAN)
    assert "not written" not in text
    assert "--dry-run" not in text
    assert "- Nothing to do: every file stands in the repository as it was made, unchanged\n" in text
