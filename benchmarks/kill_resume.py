"""Kills a build with SIGKILL at random moments and resumes it; prints a table of what became of it.

    python benchmarks/kill_resume.py [--kills 200] [--seed 1] [REQUIREMENTS]

After each kill the repository must hold either none or (after the resume) all of the files, byte for byte those of an
undisturbed build, and no room that had been left may be entered again.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"


def main() -> int:
    """0 when every kill ended well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", nargs="?", type=Path, default=None)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    requirements = options.requirements or sorted((EXAMPLES / "requirements").glob("*.yaml"))[0]
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        whole, seconds = undisturbed(Path(folder) / "whole", requirements)
        draw = random.Random(options.seed)
        for number in range(options.kills):
            moment = draw.uniform(0, seconds * 1.05)
            counts[one_kill(Path(folder) / str(number), requirements, moment, whole)] += 1
            print(f"\r{number + 1}/{options.kills}", end="", file=sys.stderr, flush=True)
    print(f"\n{options.kills} kills in a build of {seconds:.2f} s ({requirements.name}), {len(whole)} files:")
    for what, count in counts.most_common():
        print(f"  {count:4}  {what}")
    return 0 if all(not what.startswith("WRONG") for what in counts) else 1


def undisturbed(root: Path, requirements: Path) -> tuple[dict[str, bytes], float]:
    """The files a build makes, and how long it takes."""
    before = fresh(root)
    began = time.perf_counter()
    subprocess.run(command(root, "build", str(requirements)), check=True, capture_output=True)
    return made(root, before), time.perf_counter() - began


def one_kill(root: Path, requirements: Path, moment: float, whole: dict[str, bytes]) -> str:
    """Kill after `moment` seconds, resume, and say what happened."""
    before = fresh(root)
    process = subprocess.Popen(
        command(root, "build", str(requirements)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    code = process.wait()
    partial = made(root, before)
    if any(whole.get(path) != data for path, data in partial.items()):
        return "WRONG: a half-written file after the kill"
    left = visited(root)
    resumed = subprocess.run(command(root, "resume"), capture_output=True, check=False)
    answer = json.loads(resumed.stdout or b"{}")
    if answer.get("status") == "refused" and not partial and not left and "no run" in str(answer.get("error")):
        state = "killed before the run began: nothing there, build starts anew"
        answer = json.loads(
            subprocess.run(command(root, "build", str(requirements)), capture_output=True, check=False).stdout
        )
    elif answer.get("status") == "refused" and made(root, before) == whole and code == 0:
        state = "the build had ended before the kill"
    else:
        state = f"resumed after {left[-1] if left else 'the door'}" + (", while publishing" if partial else "")
        phases = [visit["phase"] for visit in answer.get("phases", [])]
        if phases != list(dict.fromkeys(phases)):
            return f"WRONG: a finished room was entered again: {phases}"
    after = made(root, before)
    shutil.rmtree(root)
    if after != whole:
        return f"WRONG: {state}: {answer.get('status')} {answer.get('error')}, {len(after)} of {len(whole)} files"
    return state


def visited(root: Path) -> list[str]:
    """The rooms that the journal says were left."""
    import sqlite3

    journal = root / ".etl-orchestrator" / "journal.sqlite"
    if not journal.exists():
        return []
    db = sqlite3.connect(journal)
    try:
        rows: list[tuple[Any]] = db.execute("SELECT payload FROM events WHERE kind = 'visit' ORDER BY id").fetchall()
    except sqlite3.Error:
        return []
    finally:
        db.close()
    return [json.loads(payload)["visit"]["phase"] for (payload,) in rows]


def fresh(root: Path) -> set[Path]:
    shutil.copytree(EXAMPLES / "repository", root)
    return {path for path in root.rglob("*") if path.is_file()}


def made(root: Path, before: set[Path]) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and path not in before)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found if ".etl-orchestrator" not in p.parts}


def command(root: Path, *verb: str) -> list[str]:
    return [sys.executable, "-m", "etl_orchestrator", verb[0], "--json", "-q", "--repo", str(root), *verb[1:]]


if __name__ == "__main__":
    sys.exit(main())
