"""Load shop_derived.daily_orders_v1.

Orders and revenue per day and country.

Grain: one row per order_date, country.

Why Python: It calls the API https://shop.acme.example/v1/daily, whose answer is one
page.
"""

import logging
from argparse import ArgumentParser
from datetime import date
from typing import Any

import requests
from google.cloud import bigquery

logger = logging.getLogger(__name__)

API_URL = "https://shop.acme.example/v1/daily"
TIMEOUT_SECONDS = 60
SCHEMA = [
    bigquery.SchemaField("order_date", "DATE"),
    bigquery.SchemaField("country", "STRING"),
    bigquery.SchemaField("n_orders", "INTEGER"),
    bigquery.SchemaField("revenue", "NUMERIC"),
]


def fetch_records(day: date) -> list[dict[str, Any]]:
    """Fetch the records of one day, following the pages."""
    session = requests.Session()
    url, params = API_URL, {"date": day.isoformat()}
    records: list[dict[str, Any]] = []
    while url:
        response = session.get(url, params=params, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        records.extend(records_of(response.json()))
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
        "order_date": record.get("order_date") or day.isoformat(),
        "country": record.get("country"),
        "n_orders": record.get("n_orders"),
        "revenue": record.get("revenue"),
    }


def upload(client: bigquery.Client, rows: list[dict[str, Any]], destination: str) -> None:
    """Replace the partition or table by the rows."""
    job_config = bigquery.LoadJobConfig(
        schema=SCHEMA,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        time_partitioning=bigquery.TimePartitioning(type_="DAY", field="order_date"),
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
    parser.add_argument("--project", default="acme-data")
    parser.add_argument("--dataset", default="shop_derived")
    parser.add_argument("--table", default="daily_orders_v1")
    args = parser.parse_args()

    logging.basicConfig(level=logging.INFO)
    client = bigquery.Client(args.project)
    rows = [row_of(record, args.date) for record in fetch_records(args.date)]
    destination = f"{args.project}.{args.dataset}.{args.table}${args.date:%Y%m%d}"
    upload(client, rows, destination)


if __name__ == "__main__":
    main()
