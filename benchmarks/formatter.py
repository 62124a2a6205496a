"""The formatter measured on a checkout of mozilla/bigquery-etl: `python benchmarks/formatter.py [--json] [--repeat N]`.

Takes the checkout from ETLO_BIGQUERY_ETL, and its branch generated-sql from ETLO_GENERATED_SQL if that is set. Rows:
fixed points (formatting a file of the repository changes nothing), restored (all white space between tokens collapsed,
keywords in small letters, then formatted: the same bytes again), idempotent and same tokens (both asked of the collapsed
text, which formatting does change), and CPU time of one formatting.

With ETLO_BQETL, the command that starts that repository's own program (`/venv/bin/bqetl`), the whole command on one
file is measured side by side: `format --check` of both, as processes, in turns, of the checkout's longest query.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.formatter import format_sql, skipped
from etl_orchestrator.sql.formatter_layout import OFF, ON
from etl_orchestrator.sql.formatter_pieces import Reader
from etl_orchestrator.sql.tokens import COMMENTS, Kind, tokenize

Table = dict[str, int | float | list[str]]


def collapsed(text: str) -> str:
    """One blank for each gap and keywords in small letters; comments and what is not to be formatted stay."""
    written: list[str] = []
    end, formatting = 0, True
    for piece in Reader(tokenize(text)).pieces():
        gap, word = text[end : piece.start], text[piece.start : piece.end]
        end = piece.end
        if piece.role.is_comment:
            lead = gap[max(gap.rfind("\n"), 0) :] if formatting else gap
            formatting = OFF.search(word) is None if formatting else ON.search(word) is not None
            written += [lead, word, "\n" if formatting and word.startswith(("--", "#")) else ""]
        elif formatting:
            written += [" " if gap else "", " ".join(word.lower().split()) if piece.role.capitals else word]
        else:
            written += [gap, word]
    return "".join(written)


def meaning(text: str) -> list[tuple[Kind, str]]:
    """The tokens of a text, words in capitals."""
    return [(token.kind, token.text if token.kind in COMMENTS else token.text.upper()) for token in tokenize(text)]


def measured(root: Path, folder: Path, skip: Sequence[str], repeat: int) -> Table:
    counts = dict.fromkeys(("files", "skipped", "fixed", "query", "query_restored", "view", "view_restored"), 0)
    counts |= dict.fromkeys(("formatted", "idempotent", "same_tokens"), 0)
    times: list[float] = []
    others: list[str] = []
    for path in sorted(folder.rglob("*.sql")):
        name = path.relative_to(root).as_posix()
        counts["files"] += 1
        if skipped(name, skip):
            counts["skipped"] += 1
            continue
        text = path.read_text(encoding="utf-8")
        try:
            started = time.process_time()
            for _ in range(repeat):
                formatted = format_sql(text, name)
            times.append((time.process_time() - started) / repeat)
            changed = collapsed(text)
            restored = format_sql(changed, name)
        except InvalidInput as error:
            others.append(str(error))
            continue
        counts["fixed"] += formatted == text
        counts["formatted"] += 1
        counts["idempotent"] += format_sql(restored) == restored
        counts["same_tokens"] += meaning(restored) == meaning(changed)
        if path.name in ("query.sql", "view.sql"):
            counts[path.stem] += 1
            counts[f"{path.stem}_restored"] += restored == text
        if formatted != text or (path.name in ("query.sql", "view.sql") and restored != text):
            others.append(name)
    times.sort()
    timing = {
        "median_ms": round(times[len(times) // 2] * 1000, 2),
        "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 2),
        "largest_ms": round(times[-1] * 1000, 1),
        "cpu_s": round(sum(times), 2),
    }
    return {**counts, **timing, "others": others}


def side_by_side(checkout: Path, theirs: Sequence[str], turns: int = 5) -> Table:
    """CPU and wall seconds of one command on one file, the median of some turns; raises where they disagree."""
    longest = max((checkout / "sql").rglob("query.sql"), key=lambda path: path.stat().st_size)
    name = longest.relative_to(checkout).as_posix()
    ours = [sys.executable, "-m", "etl_orchestrator"]
    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for _ in range(turns):
        for who, command in (("ours", ours), ("theirs", list(theirs))):
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run([*command, "format", "--check", name], cwd=checkout, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            spent[who].append((cpu, time.perf_counter() - began))
    table: Table = {}
    for index, what in enumerate(("cpu", "wall")):
        medians = {who: statistics.median(turn[index] for turn in all_turns) for who, all_turns in spent.items()}
        table |= {f"{who}_{what}_s": round(seconds, 3) for who, seconds in medians.items()}
        table[f"times_faster_{what}"] = round(medians["theirs"] / medians["ours"], 1)
    return table


def shown(title: str, table: Table) -> str:
    if "files" not in table:
        return "\n".join([title, *(f"  {name:<20}{value}" for name, value in table.items())])
    due = int(str(table["files"])) - int(str(table["skipped"]))
    rows = [
        ("files", f"{table['files']}, {table['skipped']} on the skip list"),
        ("fixed points", f"{table['fixed']} of {due}"),
        ("query.sql restored", f"{table['query_restored']} of {table['query']}"),
        ("view.sql restored", f"{table['view_restored']} of {table['view']}"),
        ("idempotent", f"{table['idempotent']} of {table['formatted']}"),
        ("same tokens", f"{table['same_tokens']} of {table['formatted']}"),
        ("ms a file", f"median {table['median_ms']}, p95 {table['p95_ms']}, largest {table['largest_ms']}"),
        ("CPU s, all files", f"{table['cpu_s']}"),
    ]
    others = table["others"]
    listed = [f"  neither: {other}" for other in others[:20]] if isinstance(others, list) else []
    return "\n".join([title, *(f"  {name:<20}{value}" for name, value in rows), *listed])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure the formatter on a checkout of mozilla/bigquery-etl.")
    parser.add_argument("--json", action="store_true", help="print the tables as JSON")
    parser.add_argument("--repeat", type=int, default=1, help="format every file this often")
    options = parser.parse_args(arguments)
    checkout = os.environ.get("ETLO_BIGQUERY_ETL")
    if not checkout:
        sys.stderr.write("set ETLO_BIGQUERY_ETL to a checkout of mozilla/bigquery-etl\n")
        return 2
    settings = yaml.safe_load((Path(checkout) / "bqetl_project.yaml").read_text(encoding="utf-8"))
    skip = settings["format"]["skip"]
    tables = {"main": measured(Path(checkout), Path(checkout) / "sql", skip, options.repeat)}
    if generated := os.environ.get("ETLO_GENERATED_SQL"):
        tables["generated-sql"] = measured(Path(generated), Path(generated) / "sql", skip, options.repeat)
    if command := os.environ.get("ETLO_BQETL"):
        tables["one file, the whole command"] = side_by_side(Path(checkout), shlex.split(command))
    if options.json:
        sys.stdout.write(json.dumps(tables, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(shown(title, table) for title, table in tables.items()) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
