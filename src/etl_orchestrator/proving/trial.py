"""One SQL test, run: from the files of a model to a classified outcome.

A table that is read without a fixture stops the test before execution; the runner sees the fixtures and nothing else, so
that no test can read production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from etl_orchestrator.errors import InvalidInput, Unavailable, Unsupported
from etl_orchestrator.layout import model_files, paths
from etl_orchestrator.layout.sql_test import SqlTest, fixture_of
from etl_orchestrator.layout.sql_test_compare import (
    Difference,
    compare,
    compare_documents,
    compare_strictly,
    only_order_in_arrays,
    type_differences,
)
from etl_orchestrator.layout.sql_test_documents import documents_of, expected_documents, whole_documents
from etl_orchestrator.layout.sql_test_read import load, read
from etl_orchestrator.model import Model
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.example import EXAMPLE, ORDERED
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.proving.pools import parameter_values
from etl_orchestrator.proving.runnable import with_callers
from etl_orchestrator.proving.trial_text import Text, made_by, text_of, unsupplied, view_text, with_short_names
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.sql.array_order import leaves_order_open
from etl_orchestrator.sql.dry_run import dry_run, resolved
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Rows, ScriptResult, SqlProblem, TableData, Tools, View

#: `fixture` the fixtures do not fit, `schema` the expectation has another shape than the output, `logic` the rows are
#: wrong, `error` the query fails on the fixtures, `engine` it could not be run here.
Cause = Literal["", "fixture", "schema", "logic", "error", "engine"]


#: Said of a test that passes because the query leaves to the engine what differs.
ORDER_OPEN = "arrays hold the expected elements in another order, which the query leaves open: sort them there"


@dataclass(frozen=True, slots=True)
class Trial:
    """What one test said. `at` is the file to look at; `cause` is "" when it passed; `sql` is the text that was run."""

    name: str
    at: str
    cause: Cause = ""
    detail: str = ""
    test: SqlTest | None = None
    unfixtured: tuple[TableRef, ...] = ()
    differences: tuple[Difference, ...] = ()
    problem: SqlProblem | None = None
    rows: Rows = field(default_factory=Rows)
    sql: str = ""
    fix: str = ""

    @property
    def verdict(self) -> str:
        return f"failed ({self.cause})" if self.cause else "passed"


_latest: list[tuple[Model, Tools, tuple[Trial, ...]]] = []


def trials(model: Model, tools: Tools) -> tuple[Trial, ...]:
    """Every SQL test of the model, in order of name. Pure in the model and the tools, so the latest answer is kept."""
    if not any(_same(model, asked) and _same_tools(tools, by) for asked, by, _ in _latest):
        ran = tuple(trial(model, tools, name, files) for name, files in model_files.cases(model).items())
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
    return _run(model, tools, test, text_of(model, tools, test.name))


def run_on_nothing(model: Model, tools: Tools) -> None:
    """Runs the query on empty tables; raises Unsupported for what the engine lacks. What else is wrong is for the gates."""
    requirements = model.requirements
    if requirements is None or model.text(paths.query_sql(model.table)) is None:
        return
    with suppress(InvalidInput, Unavailable):
        if dry_run(model, tools).problem is not None:
            return
        schemas = {table: schema_of(table, model, tools) for table in requirements.sources}
        tables = {table: TableData(schema) for table, schema in schemas.items() if schema is not None}
        if len(tables) == len(schemas):
            run_test(model, tools, SqlTest("test_nothing", tables, parameter_values(requirements.parameters)))


def unfixtured(model: Model, tools: Tools, test: SqlTest) -> tuple[TableRef, ...]:
    """The tables that the query, or a view given as a fixture, reads and the test does not supply."""
    return _unfixtured(model, tools, test, text_of(model, tools, test.name))


def trial(model: Model, tools: Tools, name: str, files: Mapping[str, str], strict: bool = False) -> Trial:
    """One test, given by its files.

    A model with requirements has its rows compared as typed values; any other as the plugin compares them, or with
    `strict` as `compare_strictly`. Raises Unavailable for what cannot be known here (the schema of a stable
    table, a routine), EngineError for what the engine lacks.
    """
    folder = paths.test_folder(model.table, name)
    try:
        test = _read(model, tools, name, files)
        if model.requirements is None:
            test = replace(test, expect=tuple(expected_documents(test.expect, _expect_file(files))))
    except InvalidInput as error:
        file = (error.at or "").partition(":")[0]
        cause: Cause = "schema" if file.startswith("expect.") else "fixture"
        return Trial(name, f"{folder}/{error.at}" if file in files else folder, cause, error.message)
    except Unavailable:
        # What a refused query would give is not known either; then the query is what is to be mended.
        problem = dry_run(model, tools).problem if model.text(paths.query_sql(model.table)) is not None else None
        if problem is None:
            raise
        return Trial(name, paths.query_sql(model.table), "error", problem.message, problem=problem)
    try:
        text = text_of(model, tools, name)
    except InvalidInput as error:
        return Trial(name, error.at or folder, "error", error.message, test, problem=SqlProblem(error.message))
    return replace(_ran(model, tools, test, text, strict), sql=text.sql)


def _expect_file(files: Mapping[str, str]) -> str:
    return next((f"expect.{kind}" for kind in ("yaml", "json", "ndjson") if f"expect.{kind}" in files), "expect.yaml")


def _read(model: Model, tools: Tools, name: str, files: Mapping[str, str]) -> SqlTest:
    if model.requirements is not None:
        return read(files, model.table, lambda table: schema_of(table, model, tools), name)
    return load(files, model.table, lambda table: _loaded_schema(table, tools), name)


def _ran(model: Model, tools: Tools, test: SqlTest, text: Text, strict: bool) -> Trial:
    folder = paths.test_folder(model.table, test.name)
    try:
        missing = _unfixtured(model, tools, test, text)
        if missing:
            return Trial(test.name, folder, "fixture", _no_fixture(missing, test), test, missing)
        rows = _run(model, tools, test, text)
    except InvalidInput as error:
        return Trial(test.name, error.at or folder, "fixture", error.message, test)
    if rows.problem:
        problem = text.located(rows.problem)
        return Trial(test.name, folder, "error", problem.message, test, problem=problem)
    return judged(model, tools, test, rows, strict)


def judged(model: Model, tools: Tools, test: SqlTest, rows: Rows, strict: bool = False) -> Trial:
    """What a test says of the rows that its query gave."""
    differences = _differences(model, tools, test, rows, strict)
    at = f"{paths.test_folder(model.table, test.name)}/expect.yaml"
    if not differences:
        return Trial(test.name, at, test=test, rows=rows)
    cause: Cause = "schema" if all(difference.is_shape for difference in differences) else "logic"
    detail = "; ".join(str(difference) for difference in differences)
    if model.requirements is None and not strict and _order_is_open(model, tools, test, rows):
        return Trial(test.name, at, detail=ORDER_OPEN, test=test, rows=rows)
    return Trial(test.name, at, cause, detail, test, differences=differences, rows=rows)


def _order_is_open(model: Model, tools: Tools, test: SqlTest, rows: Rows) -> bool:
    """Whether nothing differs but the order in arrays, and the query or a routine it calls collects one unsorted."""
    if not only_order_in_arrays(test.expect, documents_of(rows)):
        return False
    sql = text_of(model, tools, test.name).sql
    called = resolved(tools).routines(sql, model.table, in_test=True)
    return any(map(leaves_order_open, [sql, *(routine.sql for routine in called)]))


def _differences(model: Model, tools: Tools, test: SqlTest, rows: Rows, strict: bool) -> tuple[Difference, ...]:
    if model.requirements is not None:
        return compare(test.expect, rows.dicts(), _unordered(model.requirements, test))
    if not strict:
        return compare_documents(test.expect, documents_of(rows))
    declared = _loaded_schema(model.table, tools) or ()
    return (*compare_strictly(test.expect, whole_documents(rows)), *type_differences(declared, rows.columns))


def _unordered(requirements: Requirements, test: SqlTest) -> frozenset[str]:
    """The columns whose arrays are compared as bags: all of an example that does not ask for their order, else those
    for which the requirements leave it open."""
    if EXAMPLE in test.labels:
        return frozenset() if ORDERED in test.labels else frozenset(field.name for field in test.schema)
    try:
        return expected_rows(requirements, test.tables, test.parameters, is_init=test.is_first_run).unordered
    except CannotTell:
        return frozenset()


def _no_fixture(missing: Sequence[TableRef], test: SqlTest) -> str:
    text = f"no fixture for {', '.join(map(str, missing))}"
    near = [test.written[table] for table in missing if table in test.written]
    return f"{text} as the query names it: the fixture is called {', '.join(near)}" if near else text


def _unfixtured(model: Model, tools: Tools, test: SqlTest, text: Text) -> tuple[TableRef, ...]:
    own = made_by(text)
    names = [name for name in tools.analyzer.references(text.sql) if str(name) not in own]
    for view in test.views.values():
        sql = view_text(view, test)
        # A name that was put in for a fixture's is the fixture's, whatever its file calls it.
        names += [name for name in tools.analyzer.references(sql) if name not in test.written]
    return unsupplied(names, test, model.table)


def _run(model: Model, tools: Tools, test: SqlTest, text: Text) -> Rows:
    # By the names of the files, as the test runs once it is written: a wildcard has its suffix from there.
    tables: dict[TableRef, TableData | View] = {
        TableRef.parse(fixture_of(table, test)): data for table, data in test.tables.items()
    }
    sql = with_short_names(text.sql, test)
    routines = resolved(tools).routines(sql, model.table, in_test=True)
    for table, written in test.views.items():
        view = view_text(written, test)
        tables[table] = View(view)
        routines = (*routines, *resolved(tools).routines(view, table, in_test=True))
    distinct = tuple({routine.ref: routine for routine in routines}.values())
    try:
        if text.is_script:
            return _left(tools.runner.run_script(sql, tables, test.parameters, distinct), model.table)
        return tools.runner.run(sql, tables, test.parameters, distinct)
    except Unsupported as error:
        raise with_callers(error, model.requirements) from error


def _left(result: ScriptResult, table: TableRef) -> Rows:
    """The table as a script leaves it."""
    if result.rows.problem is not None:
        return result.rows
    left = result.tables.get(table)
    if not isinstance(left, TableData):
        return Rows(problem=SqlProblem(f"the script leaves no table `{table}`"))
    return Rows(left.schema, tuple(tuple(row.get(column.name) for column in left.schema) for row in left.rows))


def _loaded_schema(table: TableRef, tools: Tools) -> Schema | None:
    """The schema that the plugin loads a fixture with when none lies beside it: the table's schema.yaml, else that of the
    stable table of that name; None where it leaves the matter to BigQuery."""
    # What stands in the repository, not what a view really gives: as the plugin has it.
    catalog = resolved(tools).watched
    stands = catalog.text(paths.schema_yaml(table)) is not None
    if table.dataset.endswith("_live") and not stands:
        return None
    if table.dataset.endswith("_stable"):
        table = table if stands else TableRef(tools.settings.project, table.dataset, table.name)
        known = catalog.schema(table)
    else:
        try:
            known = catalog.schema(table)
        except Unavailable:
            known = None
    return known.schema if known else None


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
