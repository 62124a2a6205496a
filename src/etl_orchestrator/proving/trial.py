"""One SQL test, run: from the files of a model to a classified outcome.

A table that is read without a fixture stops the test before execution; the runner sees the fixtures and nothing else, so
that no test can read production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import model_files, paths
from etl_orchestrator.layout.sql_test import SqlTest, fixture_of
from etl_orchestrator.layout.sql_test_compare import Difference, compare
from etl_orchestrator.layout.sql_test_read import read
from etl_orchestrator.model import Model
from etl_orchestrator.sql.dry_run import dry_run, rendered
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Rows, SqlProblem, Tools

#: `fixture` the fixtures do not fit, `schema` the expectation has another shape than the output, `logic` the rows are
#: wrong, `error` the query fails on the fixtures.
Cause = Literal["", "fixture", "schema", "logic", "error"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one test said. `at` is the file to look at; `cause` is "" when it passed."""

    name: str
    at: str
    cause: Cause = ""
    detail: str = ""
    test: SqlTest | None = None
    unfixtured: tuple[TableRef, ...] = ()
    differences: tuple[Difference, ...] = ()
    problem: SqlProblem | None = None
    rows: Rows = field(default_factory=Rows)

    @property
    def verdict(self) -> str:
        return f"failed ({self.cause})" if self.cause else "passed"


_latest: list[tuple[Model, Tools, tuple[Trial, ...]]] = []


def trials(model: Model, tools: Tools) -> tuple[Trial, ...]:
    """Every SQL test of the model, in order of name. Pure in the model and the tools, so the latest answer is kept."""
    if not any(_same(model, asked) and _same_tools(tools, by) for asked, by, _ in _latest):
        ran = tuple(_trial(model, tools, name, files) for name, files in model_files.cases(model).items())
        _latest[:] = [(model, tools, ran)]
    return _latest[0][2]


def _same(model: Model, other: Model) -> bool:
    """The requirements count: they type the fixtures and say how strictly rows are compared."""
    return model.digest == other.digest and model.requirements == other.requirements


def _same_tools(tools: Tools, other: Tools) -> bool:
    """By identity, whatever a tool compares by itself."""
    pairs = ((tools.runner, other.runner), (tools.analyzer, other.analyzer), (tools.catalog, other.catalog))
    return all(one is another for one, another in pairs)


def run_test(model: Model, tools: Tools, test: SqlTest) -> Rows:
    """The query's rows on the fixtures of a test."""
    # By the names of the files, as the test runs once it is written: a wildcard has its suffix from there.
    tables = {TableRef.parse(fixture_of(table, test)): data for table, data in test.tables.items()}
    return tools.runner.run(_rendered(model, tools, test), tables, test.parameters)


def unfixtured(model: Model, tools: Tools, test: SqlTest) -> tuple[TableRef, ...]:
    """The tables that the query reads and the test does not supply."""
    names = tools.analyzer.references(_rendered(model, tools, test))
    read = {name if isinstance(name, TableRef) else TableRef.parse(name, model.table.project) for name in names}
    return tuple(sorted(table for table in read if not _supplied(table, test.tables)))


def _rendered(model: Model, tools: Tools, test: SqlTest) -> str:
    """`test_init` runs the very first build, as in the repository's own test runner."""
    return rendered(model, tools, is_init=test.name == "test_init")


def _trial(model: Model, tools: Tools, name: str, files: Mapping[str, str]) -> Trial:
    folder = paths.test_folder(model.table, name)
    try:
        test = read(files, model.table, lambda table: schema_of(table, model, tools), name)
    except InvalidInput as error:
        file = (error.at or "").partition(":")[0]
        cause: Cause = "schema" if file.startswith("expect.") else "fixture"
        return Trial(name, f"{folder}/{error.at}" if file in files else folder, cause, error.message)
    except Unavailable:
        # What a refused query would give is not known either; then the query is what is to be mended.
        problem = dry_run(model, tools).problem
        if problem is None:
            raise
        return Trial(name, paths.query_sql(model.table), "error", problem.message, problem=problem)
    missing = unfixtured(model, tools, test)
    if missing:
        return Trial(name, folder, "fixture", f"no fixture for {', '.join(map(str, missing))}", test, missing)
    try:
        rows = run_test(model, tools, test)
    except InvalidInput as error:
        return Trial(name, error.at or folder, "fixture", error.message, test)
    if rows.problem:
        return Trial(name, folder, "error", rows.problem.message, test, problem=rows.problem)
    differences = compare(test.expect, rows.dicts(), strict=model.requirements is not None)
    if not differences:
        return Trial(name, f"{folder}/expect.yaml", test=test, rows=rows)
    detail = "; ".join(str(difference) for difference in differences)
    return Trial(name, f"{folder}/expect.yaml", "logic", detail, test, differences=differences, rows=rows)


def schema_of(table: TableRef, model: Model, tools: Tools) -> Schema | None:
    """The schema of one table as a test sees it: the model's own is what its query gives. None when unknown."""
    if table == model.table:
        analysis = dry_run(model, tools)
        return analysis.columns if analysis.problem is None else None
    wildcards = [] if table.is_wildcard else [one for one in _sources(model, tools) if one.is_wildcard]
    # A fixture of a wildcard has the name of one of its tables, which need not exist.
    for name in (table, *(wildcard for wildcard in wildcards if wildcard.covers(table))):
        if model.requirements is not None and str(name) in model.requirements.schemas:
            return model.requirements.schemas[str(name)]
        with suppress(Unavailable):
            if known := tools.catalog.schema(name):
                return known.schema
    return None


def _sources(model: Model, tools: Tools) -> Sequence[TableRef]:
    return model.requirements.sources if model.requirements is not None else dry_run(model, tools).tables


def _supplied(table: TableRef, tables: Mapping[TableRef, object]) -> bool:
    """A wildcard is supplied by any table it covers."""
    return any(table.covers(given) for given in tables)
