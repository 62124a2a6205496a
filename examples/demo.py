"""`make demo`: builds every example into a copy of the example repository and shows what was made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / ".demo" / "repository"


def main() -> int:
    """Exit code of the build: 0 when every example was delivered."""
    shutil.rmtree(TARGET, ignore_errors=True)
    shutil.copytree(HERE / "repository", TARGET)
    requirements = sorted(p for p in (HERE / "requirements").iterdir() if p.suffix in (".yaml", ".md"))
    before = _files()
    command = [sys.executable, "-m", "etl_orchestrator", "build", "--repo", str(TARGET), *map(str, requirements)]
    code = subprocess.run(command, check=False, env=os.environ).returncode
    made = sorted(_files() - before)
    print(f"\n{len(made)} files made in {os.path.relpath(TARGET)}:")
    for path in made:
        print(f"  {path}")
    reports = sorted((TARGET / ".etl-orchestrator" / "runs").glob("*/report.md"))
    if reports:
        print(f"\nthe first of {len(reports)} reports, {os.path.relpath(reports[0])}, begins:\n")
        print("\n".join(reports[0].read_text().splitlines()[:40]))
    return code


def _files() -> set[str]:
    found = (path.relative_to(TARGET).as_posix() for path in TARGET.rglob("*") if path.is_file())
    return {path for path in found if not path.startswith(".etl-orchestrator")}


if __name__ == "__main__":
    sys.exit(main())
