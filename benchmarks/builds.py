"""Builds every requirements file given (or the examples) with --dry-run and prints a table of what it took.

    python benchmarks/builds.py [--repo DIR] [REQUIREMENTS…]

Without --repo: the example repository and its requirements. With ETLO_BIGQUERY_ETL set and no arguments, the files of
examples/bigquery-etl are built in that checkout too. `own` is a process of its own per model (start-up included),
`warm` the same model in a process that has built another one before.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from etl_orchestrator import api
from etl_orchestrator.outcome import Outcome

EXAMPLES = Path(__file__).parents[1] / "examples"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repo", type=Path)
    parser.add_argument("requirements", nargs="*", type=Path)
    options = parser.parse_args()
    if options.repo or options.requirements:
        with example_repository() as repository:
            table(options.repo or repository, options.requirements)
        return
    with example_repository() as repository:
        table(repository, files(EXAMPLES / "requirements"))
    checkout = os.environ.get("ETLO_BIGQUERY_ETL")
    if checkout:
        table(Path(checkout), files(EXAMPLES / "bigquery-etl"))
    else:
        print("\nETLO_BIGQUERY_ETL is not set: the checkout of bigquery-etl is left out")


@contextlib.contextmanager
def example_repository() -> Iterator[Path]:
    """A copy, since dry runs are journalled too and tests begin from the original."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(EXAMPLES / "repository", Path(folder) / "repository"))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".md") and path.name != "README.md")


def table(repo: Path, requirements: list[Path]) -> None:
    """One line per file."""
    workplace = api.Workplace(repo)
    print(f"\n{'requirements':<44} {'verdict':<13} {'rooms':>5} {'gates':>5} {'tests':>5} {'own s':>6} {'warm s':>6}")
    for path in requirements:
        command = [sys.executable, "-m", "etl_orchestrator", "build", "--dry-run", "-q", "--repo", str(repo), str(path)]
        began = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        own = time.perf_counter() - began
        outcome = api.build(workplace, path, api.BuildOptions(dry_run=True))
        print(
            f"{path.name:<44} {outcome.status:<13} {len(outcome.visits):>5} {asked(outcome):>5} "
            f"{tests(outcome):>5} {own:>6.2f} {outcome.seconds:>6.2f}"
        )


def asked(outcome: Outcome) -> int:
    return sum(type(a.verdict).__name__ in ("Passed", "Failed") for visit in outcome.visits for a in visit.answers)


def tests(outcome: Outcome) -> int:
    return sum(artifact.path.endswith("/expect.yaml") for artifact in outcome.artifacts)


if __name__ == "__main__":
    main()
