"""From requirements to SQL tests, and for each expected value where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.layout import paths, sql_test
from etl_orchestrator.layout.sql_test import EXPECT, FIRST_RUN, SqlTest
from etl_orchestrator.layout.sql_test_compare import compare
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.example import EXAMPLE, test_of
from etl_orchestrator.proving.fixtures import Case, cases, guard_cases
from etl_orchestrator.proving.oracle import Expected, expected_rows
from etl_orchestrator.proving.trial import run_test, schema_of
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.sql.dry_run import dry_run
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Tools, Value

PHASE = "tests"
REQUIREMENT = "requirement"
SNAPSHOT = "snapshot"
UNPROVED = "unproved"

_SAYS = {
    EXAMPLE: "Expected rows: worked by hand, from the examples of the requirements.",
    REQUIREMENT: "Expected rows: evaluated from the requirements, without the query.",
    SNAPSHOT: "SNAPSHOT of the query's own output: proves nothing until you have read it.",
}


def work(model: Model, tools: Tools) -> Model:
    """Replaces all tests of the model; a query.py has none."""
    requirements = model.requirements
    if requirements is None or (model.plan is not None and model.plan.is_python):
        return model.with_artifacts(PHASE, ())
    output = dry_run(model, tools).columns
    schemas = {table: _known(table, model, tools) for table in requirements.sources}
    made: list[Artifact] = []
    taken: set[str] = set()
    for number, example in enumerate(requirements.request.examples, 1):
        test = replace(test_of(example, requirements, schemas, output), comments={EXPECT: _SAYS[EXAMPLE]})
        if test.name == "test_":
            test = replace(test, name=f"test_example_{number}")
        if test.name in taken:
            test = replace(test, name=f"{test.name}_{number}")
        taken.add(test.name)
        made += _written(model, test, _notes(EXAMPLE, test.expect, example.name))
    for case in cases(requirements, schemas):
        # The name of the first run's test has a meaning; an example that has it stands in for the case.
        if case.name in taken and case.name == FIRST_RUN:
            continue
        free = case if case.name not in taken else replace(case, name=f"{case.name}_by_rule")
        made += _of_case(model, requirements, tools, free, output)
    made += _schema_files(model, schemas, made, tools)
    return model.with_artifacts(PHASE, _with_unreached(made, requirements, schemas))


def _with_unreached(
    made: list[Artifact], requirements: Requirements, schemas: Mapping[TableRef, Schema]
) -> tuple[Artifact, ...]:
    """The files, with a note of every guard that no rows reach."""
    notes = tuple(
        Note("refuse_when", UNPROVED, f"no rows were found for which `{guard.condition}` holds: no test sees it refuse")
        for guard in guard_cases(requirements, schemas)
        if guard.case is None
    )
    return tuple(replace(file, notes=(*notes, *file.notes)) if not place else file for place, file in enumerate(made))


def says(model: Model) -> str:
    tests = [a for a in model.artifacts if a.made_by == PHASE and a.path.endswith(f"/{EXPECT}.yaml")]
    if not tests:
        return "no SQL tests for a query.py" if model.plan and model.plan.is_python else "no tests"
    sources = [note.source for artifact in model.artifacts if artifact.made_by == PHASE for note in artifact.notes]
    counts = ", ".join(
        f"{sources.count(kind)} from {kind}" for kind in (EXAMPLE, REQUIREMENT, SNAPSHOT) if kind in sources
    )
    return f"{len(tests)} tests; expected rows: {counts or 'none'}"


def _schema_files(
    model: Model, schemas: Mapping[TableRef, Schema], tests: Sequence[Artifact], tools: Tools
) -> tuple[Artifact, ...]:
    """For tables that have no schema.yaml in the repository, so that its own test runner can type the fixtures."""
    bare = {
        table: schema for table, schema in schemas.items() if table != model.table and not _has_schema(table, tools)
    }
    stems = {file.path.rpartition("/")[2].removesuffix(".yaml") for file in tests}
    return sql_test.schema_files(model.table, bare, stems - {sql_test.EXPECT, sql_test.PARAMETERS}, PHASE)


def _has_schema(table: TableRef, tools: Tools) -> bool:
    return not table.is_wildcard and tools.catalog.text(paths.schema_yaml(table)) is not None


def _known(table: TableRef, model: Model, tools: Tools) -> Schema:
    schema = schema_of(table, model, tools)
    if schema is None:
        raise Unavailable(f"the schema of `{table}` is not known", fix="declare it under `schema:` of the source")
    return schema


def _of_case(
    model: Model, requirements: Requirements, tools: Tools, case: Case, output: Schema
) -> tuple[Artifact, ...]:
    """A case whose rows the requirements expect; what they cannot tell is taken from the query and labelled."""
    test = SqlTest(case.name, case.tables, case.parameters, schema=output, comments=dict(case.comments))
    try:
        expected = expected_rows(requirements, case.tables, case.parameters, is_init=case.name == FIRST_RUN)
    except QueryFails:
        return ()  # no rows to expect: the repository's tests cannot say so, the gate unrefused_run does
    except CannotTell as doubt:
        expected = Expected((), [], {"*": doubt.message})
    if not expected.unknown:
        return _written(
            model,
            _told(test, (REQUIREMENT,), expected.rows, case.why, _SAYS[REQUIREMENT]),
            _notes(REQUIREMENT, expected.rows, case.why),
        )
    rows = run_test(model, tools, test)
    if rows.problem is not None:
        return _written(model, test, [])  # the gates tell that the query fails on these rows
    if "*" in expected.unknown:
        reason, actual = expected.unknown["*"], rows.dicts()
        return _written(
            model, _told(test, (SNAPSHOT,), actual, case.why, _SAYS[SNAPSHOT], reason), _notes(SNAPSHOT, actual, reason)
        )
    merged = _merged(expected, rows.dicts())
    reasons = "; ".join(f"{name}: {reason}" for name, reason in expected.unknown.items())
    notes = _notes(REQUIREMENT, merged, case.why)
    notes += [
        replace(note, at=f"{note.at}, {name}")
        for name in expected.unknown
        for note in _notes(SNAPSHOT, merged, reasons)
    ]
    partly = f"But for {', '.join(expected.unknown)}: {_SAYS[SNAPSHOT]}"
    return _written(
        model, _told(test, (REQUIREMENT, SNAPSHOT), merged, case.why, _SAYS[REQUIREMENT], partly, reasons), notes
    )


def _told(test: SqlTest, labels: tuple[str, ...], rows: Sequence[Mapping[str, Value]], *lines: str) -> SqlTest:
    """The test with its expected rows, and the words that say where they are from."""
    return replace(test, labels=labels, expect=tuple(rows), comments={**test.comments, EXPECT: "\n".join(lines)})


def _notes(source: str, rows: Sequence[object], text: str) -> list[Note]:
    return [Note(f"row {number}", source, text) for number in range(1, len(rows) + 1)]


def _merged(expected: Expected, actual: list[dict[str, Value]]) -> list[dict[str, Value]]:
    """Expected rows, completed in the unknown columns from the output row that agrees in all known ones. A row that
    no output row agrees with stays incomplete: the gate on wrong rows will tell."""
    left = list(actual)
    merged = []
    for row in expected.rows:
        known = [{name: other.get(name) for name in row} for other in left]
        twins = (place for place, other in enumerate(known) if not compare([row], [other], expected.unordered))
        twin = next((left[place] for place in twins), None)
        if twin is not None:
            left.remove(twin)
        merged.append({**row, **({name: twin[name] for name in expected.unknown} if twin else {})})
    return merged


def _written(model: Model, test: SqlTest, notes: list[Note]) -> tuple[Artifact, ...]:
    expect = f"{paths.test_folder(model.table, test.name)}/expect.yaml"
    files = sql_test.write(model.table, test, PHASE)
    return tuple(replace(file, notes=tuple(notes)) if file.path == expect else file for file in files)
