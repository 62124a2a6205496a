"""Sources of output columns against sqlglot's lineage on real queries: `python benchmarks/lineage.py [--json] [--files N]`.

Takes the folders as `dry_run.py` does. Of queries and views picked at random (always the same) that are accepted, every
output column is traced by both, no further than to the tables and views that the file itself reads. Compared are the top
level columns that a column is made of. sqlglot has no types and counts what a join or filter needs as we do not, so a
difference is listed with both answers, and judged by reading it. A column of ours without sources, where it is neither a
constant nor said why, counts as silent.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from corpus import folder, repository
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage as sqlglot_lineage

from etl_orchestrator.api import Workplace
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.dry_run import resolved
from etl_orchestrator.sql.lineage import Traced, Tracer
from etl_orchestrator.sql.resolution import Resolved
from etl_orchestrator.table import TableRef

Sources = frozenset[tuple[str, str]]


def measured(root: Path, generated: Path, files: int) -> dict[str, Any]:
    tools = Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools()
    catalog, tracer = resolved(tools), Tracer(tools, through_views=False)
    found = [path for kind in ("query.sql", "view.sql") for path in sorted((generated / "sql").rglob(kind))]
    random.Random(11).shuffle(found)
    counts: Counter[str] = Counter()
    listed: list[str] = []
    began = time.process_time()
    for path in found:
        if counts["files"] == files:
            break
        name = path.relative_to(generated).as_posix()
        home = paths.table_of(name)
        if home is None:
            continue
        try:
            columns = tracer.columns(name)
            sql = _select(catalog.template(name, home, catalog.text(name) or "").render())
        except OrchestratorError:
            continue
        counts["files"] += 1
        counts["columns"] += len(columns)
        counts["silent"] += sum(not (one.sources or one.note or one.kind == "constant") for one in columns)
        schemas = _schemas(catalog, {table for one in columns for table, _ in one.sources})
        for column in columns:
            word, told = _compared(column, sql, schemas, home)
            counts[word] += 1
            if told:
                listed.append(f"{name} {column.name}: {told}")
    return {"counts": counts, "differences": listed, "seconds": round(time.process_time() - began, 1)}


def _select(sql: str) -> str:
    """The query of a view's statement, as far as the words tell it."""
    head, word, query = sql.partition("\nAS\n")
    return query if word and "CREATE" in head.upper() else sql


def _schemas(catalog: Resolved, tables: set[TableRef]) -> dict[str, Any]:
    """As sqlglot wants them: project, dataset, table, column, type; the types of columns do not matter to it."""
    found: dict[str, Any] = {}
    for table in tables:
        known = catalog.schema(table)
        columns = {field.name: "STRING" for field in known.schema} if known else {}
        found.setdefault(table.project, {}).setdefault(table.dataset, {})[table.name] = columns
    return found


def _compared(column: Traced, sql: str, schemas: dict[str, Any], home: TableRef) -> tuple[str, str]:
    ours = frozenset((str(table).lower(), name.partition(".")[0].lower()) for table, name in column.sources)
    try:
        root = sqlglot_lineage(column.name, sql, schema=schemas, dialect="bigquery")
    except (SqlglotError, RecursionError, ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        return f"sqlglot cannot ({type(error).__name__}: {str(error)[:40]!r})", ""
    theirs: set[tuple[str, str]] = set()
    for node in root.walk():
        if isinstance(node.expression, exp.Table) and not node.downstream:
            table = node.expression
            project = table.catalog or home.project
            name = node.name.rpartition(".")[2].strip('`"').lower()
            theirs.add((f"{project}.{table.db}.{table.name}".lower(), name))
    if ours == theirs:
        return "same", ""
    return "different", f"we {_said(ours - theirs)}, sqlglot {_said(frozenset(theirs) - ours)} besides"


def _said(sources: Sources) -> str:
    return ", ".join(sorted(f"{table.rpartition('.')[2]}.{name}" for table, name in sources)) or "nothing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--files", type=int, default=25, help="stop after so many files")
    parser.add_argument("--repository", type=Path, help="where the two branches are laid together and kept")
    options = parser.parse_args()
    folder("ETLO_PIPELINE_SCHEMAS")
    with repository(options.repository) as root:
        result = measured(root, folder("ETLO_GENERATED_SQL"), options.files)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for word, number in result["counts"].items():
        print(f"{number:>8} {word}")
    print(f"CPU {result['seconds']} s")
    for difference in result["differences"]:
        print(f"  {difference}")


if __name__ == "__main__":
    main()
