"""What the analyzer says of a SQL file, asked in one place so that every gate and verb may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from etl_orchestrator.errors import EngineError, InvalidInput, Unavailable
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.sql import parameters, resolution, view_name
from etl_orchestrator.sql.missing import Missing, placed
from etl_orchestrator.sql.notes import merged, with_notes
from etl_orchestrator.sql.resolution import Resolved
from etl_orchestrator.sql.schema_difference import kind_of
from etl_orchestrator.sql.template_places import place_of
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.table import Field, Schema, TableRef, packed, walk
from etl_orchestrator.tools import Analysis, KnownSchema, Routine, SqlProblem, Tools

if TYPE_CHECKING:
    from etl_orchestrator.model import Model


def dry_run(model: Model, tools: Tools) -> Analysis:
    """The columns, tables and lineage of the query, or why it is refused; places are those of the template.

    A query that asks `is_init()` is judged in both renderings: of the first run only its problem is told, or that it gives
    a column another type, for they fill the same table; columns that it leaves out are NULL there. Asking again costs
    nothing while query, schemas and parameters are the same.
    Raises Unavailable naming a table whose schema nobody knows, or when the model has no query.sql.
    """
    text = query_text(model)
    return _judged(text, tools, lambda is_init: _analysis(model, tools, is_init=is_init))


def dry_run_file(path: str, tools: Tools) -> Analysis:
    """The same for any SQL file of the repository: query, view, script, routine, checks.

    Raises InvalidInput for a path that is no such file, Unavailable naming a table or routine that nobody knows.
    """
    home = paths.table_of(path)
    text = tools.catalog.text(path)
    if home is None or text is None:
        raise InvalidInput("this is no SQL file of a table or routine of the repository", at=path)
    return _judged(text, tools, lambda is_init: _file_analysis(path, home, text, tools, is_init=is_init))


def _judged(text: str, tools: Tools, analysis_of: Callable[[bool], Analysis]) -> Analysis:
    """What is said of both renderings. Raises Missing with the name that may be meant."""
    try:
        analysis = analysis_of(False)
        if analysis.problem is not None or "is_init" not in text:
            return analysis
        return _both(analysis, analysis_of(True))
    except Missing as missing:
        raise missing.meaning(resolved(tools).standing.near(missing.name, missing.is_routine)) from None


def verdict_of(path: str, tools: Tools) -> dict[str, Any]:
    """The same as JSON, kept between runs where the wall has a place for it: `verdict` is accepted, refused, unknown (of a
    table or routine nobody knows) or unchecked (the analyzer cannot say), then `message`, `at` and `fix`; `columns` as
    `packed`, `tables` by name, and the `notes` that an accepted one rests on."""
    return dict(resolved(tools).remembered(_key(path), lambda: _verdict(path, tools)))


def kept_verdict_of(path: str, tools: Tools) -> dict[str, Any] | None:
    """The verdict of an earlier run, if nothing has changed that it was made from; asks no analyzer."""
    found = resolved(tools).kept(_key(path))
    return None if found is None else dict(found)


def _key(path: str) -> str:
    return f"dry run {path}"


def _verdict(path: str, tools: Tools) -> dict[str, Any]:
    try:
        analysis = dry_run_file(path, tools)
    except (Unavailable, EngineError) as error:
        verdict = "unknown" if isinstance(error, Unavailable) else "unchecked"
        return {"verdict": verdict, "message": error.message, "at": error.at or path, "fix": error.fix or ""}
    tables = [str(table) for table in analysis.tables]
    if analysis.problem is not None:
        place = analysis.problem.place(path)
        return {"verdict": "refused", "message": analysis.problem.message, "at": place, "fix": "", "tables": tables}
    columns, notes = packed(analysis.columns), list(analysis.notes)
    return {"verdict": "accepted", "columns": columns, "tables": tables, "notes": notes}


def _file_analysis(path: str, home: TableRef, text: str, tools: Tools, *, is_init: bool) -> Analysis:
    catalog = resolved(tools)
    template = catalog.template(path, home, text, is_init)
    try:
        sql = template.render()
    except InvalidInput as error:
        return of_template(error)
    misnamed = view_name.problem_of(path, home, sql, tools.settings)
    with placed(template, sql):
        analysis = catalog.analyze(sql, home, is_init) if misnamed is None else Analysis(problem=misnamed)
    if analysis.problem is None:
        return analysis
    return replace(analysis, problem=located(analysis.problem, template, sql))


def misnamed_view(text: str, view: TableRef, tools: Tools) -> SqlProblem | None:
    """That a view.sql creates another view than its folder is named after; asks no analyzer."""
    path = paths.view_sql(view)
    template = resolved(tools).template(path, view, text)
    try:
        sql = template.render()
    except InvalidInput as error:
        return of_template(error).problem
    problem = view_name.problem_of(path, view, sql, tools.settings)
    return None if problem is None else located(problem, template, sql)


def syntax_problem(path: str, text: str, tools: Tools) -> SqlProblem | None:
    """Why a text does not parse, whatever its names stand for; None where only a template's own program could tell."""
    catalog = resolved(tools)
    home = paths.table_of(path)
    for is_init in (False, True) if "is_init" in text else (False,):
        template = Template(text, catalog.reader(path), path, is_init)
        if home is not None:
            template = catalog.template(path, home, text, is_init)
        try:
            sql = template.render()
        except InvalidInput as error:
            return of_template(error).problem if home is not None else None
        except Unavailable:
            return None
        try:
            tools.analyzer.references(sql)
        except InvalidInput:
            problem = tools.analyzer.analyze(sql, {}, {}).problem
            return located(problem, template, sql) if problem is not None else None
    return None


def _both(later: Analysis, first: Analysis) -> Analysis:
    """The later run with what is to be told of the first one."""
    if first.problem is not None:
        told = replace(first.problem, message=f"in the first run (is_init): {first.problem.message}")
        return Analysis(tables=later.tables, problem=told)
    kinds = {path.lower(): kind_of(field, ("REPEATED",)) for path, field in walk(first.columns)}
    for path, field in walk(later.columns):
        kind = kind_of(field, ("REPEATED",))
        if kinds.get(path.lower(), kind) != kind:
            message = f"the first run (is_init) gives `{path}` as {kinds[path.lower()]}, the later ones as {kind}"
            return Analysis(tables=later.tables, problem=SqlProblem(message))
    notes = merged(later.notes, first.notes)
    return replace(later, tables=tuple(sorted({*later.tables, *first.tables})), notes=notes)


def query_text(model: Model) -> str:
    """The text of query.sql; raises Unavailable when there is none."""
    path = paths.query_sql(model.table)
    text = model.text(path)
    if text is None:
        raise Unavailable("there is no query.sql to analyze", at=path)
    return text


def rendered(model: Model, tools: Tools, *, is_init: bool = False) -> str:
    """query.sql with its template filled in."""
    return template_of(model, tools, is_init=is_init).render()


def known_from_tests(model: Model, tools: Tools, tables: Iterable[TableRef]) -> list[TableRef]:
    """Those of the tables whose schema nobody knows but the tests, which declare it for their fixtures."""
    declared = model.requirements.schemas if model.requirements is not None else {}
    found = []
    for table in tables:
        if table == model.table or str(table) in declared or own_files.schema_of_fixture(model, table) is None:
            continue
        try:
            known = resolved(tools).schema(table)
        except Unavailable:
            known = None
        found += [table] if known is None else []
    return found


def tables_named(model: Model, tools: Tools) -> frozenset[TableRef]:
    """The tables that the query names in either rendering, before any schema is known; InvalidInput when it does not
    parse."""
    texts = [rendered(model, tools)]
    if "is_init" in query_text(model):
        texts.append(rendered(model, tools, is_init=True))
    named = [name for sql in texts for name in _references(_Same(tools.analyzer), sql)]
    return frozenset(resolution.tables_of(named, model.table))


def parameters_of(model: Model, tools: Tools, sql: str, is_init: bool = False) -> dict[str, str]:
    """Parameters of a rendered query with their GoogleSQL types: those of the requirements, else those of the scheduling
    block, of the first run and of the repository's scripts."""
    requirements = model.requirements
    if requirements is not None:
        declared = {parameter.name: parameter.type for parameter in requirements.parameters}
        return declared or {"submission_date": "DATE"}
    path = paths.metadata_yaml(model.table)
    return resolved(tools).with_scripts(parameters.typed(model.text(path), path, is_init), sql)


def known_of(model: Model, tools: Tools, sql: str) -> dict[TableRef, KnownSchema]:
    """The schema of every table that a rendered query names; raises Unavailable naming one that nobody knows."""
    try:
        references = _references(_Same(tools.analyzer), sql)
    except InvalidInput:
        # What does not parse names no tables; the analyzer says where it stopped.
        return {}
    found: dict[TableRef, KnownSchema] = {}
    for table in resolution.tables_of(references, model.table):
        try:
            if table == model.table:
                found[table] = KnownSchema(_own_schema(model, tools), "this model")
            else:
                found[table] = _schema(model, tools, table)
        except InvalidInput as error:
            raise Unavailable(f"the schema of `{table}` cannot be read: {error.message}", at=error.at) from error
    return found


def routines_of(model: Model, tools: Tools, sql: str) -> tuple[Routine, ...]:
    """The routines that a rendered query calls, and those they call; raises Unavailable naming one nobody knows."""
    return resolved(tools).routines(sql, model.table)


def resolved(tools: Tools) -> Resolved:
    """The catalog that knows views and queries too."""
    if isinstance(tools.catalog, Resolved):
        return tools.catalog
    return _resolved(_Same(tools.catalog), _Same(tools.analyzer), _Same(tools.settings))


def located(problem: SqlProblem, template: Template, sql: str) -> SqlProblem:
    """The problem of a rendering, at its place in the template or in what that includes; what a macro is given is wrong
    where it is called."""
    if not problem.line:
        return problem
    place = place_of(template, sql, problem.line, problem.column)
    message = f"{problem.message} (in the macro at {place.macro})" if place.macro else problem.message
    return replace(problem, message=message, line=place.line, column=place.column, path=place.path)


def of_template(error: InvalidInput) -> Analysis:
    """A template that cannot be rendered, as a problem of the query."""
    path, _, line = (error.at or "").rpartition(":")
    place = (int(line), 1, path) if line.isdigit() else (0, 0, "")
    return Analysis(problem=SqlProblem(error.message, *place))


def template_of(model: Model, tools: Tools, *, is_init: bool = False) -> Template:
    """query.sql as the repository renders it."""
    return resolved(tools).template(paths.query_sql(model.table), model.table, query_text(model), is_init)


def _analysis(model: Model, tools: Tools, *, is_init: bool) -> Analysis:
    template = template_of(model, tools, is_init=is_init)
    try:
        sql = template.render()
    except InvalidInput as error:
        return of_template(error)
    with placed(template, sql):
        known = known_of(model, tools, sql)
        routines = routines_of(model, tools, sql)
    schemas = tuple((table, _Same(known[table].schema)) for table in sorted(known))
    typed = tuple(sorted(parameters_of(model, tools, sql, is_init).items()))
    federated = (_declared(model, tools), _Same(resolved(tools))) if resolution.is_federated(sql) else None
    analysis = _analyzed(_Same(tools.analyzer), sql, schemas, typed, routines, federated)
    if analysis.problem is None:
        return with_notes(analysis, known.values())
    return replace(analysis, problem=located(analysis.problem, template, sql))


def _declared(model: Model, tools: Tools) -> Schema:
    """The columns that the output is to have, as far as their types are told."""
    standing = own_files.schema(model, tools.catalog)
    if standing is not None:
        return standing
    columns = model.requirements.body.columns if model.requirements is not None else ()
    return tuple(Field(column.name, column.type, column.mode or "NULLABLE") for column in columns if column.type)


def _schema(model: Model, tools: Tools, table: TableRef) -> KnownSchema:
    if model.requirements is not None and str(table) in model.requirements.schemas:
        return KnownSchema(model.requirements.schemas[str(table)], "declared inline")
    try:
        known = resolved(tools).schema(table)
    except Unavailable:
        if beside := own_files.schema_of_fixture(model, table):
            return KnownSchema(beside, "declared beside the tests")
        raise
    if known is None:
        if beside := own_files.schema_of_fixture(model, table):
            return KnownSchema(beside, "declared beside the tests")
        how = "add its schema.yaml" if model.requirements is None else "declare it under `sources: schema:`"
        raise Missing(table, f"correct the name, or {how}")
    return known


def _own_schema(model: Model, tools: Tools) -> Schema:
    """The schema of a table that reads itself: what its first run gives or, when that cannot be told before this
    schema is known, the declared columns, its schema.yaml, what stands in the repository."""
    requirements = model.requirements
    standing = own_files.schema(model, tools.catalog) if requirements is None else None
    if standing is not None:
        return standing
    first = rendered(model, tools, is_init=True)
    if model.table not in resolution.tables_of(_references(_Same(tools.analyzer), first), model.table):
        analysis = _analysis(model, tools, is_init=True)
        if analysis.problem is None:
            return analysis.columns
    columns = requirements.body.columns if requirements else ()
    if columns and all(column.type for column in columns):
        return tuple(Field(column.name, column.type or "STRING", column.mode or "NULLABLE") for column in columns)
    written = own_files.schema(model, tools.catalog)
    if written is not None:
        return written
    known = tools.catalog.schema(model.table)
    if known is None:
        raise Unavailable(
            f"`{model.table}` reads itself and its types are not known",
            at=paths.query_sql(model.table),
            fix="give every column a type, or the first run a query of its own under `on_init`",
        )
    return known.schema


@dataclass(frozen=True, eq=False)
class _Same:
    """A value as part of a cache key, the same by identity, whatever it compares by itself: an analyzer, or a schema,
    which is too long to be compared."""

    value: Any

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value


@lru_cache(maxsize=4)
def _resolved(catalog: _Same, analyzer: _Same, settings: _Same) -> Resolved:
    return Resolved(catalog.value, analyzer.value, settings.value)


@lru_cache(maxsize=128)
def _references(analyzer: _Same, sql: str) -> tuple[TableRef | str, ...]:
    found: tuple[TableRef | str, ...] = analyzer.value.references(sql)
    return found


@lru_cache(maxsize=16)
def _analyzed(
    analyzer: _Same,
    sql: str,
    schemas: tuple[tuple[TableRef, _Same], ...],
    typed: tuple[tuple[str, str], ...],
    routines: tuple[Routine, ...],
    federated: tuple[Schema, _Same] | None,
) -> Analysis:
    """A changed query or schema is analyzed anew; failures of the tool are not kept. `federated` are, for a text with
    EXTERNAL_QUERY, the columns that the output is to have and the catalog that remembers."""
    known = {table: schema.value for table, schema in schemas}

    def ask(text: str, more: Mapping[TableRef, Schema]) -> Analysis:
        found: Analysis = analyzer.value.analyze(text, {**known, **more}, dict(typed), routines)
        return found

    if federated is None:
        return ask(sql, {})
    from etl_orchestrator.sql.federated import analysis_of  # read for the few texts that need it

    declared, catalog = federated
    return analysis_of(sql, declared, ask, catalog.value.remembering(dict(typed), routines))
