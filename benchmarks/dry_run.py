"""The dry run measured on every query and view of mozilla/bigquery-etl: `python benchmarks/dry_run.py [--json] [--every N]`.

Takes the folders from ETLO_BIGQUERY_ETL, ETLO_GENERATED_SQL and ETLO_PIPELINE_SCHEMAS. A file is accepted, refused, or
unknown: it names a table or routine whose definition is nowhere in these folders, or reads something the analyzer lacks.
Apart stand refusals that the folders themselves prove to come of their different commits (`skew.py`), with the proof. Of
those accepted, `provided` counts the ones that are so on a condition: on the types that a database behind EXTERNAL_QUERY
gives. A refusal of a first run (is_init) counts as one: such a query fails when the table is made anew.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus import folder, repository
from skew import Skew

from etl_orchestrator.api import Workplace
from etl_orchestrator.api.validation import is_provided
from etl_orchestrator.sql.dry_run import resolved, verdict_of

KINDS = (
    "query.sql",
    "view.sql",
    "materialized_view.sql",
    "script.sql",
    "udf.sql",
    "stored_procedure.sql",
    "checks.sql",
)


def measured(root: Path, generated: Path, kinds: Sequence[str], every: int) -> dict[str, Any]:
    tools = Workplace(root, lambda text: print(text, file=sys.stderr)).frozen_tools()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    provided: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    listed: dict[str, list[str]] = {"refused": [], "skew": [], "unchecked": []}
    skew = Skew(resolved(tools), tools.analyzer, folder("ETLO_BIGQUERY_ETL"))
    times: list[float] = []
    files = [path for kind in kinds for path in sorted((generated / "sql").rglob(kind))][::every]
    for number, path in enumerate(files, start=1):
        name = path.relative_to(generated).as_posix()
        began = time.process_time()
        found = verdict_of(name, tools)
        verdict = found["verdict"]
        if verdict == "unknown":
            causes[cause_of(found["message"], found["at"])] += 1
        elif verdict != "accepted":
            line = re.fullmatch(rf"{re.escape(name)}:(\d+):\d+", found["at"])
            proof = skew.proof(name, int(line[1]), found["message"]) if verdict == "refused" and line else ""
            verdict = "skew" if proof else verdict
            told = f"{found['at']}: {proof or found['message']}"
            listed[verdict].append(told if name in found["at"] else f"{told} ({name})")
        times.append(time.process_time() - began)
        counts[path.name][verdict] += 1
        provided[path.name] += is_provided(found)
        if number % 200 == 0:
            print(f"{number} of {len(files)}, {sum(times):.0f} s", file=sys.stderr)
    return {"counts": counts, "provided": provided, "causes": causes, **listed, "seconds": sum(times)}


def cause_of(message: str, at: str) -> str:
    """What is missing, out of the message of an unknown one."""
    if "is refused" in message:
        return f"refused in {at}: {message.partition('is refused: ')[2][:150]}"
    name = re.search(r"`([^`]+)`", message)
    what = re.sub(r"`[^`]+`", "…", message)
    return f"{what[:120]} | {name[1] if name else at}"


def printed(result: dict[str, Any]) -> None:
    verdicts = ("accepted", "refused", "skew", "unchecked", "unknown")
    print(
        f"{'kind':24}"
        + "".join(f"{verdict:>10}" for verdict in verdicts)
        + f"{'known':>10}{'of known':>10}{'no skew':>10}{'unknown':>10}{'provided':>10}"
    )
    both: Counter[str] = sum(result["counts"].values(), Counter())
    provided = {**result["provided"], "all": sum(result["provided"].values())}
    for kind, counts in [*result["counts"].items(), ("all", both)]:
        total, known = sum(counts.values()), sum(counts.values()) - counts["unknown"]
        row = "".join(f"{counts[verdict]:>10}" for verdict in verdicts)
        shares = (
            f"{counts['accepted'] / max(known, 1):>10.2%}{counts['accepted'] / max(known - counts['skew'], 1):>10.2%}"
        )
        shares += f"{counts['unknown'] / total:>10.2%}{provided[kind]:>10}"
        print(f"{kind:24}{row}{known:>10}{shares}")
    print(f"CPU {result['seconds']:.0f} s")
    for title in ("refused", "skew", "unchecked"):
        print(f"\n{title}:", *sorted(result[title]), sep="\n  ")
    print("\nunknown, by cause:")
    for cause, number in result["causes"].most_common():
        print(f"  {number:5} {cause}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="measure one file of N")
    parser.add_argument("--kinds", nargs="+", default=KINDS[:2], choices=KINDS)
    parser.add_argument("--repository", type=Path, help="where the two branches are laid together and kept")
    options = parser.parse_args()
    folder("ETLO_PIPELINE_SCHEMAS")
    with repository(options.repository) as root:
        result = measured(root, folder("ETLO_GENERATED_SQL"), options.kinds, options.every)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        printed(result)


if __name__ == "__main__":
    main()
