"""Output schemas against the schema.yaml beside each query of mozilla/bigquery-etl: `python benchmarks/schemas.py [--every N]`.

Takes the folders as `dry_run.py` does. Compared are names, types and modes (REQUIRED counts as NULLABLE, for no query gives
it) of those queries that are accepted and give columns; not those that read EXTERNAL_QUERY, for of these schema.yaml is
believed. Apart stand tables whose nested fields have another order in schema.yaml than in the stable table that the query
reads (`skew.py`), with the proof: with a clone of the schemas that has its history, this is the order of the deployed table,
and schema.yaml is wrong; with an archive it is that of the schema file, and the deployed table may agree with schema.yaml.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from corpus import folder, repository
from skew import Skew

from etl_orchestrator.api import Workplace
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.dry_run import resolved, verdict_of
from etl_orchestrator.table import Schema, TableRef, unpacked, walk
from etl_orchestrator.tools import Tools

_NESTED = "but for the order of fields"
_SKEW = "but for the order of a stable table's fields"
Shape = list[tuple[Any, ...]]


def shape(schema: Schema, nested_sorted: bool = False) -> Shape:
    found: Shape = [
        (f.name, f.type, "REPEATED" if f.mode == "REPEATED" else "", shape(f.fields, nested_sorted)) for f in schema
    ]
    return sorted(found) if nested_sorted else found


def compared(given: Schema, written: Schema) -> tuple[str, list[str]]:
    """How alike two schemas are, and in which fields they differ."""
    if shape(given) == shape(written):
        return "equal", []
    if sorted(shape(given)) == sorted(shape(written)):
        return "but for the order of columns", []
    if shape(given, True) == shape(written, True):
        return _NESTED, []
    one, other = (
        {path: f"{f.type} {f.mode}".replace("REQUIRED", "NULLABLE") for path, f in walk(s)} for s in (given, written)
    )
    differences = [f"{path} only in the query" for path in one.keys() - other.keys()]
    differences += [f"{path} only in schema.yaml" for path in other.keys() - one.keys()]
    differences += [
        f"{path} is {one[path]}, in schema.yaml {other[path]}"
        for path in one.keys() & other.keys()
        if one[path] != other[path]
    ]
    return "different", sorted(differences)


def nested_orders(given: Schema, written: Schema) -> list[str]:
    other = {path: [field.name for field in record.fields] for path, record in walk(written)}
    records = [(path, [field.name for field in record.fields]) for path, record in walk(given) if record.fields]
    return [
        f"{path} is ({', '.join(names)}) in the query, ({', '.join(other[path])}) in schema.yaml"
        for path, names in records
        if other.get(path, names) != names
    ]


def asked(path: Path, table: TableRef, skew: Skew, tools: Tools) -> tuple[str, list[str]]:
    verdict = verdict_of(path.as_posix(), tools)
    if verdict["verdict"] != "accepted":
        return str(verdict["verdict"]), []
    try:
        known = tools.catalog.schema(table)
    except OrchestratorError as error:
        return "schema.yaml unreadable", [error.message]
    if any("the database behind" in note for note in verdict["notes"]):
        return "taken from schema.yaml on a condition", []
    if not verdict["columns"] or known is None:
        return "gives no columns", []
    given = unpacked(verdict["columns"])
    word, differences = compared(given, known.schema)
    if word == _NESTED:
        proofs = skew.orders(given, known.schema, (TableRef.parse(name) for name in verdict["tables"]))
        return (_SKEW, proofs) if proofs else (word, nested_orders(given, known.schema))
    return word, differences


def measured(root: Path, generated: Path, every: int) -> dict[str, Any]:
    tools = Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools()
    skew = Skew(resolved(tools), tools.analyzer, folder("ETLO_BIGQUERY_ETL"))
    counts: Counter[str] = Counter()
    listed: dict[str, list[str]] = {}
    files = [
        file
        for file in sorted((generated / "sql").rglob(paths.QUERY_SQL))
        if (file.parent / paths.SCHEMA_YAML).exists()
    ]
    for file in files[::every]:
        path = file.relative_to(generated)
        table = paths.table_of(path.as_posix())
        if table is None:
            continue
        word, differences = asked(path, table, skew, tools)
        counts[word] += 1
        if differences:
            listed[f"{table}, {word}"] = differences
    return {"counts": counts, "differences": listed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="measure one table of N")
    parser.add_argument("--repository", type=Path, help="where the two branches are laid together and kept")
    options = parser.parse_args()
    folder("ETLO_PIPELINE_SCHEMAS")
    with repository(options.repository) as root:
        result = measured(root, folder("ETLO_GENERATED_SQL"), options.every)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    words = ("equal", "but for the order of columns", _SKEW, _NESTED, "different")
    total, reached = sum(result["counts"][word] for word in words), 0
    for word in words:
        reached += result["counts"][word]
        print(f"{word:48}{result['counts'][word]:>8}{reached / max(total, 1):>10.2%} so far")
    for word, number in result["counts"].most_common():
        if word not in words:
            print(f"{word:48}{number:>8}")
    for name, differences in result["differences"].items():
        print(f"\n{name}:", *differences[:12], sep="\n  ")


if __name__ == "__main__":
    main()
