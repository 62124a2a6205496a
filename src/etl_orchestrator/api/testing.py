"""The verb `test`: SQL tests and assertions of routines, run here, one after another or in several processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_orchestrator.api import processes
from etl_orchestrator.api.targets import relative, standing, table_named
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import EngineCrashed, InvalidInput, OrchestratorError
from etl_orchestrator.finding import Finding
from etl_orchestrator.layout import paths
from etl_orchestrator.outcome import Outcome, of_error
from etl_orchestrator.run import Status

if TYPE_CHECKING:
    from etl_orchestrator.proving.suite import Place, Ran

#: Hears of each test as it ends.
Hear = Callable[["Ran", int, int], None]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tests are run and how: `expression` as pytest's -k, `strict` as `compare_strictly`."""

    expression: str = ""
    first_failure: bool = False
    strict: bool = False
    jobs: int = 1


def test(
    workplace: Workplace,
    targets: Sequence[str],
    selection: Selection | None = None,  # noqa: PT028
    hear: Hear | None = None,  # noqa: PT028
) -> Outcome:
    """Tests that targets name: a table, its folder, a test's folder, a routine's file, any folder above them.

    No way to production: a table that is read without a fixture stops its test before it runs.
    """
    began = time.perf_counter()
    chosen = selection or Selection()
    try:
        ran = run_tests(workplace, targets, chosen, hear)
        if not ran:
            none = f"no test fits `-k {chosen.expression}`" if chosen.expression else "there are no SQL tests"
            raise InvalidInput(none, at=" ".join(targets))
    except OrchestratorError as error:
        return of_error("test", error, seconds=time.perf_counter() - began)
    failed = [one for one in ran if one.status == "failed"]
    status: Status = "open" if failed else "unchecked" if any(one.status == "refused" for one in ran) else "delivered"
    homes = {paths.table_of(one.place.path) for one in ran}
    table = str(homes.pop()) if len(homes) == 1 else None
    return Outcome(
        "test",
        status,
        table=table,
        findings=tuple(_finding(one) for one in failed),
        data=[entry(one) for one in ran],
        seconds=time.perf_counter() - began,
    )


def run_tests(
    workplace: Workplace, targets: Sequence[str], selection: Selection, hear: Hear | None = None
) -> list[Ran]:
    """The tests as they ended, in order of place."""
    from etl_orchestrator.proving.suite import keeper

    found = _places(workplace, targets)
    keep = keeper(selection.expression)
    waiting = [place for place in found if not place.name or keep(place.id)]
    several = selection.jobs > 1 and len(waiting) > 1
    stream = _elsewhere(workplace, waiting, selection) if several else _here(workplace, waiting, selection)
    done: dict[Place, list[Ran]] = {}
    for count, (place, ran) in enumerate(stream, 1):
        done[place] = ran
        for one in ran:
            if hear:
                hear(one, count, len(waiting))
        if selection.first_failure and any(one.status == "failed" for one in ran):
            stream.close()
            break
    return [one for place in waiting for one in done.get(place, ())]


Stream = Generator[tuple["Place", list["Ran"]], None, None]


def _here(workplace: Workplace, waiting: Sequence[Place], selection: Selection) -> Stream:
    from etl_orchestrator.proving.suite import keeper, run

    tools = workplace.frozen_tools()
    keep = keeper(selection.expression)
    for place in waiting:
        yield place, list(run(place, tools, selection.strict, keep))


def _elsewhere(workplace: Workplace, waiting: Sequence[Place], selection: Selection) -> Stream:
    """In processes of their own, each with an engine."""
    with processes.pool(selection.jobs) as pool:
        futures = {pool.submit(_run_in_process, workplace.root, selection, place): place for place in waiting}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise EngineCrashed(f"a process that ran tests died: {error}", fix="run with --jobs 1") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _run_in_process(root: Path, selection: Selection, place: Place) -> list[Ran]:
    from etl_orchestrator.proving.suite import keeper, run

    tools = processes.workplace_of(root).tools
    return list(run(place, tools, selection.strict, keeper(selection.expression)))


def _places(workplace: Workplace, targets: Sequence[str]) -> tuple[Place, ...]:
    from etl_orchestrator.proving.suite import places

    files: list[str] = []
    catalog = workplace.tools.catalog
    for target in targets:
        path = standing(workplace, target)
        if path is None:
            table = table_named(workplace, target)
            if not catalog.paths(paths.table_folder(table)) and not catalog.paths(paths.tests_folder(table)):
                raise InvalidInput(f"there is no table `{table}`", at=paths.table_folder(table))
            files += [*catalog.paths(paths.table_folder(table)), *catalog.paths(paths.tests_folder(table))]
            continue
        name = relative(workplace, path)
        folder = name if path.is_dir() else name.rpartition("/")[0]
        below = catalog.paths(folder) if path.is_dir() else [name]
        if not any(paths.table_of(file) for file in below):
            raise InvalidInput("there is no table", at=target, fix="name a table, its folder or a file of it")
        files += [file.removeprefix("./") for file in catalog.paths(folder)]
        if name.startswith("sql/"):
            files += catalog.paths(f"tests/{folder}")
    return places(files)


def entry(ran: Ran) -> dict[str, Any]:
    """A test as JSON tells it."""
    trial = ran.trial
    return {
        "test": trial.name,
        "path": ran.place.id,
        "status": ran.status,
        "verdict": ran.verdict,
        "cause": trial.cause,
        "detail": trial.detail,
        "at": trial.problem.place(trial.at) if trial.problem else trial.at,
        "differences": [
            {
                "row": difference.row,
                "column": difference.column,
                "kind": difference.kind,
                "expected": difference.expected,
                "actual": difference.actual,
            }
            for difference in trial.differences
        ],
        "seconds": round(ran.seconds, 3),
    }


def _finding(ran: Ran) -> Finding:
    from etl_orchestrator.gates.tests import (
        failing_query,
        misfit_fixture,
        misshapen_expectation,
        unfixtured_source,
        wrong_rows,
    )
    from etl_orchestrator.phase import found

    trial = ran.trial
    gate = {
        "fixture": unfixtured_source.GATE if trial.unfixtured else misfit_fixture.GATE,
        "schema": misshapen_expectation.GATE,
        "logic": wrong_rows.GATE,
    }.get(trial.cause, failing_query.GATE)
    fix = {
        "fixture": "add the fixture" if trial.unfixtured else "make the value fit the schema of the table",
        "schema": "name the columns as the query does",
        "logic": "correct the query, or the requirement if it was misread; never copy the output",
    }.get(trial.cause, "correct the query")
    at = trial.problem.place(trial.at) if trial.problem else trial.at
    return found(gate, f"{ran.place.name}: {trial.detail}", at, trial.fix or fix)
