"""A table that already stands in a repository, as the `Model` that the gates judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.table import TableRef

#: Which phase makes which file of a table's folder; a file not named here is nobody's and is left where it is.
MADE_BY = {
    paths.QUERY_SQL: "query",
    paths.QUERY_PY: "query",
    paths.VIEW_SQL: "query",
    paths.SCRIPT_SQL: "query",
    paths.SCHEMA_YAML: "metadata",
    paths.METADATA_YAML: "metadata",
    paths.BIGCONFIG_YML: "monitoring",
}

#: Text files of tests; a test folder may also hold programs and pictures.
_TEST_FILES = (".yaml", ".json", ".ndjson", ".csv", ".sql")


def read_model(
    read: Callable[[str], str | None], files_below: Callable[[str], Sequence[str]], table: TableRef
) -> Model:
    """The files of a table and of its tests; `read` and `files_below` are `text` and `paths` of a catalog.

    Empty of artifacts when there is no such table. Requirements and plan are None: nobody wrote them down.
    """
    folder = paths.table_folder(table)
    found = [
        (path, MADE_BY[name]) for path in files_below(folder) if (name := path.removeprefix(f"{folder}/")) in MADE_BY
    ]
    found += [(path, "tests") for path in files_below(paths.tests_folder(table)) if path.endswith(_TEST_FILES)]
    artifacts = [Artifact(path, text, made_by) for path, made_by in sorted(found) if (text := read(path)) is not None]
    return Model(table=table, artifacts=tuple(artifacts))


def cases(model: Model) -> dict[str, dict[str, str]]:
    """The SQL tests of a model: files by name, by test; schemas that lie beside the tests are part of each test."""
    prefix = f"{paths.tests_folder(model.table)}/"
    found: dict[str, dict[str, str]] = {}
    shared: dict[str, str] = {}
    for artifact in model.artifacts:
        if not artifact.path.startswith(prefix):
            continue
        name, _, inner = artifact.path.removeprefix(prefix).partition("/")
        if not inner:
            shared[name] = artifact.text
        elif name.startswith("test_") and "/" not in inner:
            found.setdefault(name, {})[inner] = artifact.text
    schemas = {name: text for name, text in shared.items() if name.endswith((".schema.json", ".schema.yaml"))}
    return {name: {**schemas, **files} for name, files in found.items()}
