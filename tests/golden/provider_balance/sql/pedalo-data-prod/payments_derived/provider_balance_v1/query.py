"""Load payments_derived.provider_balance_v1.

Balance of our accounts at the payment provider, as its API reports it in the morning.

Grain: one row per submission_date, account_id.

Why Python: The balance is only to be had from the API of the payment provider, with a
secret key.
"""

import logging
import os
from argparse import ArgumentParser
from datetime import date
from typing import Any

import requests
from google.cloud import bigquery

logger = logging.getLogger(__name__)

# PERSON: the address of the API, which the requirements do not name
API_URL = ""
TIMEOUT_SECONDS = 60
PROVIDER_API_KEY = os.environ.get("PROVIDER_API_KEY", "")
SCHEMA = [
    bigquery.SchemaField("submission_date", "DATE"),
    bigquery.SchemaField("account_id", "STRING"),
    bigquery.SchemaField("currency", "STRING"),
    bigquery.SchemaField("available_amount", "NUMERIC"),
    bigquery.SchemaField("pending_amount", "NUMERIC"),
]


def fetch_records(day: date) -> list[dict[str, Any]]:
    """Fetch the records of one day, following the pages."""
    session = requests.Session()
    # PERSON: how the API takes its key: a bearer token is assumed
    session.headers["Authorization"] = f"Bearer {PROVIDER_API_KEY}"
    url, params = API_URL, {"date": day.isoformat()}
    records: list[dict[str, Any]] = []
    while url:
        response = session.get(url, params=params, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        records.extend(records_of(response.json()))
        # PERSON: pages named in a Link header are followed; any other way of paging is not
        url, params = response.links.get("next", {}).get("url", ""), {}
    return records


def records_of(answer: Any) -> list[dict[str, Any]]:
    """Find the list of records in an answer of the API."""
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        raise TypeError(f"neither a list nor an object: {answer!r}")
    for key in ("results", "data", "items", "records"):
        if isinstance(answer.get(key), list):
            return answer[key]
    return [answer]


def row_of(record: dict[str, Any], day: date) -> dict[str, Any]:
    """Make one row of the table."""
    return {
        "submission_date": record.get("submission_date") or day.isoformat(),
        "account_id": record.get("account_id"),
        "currency": record.get("currency"),
        "available_amount": record.get("available_amount"),
        "pending_amount": record.get("pending_amount"),
    }


def upload(
    client: bigquery.Client, rows: list[dict[str, Any]], destination: str
) -> None:
    """Replace the partition or table by the rows."""
    job_config = bigquery.LoadJobConfig(
        schema=SCHEMA,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        time_partitioning=bigquery.TimePartitioning(
            type_="DAY", field="submission_date"
        ),
    )
    client.load_table_from_json(rows, destination, job_config=job_config).result()
    logger.info("%d rows loaded into %s", len(rows), destination)


def main() -> None:
    """Fetch, transform and load."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        required=True,
        help="the partition to write, YYYY-MM-DD",
    )
    parser.add_argument("--project", default="pedalo-data-prod")
    parser.add_argument("--dataset", default="payments_derived")
    parser.add_argument("--table", default="provider_balance_v1")
    args = parser.parse_args()

    logging.basicConfig(level=logging.INFO)
    client = bigquery.Client(args.project)
    rows = [row_of(record, args.date) for record in fetch_records(args.date)]
    destination = f"{args.project}.{args.dataset}.{args.table}${args.date:%Y%m%d}"
    upload(client, rows, destination)


if __name__ == "__main__":
    main()
