"""What the room of the query does: makes query.sql or query.py, and mends it when it comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.finding import Finding
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.skills.query_writer.python_query import python_query
from etl_orchestrator.skills.query_writer.repair import ambiguous_names, mended
from etl_orchestrator.skills.query_writer.select import Known, write_query
from etl_orchestrator.skills.query_writer.words import with_expressions
from etl_orchestrator.sql.formatter import format_sql
from etl_orchestrator.table import Schema
from etl_orchestrator.tools import Task, Tools

PHASE = "query"
_AUTHOR = "author"
_QUALIFIED = "qualified"


def work(model: Model, tools: Tools) -> Model:
    """The model with its query. On a return the same model comes out when neither a rule nor an author knows better."""
    requirements, plan = model.requirements, model.plan
    if requirements is None or plan is None:
        return model
    path = (paths.query_py if plan.is_python else paths.query_sql)(model.table)
    findings = tuple(finding for finding in model.findings if finding.owner == PHASE)
    before = next((artifact for artifact in model.artifacts if artifact.made_by == PHASE), None)
    if before is not None and findings and requirements.request.query is not None:
        return model
    schemas = _schemas(requirements, tools)
    kept = {note.at: note.text for note in _notes(before) if note.source == _AUTHOR}
    full, written = with_expressions(requirements, schemas, tools.author, kept)
    # The analyzer names one ambiguous column at a time: those of earlier visits are kept.
    ambiguous = ambiguous_names(findings) | {note.at for note in _notes(before) if note.source == _QUALIFIED}
    known = Known(schemas, ambiguous)
    notes = (
        *(Note(name, _AUTHOR, expression) for name, expression in written.items()),
        *(Note(name, _QUALIFIED, "by the join key") for name in sorted(ambiguous)),
    )
    if plan.is_python:
        made = python_query(full, plan, known)
        open_ = tuple(Note(at, "person", words) for at, words in made.open)
        artifact = Artifact(path, made.text, PHASE, (*notes, *open_))
    else:
        artifact = Artifact(path, write_query(full, plan, known), PHASE, notes)
    if before is not None and findings:
        artifact = _repaired(before, artifact, findings, full, schemas, tools)
    return model.with_artifacts(PHASE, (artifact,))


def says(model: Model) -> str:
    """`query.sql, 42 lines`."""
    made = [artifact for artifact in model.artifacts if artifact.made_by == PHASE]
    if not made:
        return "no query made"
    adopted = model.requirements is not None and model.requirements.request.query is not None
    name = made[0].path.rpartition("/")[2]
    return f"{'adopted ' if adopted else ''}{name}, {made[0].text.count(chr(10))} lines"


def _notes(before: Artifact | None) -> tuple[Note, ...]:
    return before.notes if before else ()


def _repaired(
    before: Artifact,
    rewritten: Artifact,
    findings: Sequence[Finding],
    requirements: Requirements,
    schemas: dict[str, Schema],
    tools: Tools,
) -> Artifact:
    """By rule if a rule changes anything, else by the author, else as it was."""
    is_sql = before.path.endswith(".sql")
    if is_sql:
        # The lines of the findings are those of the text that was judged, so a rewritten text is judged first.
        text = mended(before.text, findings, requirements, schemas)
        if text != before.text:
            return Artifact(before.path, format_sql(text), PHASE, before.notes)
    if rewritten.text != before.text and ambiguous_names(findings):
        return rewritten
    task = Task(
        "repair",
        "Mend this file so that every finding is gone. Answer with the whole file.",
        {"file": before.text, "path": before.path, "findings": "\n\n".join(map(str, findings)), **_listed(schemas)},
    )
    answer = tools.author.write(task)
    if answer is None or not answer.strip():
        return before
    try:
        text = format_sql(answer) if is_sql else answer
    except InvalidInput:
        return before
    return Artifact(before.path, text, PHASE, before.notes)


def _listed(schemas: Mapping[str, Schema]) -> dict[str, str]:
    lines = [
        f"{table}: {', '.join(f'{field.name} {field.type}' for field in schema)}" for table, schema in schemas.items()
    ]
    return {"schemas": "\n".join(lines)}


def _schemas(requirements: Requirements, tools: Tools) -> dict[str, Schema]:
    """The schemas that are known, by full table name: a missing one costs only a qualification here, the gates ask."""
    schemas = dict(requirements.schemas)
    for source in requirements.sources:
        if str(source) in schemas or source == requirements.table:
            continue
        try:
            known = tools.catalog.schema(source)
        except Unavailable:
            continue
        if known is not None:
            schemas[str(source)] = known.schema
    return schemas
