"""The examples of BigQuery's documentation through the analyzer: `python benchmarks/documentation.py [--list] [GLOB]`.

Takes ETLO_BIGQUERY_DOCS, a folder with the pages as Markdown (a checkout of a mirror of docs.cloud.google.com/bigquery), and
looks at every indented block that begins like a statement; patterns of syntax, legacy SQL and what the page itself calls an
error are left out. Tables of other examples are not at hand, so a block that reads one counts as such and says nothing more.
`--list` prints each block that is refused, with its page and line: what is left there must be the page's own slip.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from corpus import folder

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import EngineCrashed, OrchestratorError, Unavailable

_VERBS = (
    "SELECT|WITH|FROM|DECLARE|CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|MERGE|EXPORT|LOAD|BEGIN|CALL|EXECUTE|TRUNCATE|GRANT"
    "|REVOKE|ASSERT|WHILE|LOOP|FOR"
)
_BEGINS = re.compile(rf"(?:\s|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/)*(?:{_VERBS})\s", re.DOTALL)
_RESULTS = re.compile(r"/\*-[\s\S]*?-\*/|^ ?\+-.*\+$|^ ?\|.*\|$", re.MULTILINE)
#: Brackets around what may be left out, names that stand for something, legacy SQL, and errors shown on purpose.
_NO_EXAMPLE = re.compile(
    r"\.\.\.|\[ ?(?:[A-Z]+ |\[|,)|\{ |[a-z]_(?:list|statement)\b|legacySQL|(?i:error|invalid|fails|doesn't work)|\nThe results?\b"
)


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """The indented blocks of a page, with the number of the first line."""
    lines, begins = text.splitlines(), 0
    for number, line in enumerate([*lines, "."], 1):
        if line.startswith("    ") and not begins:
            begins = number
        elif begins and line.strip() and not line.startswith("    "):
            block = "\n".join(one[4:] for one in lines[begins - 1 : number - 1])
            yield begins, _RESULTS.sub("", block).strip()
            begins = 0


def judged(engine: GoogleSql, sql: str) -> tuple[str, str]:
    """A verdict in a word, and the message."""
    try:
        problem = engine.analyze(sql, {}, {}).problem
    except Unavailable as error:
        return "unknown", error.message
    except EngineCrashed as error:
        return "crashed", error.message
    except OrchestratorError as error:
        return "unsupported", error.message
    if problem is None:
        return "accepted", ""
    if "Table not found" in problem.message:
        return "reads a table", problem.message
    return "refused", problem.message.splitlines()[0]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Analyze the examples of BigQuery's documentation.")
    parser.add_argument("glob", nargs="?", default="*.md", help="pages by name")
    parser.add_argument("--list", action="store_true", help="print what is refused, unsupported or unknown")
    options = parser.parse_args(arguments)
    engine, seen = GoogleSql(), set[str]()
    counts: Counter[str] = Counter()
    for page in sorted(folder("ETLO_BIGQUERY_DOCS").rglob(options.glob)):
        for line, sql in blocks(page.read_text(encoding="utf-8")):
            if sql in seen or not _BEGINS.match(sql) or _NO_EXAMPLE.search(sql):
                continue
            seen.add(sql)
            verdict, message = judged(engine, sql)
            counts[verdict] += 1
            if options.list and verdict not in ("accepted", "reads a table"):
                print(f"{verdict}: {page.name}:{line}: {message}\n    {' '.join(sql.split())[:160]}")
    print(f"{counts.total()} blocks: {', '.join(f'{count} {verdict}' for verdict, count in counts.most_common())}")
    return 0 if counts["accepted"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
