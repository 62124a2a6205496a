"""Load fleet_derived.weather_daily_v1.

Weather of the day before in the cities in which we run bikes. Rain explains most of the
difference between two Tuesdays.

Grain: one row per submission_date, city_code.

Why Python: The weather comes from the HTTP API of the weather office (one GET per city
and day, JSON); SQL cannot call it.
"""

import logging
from argparse import ArgumentParser
from datetime import date
from typing import Any

import requests
from google.cloud import bigquery

logger = logging.getLogger(__name__)

# PERSON: the address of the API, which the requirements do not name
API_URL = ""
TIMEOUT_SECONDS = 60
SCHEMA = [
    bigquery.SchemaField("submission_date", "DATE", mode="REQUIRED"),
    bigquery.SchemaField("city_code", "STRING", mode="REQUIRED"),
    bigquery.SchemaField("rain_mm", "FLOAT"),
    bigquery.SchemaField("temperature_max_c", "FLOAT"),
    bigquery.SchemaField("temperature_min_c", "FLOAT"),
    bigquery.SchemaField("wind_gust_kmh", "FLOAT"),
    bigquery.SchemaField("warnings", "STRING", mode="REPEATED"),
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
        # PERSON: pages named in a Link header are followed; any other way of paging is not
        # PERSON: what is asked for each row of pedalo-data-prod.static.cities_v1, a source besides the API
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
        "city_code": record.get("city_code"),
        "rain_mm": record.get("rain_mm"),
        "temperature_max_c": record.get("temperature_max_c"),
        "temperature_min_c": record.get("temperature_min_c"),
        "wind_gust_kmh": record.get("wind_gust_kmh"),
        "warnings": record.get("warnings"),
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
    parser.add_argument("--dataset", default="fleet_derived")
    parser.add_argument("--table", default="weather_daily_v1")
    args = parser.parse_args()

    logging.basicConfig(level=logging.INFO)
    client = bigquery.Client(args.project)
    rows = [row_of(record, args.date) for record in fetch_records(args.date)]
    destination = f"{args.project}.{args.dataset}.{args.table}${args.date:%Y%m%d}"
    upload(client, rows, destination)


if __name__ == "__main__":
    main()
