"""The assertion tests of a routine, run: the statements of its file that define nothing.

Each is run by itself, with the routines of the file and those it calls. It passes when it does not fail; one that is
marked `#xfail` passes when it does. Arrays are compared in any order, which is said, where a routine leaves their order open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths
from etl_orchestrator.proving.trial import ORDER_OPEN, Cause, Trial
from etl_orchestrator.sql import routines, script
from etl_orchestrator.sql.array_order import leaves_order_open
from etl_orchestrator.sql.dry_run import located, resolved
from etl_orchestrator.sql.missing import placed
from etl_orchestrator.sql.script_nodes import Node, Statement
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.sql.tokens import position
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Routine, SqlProblem, Tools

_FILES = (paths.UDF_SQL, paths.STORED_PROCEDURE_SQL)
_XFAIL = re.compile(r"#\s*xfail\b")

#: The assertion that compares arrays in order, below its dataset of assertions.
_ASSERTIONS, _IN_ORDER = "assert", "array_equals"
#: The same where the order is left open: by the assertion itself, of both arrays sorted alike.
_IN_ANY_ORDER = """CREATE FUNCTION {name}(expected ANY TYPE, actual ANY TYPE) AS (
  {in_order}(
    ARRAY(SELECT element FROM UNNEST(expected) AS element ORDER BY TO_JSON_STRING(element)),
    ARRAY(SELECT element FROM UNNEST(actual) AS element ORDER BY TO_JSON_STRING(element))
  )
)"""


@dataclass(frozen=True, slots=True)
class Assertion:
    """One statement to be run; `sql` has it at its line of the rendered file."""

    name: str  # dataset.routine#1
    sql: str
    line: int
    must_fail: bool


@dataclass(frozen=True, slots=True)
class RoutineFile:
    routine: TableRef
    template: Template
    sql: str  # rendered
    assertions: tuple[Assertion, ...]


def is_routine(path: str) -> bool:
    """Whether a file defines a routine."""
    return path.rpartition("/")[2] in _FILES


def routine_file(path: str, tools: Tools) -> RoutineFile:
    """A udf.sql or stored_procedure.sql with its assertions. Raises InvalidInput for a file that is none, or whose template
    or structure is broken."""
    routine = paths.table_of(path)
    text = tools.catalog.text(path)
    if routine is None or text is None or not is_routine(path):
        raise InvalidInput("this is no udf.sql or stored_procedure.sql of the repository", at=path)
    template = resolved(tools).template(path, routine, text)
    sql = template.render()
    name = f"{routine.dataset}.{routine.name}"
    try:
        found = tuple(_assertions(sql, name))
    except InvalidInput as error:
        raise InvalidInput(error.message, at=f"{path}, {error.at}", fix=error.fix) from error
    return RoutineFile(routine, template, sql, found)


def _assertions(sql: str, name: str) -> Iterator[Assertion]:
    end = number = 0
    for node in script.parse(sql):
        before, end = sql[end : node.span.start], node.span.end
        if _defines(node):
            continue
        number += 1
        line, _ = position(sql, node.span.start)
        must_fail = bool(_XFAIL.search(before) or _XFAIL.search(node.span.of(sql)))
        yield Assertion(f"{name}#{number}", "\n" * (line - 1) + node.span.of(sql), line, must_fail)


def _defines(node: Node) -> bool:
    return isinstance(node, Statement) and node.kind.startswith("CREATE ")


def assertion_trial(file: RoutineFile, assertion: Assertion, tools: Tools) -> Trial:
    """One assertion, run. Raises Unavailable for a routine that is not in the repository, EngineError for what the engine
    lacks."""
    at = f"{file.template.at}:{assertion.line}"
    trial = Trial(assertion.name, at, sql=assertion.sql)
    catalog = resolved(tools)
    own = {
        ref: Routine(ref, statement, file.template.at)
        for written, statement in routines.definitions(file.sql)
        for ref in [TableRef.parse(written, file.routine.project)]
    }
    texts = [*(routine.sql for routine in own.values()), assertion.sql]
    with placed(file.template, file.sql):
        called = catalog.routines(";\n".join(texts), file.routine, in_test=True)
    known = (*called, *own.values())
    rows = tools.runner.run(assertion.sql, {}, {}, known)
    if rows.problem is not None and not assertion.must_fail and _is_assertion(rows.problem):
        unsorted = _in_any_order(file.routine, assertion.sql, known)
        if unsorted and tools.runner.run(assertion.sql, {}, {}, unsorted).problem is None:
            return replace(trial, detail=ORDER_OPEN)
    if rows.problem is None:
        if assertion.must_fail:
            return replace(trial, cause="logic", detail="it is marked #xfail and does not fail")
        return replace(trial, rows=rows)
    problem = located(rows.problem, file.template, file.sql)
    if assertion.must_fail:
        return replace(trial, problem=None, detail=f"fails as it must: {problem.message}")
    cause: Cause = "logic" if _is_assertion(problem) else "error"
    return replace(trial, cause=cause, detail=problem.message, problem=problem)


def _in_any_order(tested: TableRef, sql: str, known: tuple[Routine, ...]) -> tuple[Routine, ...]:
    """The routines, with arrays compared in any order; none when neither the assertion nor a routine that it stands on
    leaves an order open, or when it is the comparison that is tested."""
    written = [sql, *(routine.sql for routine in _reached(sql, known) if routine.ref.dataset != _ASSERTIONS)]
    in_order = [routine for routine in known if (routine.ref.dataset, routine.ref.name) == (_ASSERTIONS, _IN_ORDER)]
    if not in_order or tested.dataset == _ASSERTIONS or not any(map(leaves_order_open, written)):
        return ()
    changed = list(known)
    for routine in in_order:
        kept = replace(routine, ref=replace(routine.ref, name=f"{_IN_ORDER}_in_order"))
        text = _IN_ANY_ORDER.format(name=f"`{routine.ref}`", in_order=f"`{kept.ref}`")
        changed[changed.index(routine)] = replace(routine, sql=text)
        changed.append(kept)
    return tuple(changed)


def _reached(sql: str, known: tuple[Routine, ...]) -> list[Routine]:
    """Those that a text calls and that they call, by dataset and name."""
    by_name = {(routine.ref.dataset, routine.ref.name): routine for routine in known}
    found: dict[Routine, None] = {}
    waiting = [sql]
    while waiting:
        names = [tuple(name.split(".")[-2:]) for name in routines.calls(waiting.pop())]
        for routine in [by_name[name] for name in names if name in by_name]:
            if routine not in found:
                found[routine] = None
                waiting.append(routine.sql)
    return list(found)


def _is_assertion(problem: SqlProblem) -> bool:
    """ERROR() is how an assertion speaks; it has the position of no text."""
    return not problem.line
