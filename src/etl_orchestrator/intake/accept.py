"""The only way from a `Request` to `Requirements`."""

from __future__ import annotations

from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.intake.check import RankDags, questions
from etl_orchestrator.intake.reading import Bodies, Reading
from etl_orchestrator.requirements import Parameter, Partitioning, Question, Request, Requirements, Schedule
from etl_orchestrator.sql import expressions
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Tools


class NeedsAnswers(OrchestratorError):
    """Raised when questions remain; nothing is built before they are answered."""

    def __init__(self, asked: tuple[Question, ...]) -> None:
        super().__init__(f"{len(asked)} question(s) need answers")
        self.questions = asked

    def __reduce__(self) -> tuple[type[NeedsAnswers], tuple[tuple[Question, ...]]]:
        return NeedsAnswers, (self.questions,)


def accept(request: Request, tools: Tools, rank_dags: RankDags | None = None) -> Requirements:
    """The request with everything settled. Raises NeedsAnswers with all open questions, InvalidInput for what is refused."""
    asked = questions(request, tools, rank_dags)
    if asked or request.table is None:
        raise NeedsAnswers(asked)
    reading = Reading(request, tools)
    assumptions: list[str] = []
    description = request.description
    if not description:
        description = f"{request.table.name.rpartition('_v')[0].replace('_', ' ').capitalize()}."
        assumptions.append("the description is made of the table's name")
    keys = reading.keys()
    if isinstance(request.grain, str) and keys:
        assumptions.append(f"the grain is read as {', '.join(keys)}")
    if reading.is_grouped(request.body):
        more = [name for name in reading.group_columns(request.body) if name not in keys]
        if more and keys:
            assumptions.append(f"{', '.join(more)} depend on the grain, since they are no aggregates")
    return Requirements(
        request=request,
        table=request.table,
        description=description,
        body=request.body,
        keys=keys,
        sources=tuple(sorted(TableRef.parse(name) for name in reading.listed)),
        partitioning=request.partitioning or Partitioning(False),
        schedule=request.schedule or Schedule(),
        schemas=reading.declared,
        assumptions=tuple(assumptions),
        parameters=_parameters(request),
    )


def _parameters(request: Request) -> tuple[Parameter, ...]:
    """Those declared, and submission_date where it is used without a word about it."""
    names = {name for text in Bodies(request).all_texts() for name in expressions.parameters(text)}
    declared = {parameter.name for parameter in request.parameters}
    if "submission_date" in names - declared:
        return (*request.parameters, Parameter("submission_date", "DATE", "{{ds}}"))
    return request.parameters
