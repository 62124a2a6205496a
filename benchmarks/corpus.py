"""The repository that the corpus benchmarks work on: files of the main branch with those that its generators make on top.

Takes the folders from ETLO_BIGQUERY_ETL (branch main) and ETLO_GENERATED_SQL (branch generated-sql) and links their files
together in a temporary folder; nothing is changed in either.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What of the main branch a repository is made of.
_PARTS = ("sql", "tests", "bigquery_etl", "script", "bqetl_project.yaml", "dags.yaml", "CODEOWNERS")


def folder(name: str) -> Path:
    """The folder that a variable names; ends the program, saying so, when it names none."""
    chosen = os.environ.get(name)
    if not chosen or not Path(chosen).is_dir():
        print(f"{name} names no folder; nothing was measured", file=sys.stderr)
        sys.exit(0)
    return Path(chosen)


@contextmanager
def repository(kept: Path | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards, or one that is kept and used as it is when it stands already."""
    if kept is not None:
        if not kept.is_dir():
            _lay_all(kept)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="corpus-") as place:
        _lay_all(Path(place))
        yield Path(place)


def _lay_all(root: Path) -> None:
    main, generated = folder("ETLO_BIGQUERY_ETL"), folder("ETLO_GENERATED_SQL")
    root.mkdir(exist_ok=True)
    for part in _PARTS:
        _lay(main / part, root / part)
    _lay(generated / "sql", root / "sql")


def _lay(source: Path, target: Path) -> None:
    if source.is_file():
        _link(source, target)
        return
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(path, place)


def _link(source: Path, target: Path) -> None:
    """A hard link where that can be (the catalog follows no other), else a copy; what is there already is replaced."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
