"""plan, build, resume, runs: from a requirements file to a published model."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from etl_orchestrator.api import processes
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.driver import drive
from etl_orchestrator.errors import EngineCrashed, InvalidInput, OrchestratorError
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.outcome import Outcome, of_batch, of_error, of_run
from etl_orchestrator.phase import Phase
from etl_orchestrator.requirements import Question, Request, Requirements
from etl_orchestrator.run import Run

#: Asks a person the open questions and gives back the answers by element; None when nobody can be asked.
Interview = Callable[[Request, Workplace], Request]


class Listener(Protocol):
    """Hears of each room as it is entered and left, and of each file of a batch as it is done."""

    def entered(self, run: Run, phase: Phase) -> None: ...

    def left(self, run: Run) -> None: ...

    def finished(self, outcome: Outcome) -> None: ...


class Silence:
    """Nobody listens."""

    def entered(self, run: Run, phase: Phase) -> None:
        pass

    def left(self, run: Run) -> None:
        pass

    def finished(self, outcome: Outcome) -> None:
        pass


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build. `answers` by element, as in `--answer element=value`."""

    answers: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    overwrite: bool = False
    interview: Interview | None = None


def plan(workplace: Workplace, path: Path, options: BuildOptions) -> Outcome:
    """The requirements check and phase 1; nothing is written."""
    from etl_orchestrator.phases.plan import PHASE

    began = time.perf_counter()
    try:
        requirements = _requirements(workplace, path, _read(path), options)
        run = Run(_run_id(requirements), requirements.table, Model(requirements.table, requirements))
        run = drive(run, workplace.tools, (PHASE,))
    except OrchestratorError as error:
        return _turned_away("plan", error, path, time.perf_counter() - began)
    done = f"etl-orchestrator build {shlex.quote(str(path))}" if run.status == "delivered" else ""
    return replace(of_run("plan", run, seconds=time.perf_counter() - began, next=done), run=None)


def build(workplace: Workplace, path: Path, options: BuildOptions, listener: Listener | None = None) -> Outcome:
    """Everything: from the file to published files and a report. Existing files are touched with `overwrite` only."""
    from etl_orchestrator import intake

    began = time.perf_counter()
    try:
        workplace.store.recover()
        data = _read(path)
        requirements = _requirements(workplace, path, data, options)
        run = Run(_run_id(requirements), requirements.table, Model(requirements.table, requirements))
        request = {
            "path": str(path),
            "text": data.decode(),
            "dry_run": options.dry_run,
            "overwrite": options.overwrite,
            "answers": dict(requirements.request.answers),
        }
        with workplace.store.lock(run.table, run.id):
            workplace.store.begin(run, request)
            if requirements.request.answers:
                workplace.store.keep(run.id, "answers.yaml", intake.write_answers(requirements.request))
            return _walk(workplace, run, request, listener or Silence(), began, "build")
    except OrchestratorError as error:
        return _turned_away("build", error, path, time.perf_counter() - began)


def build_all(
    workplace: Workplace, paths: Sequence[Path], options: BuildOptions, listener: Listener | None = None, jobs: int = 1
) -> Outcome:
    """Several files, `jobs` at a time in processes of their own, with one summary."""
    began = time.perf_counter()
    listener = listener or Silence()
    if jobs == 1 or len(paths) == 1:
        results = []
        for path in paths:
            results.append(replace(build(workplace, path, options, listener), requirements=str(path)))
            listener.finished(results[-1])
        return of_batch("build", results, time.perf_counter() - began)
    with processes.pool(min(jobs, len(paths))) as pool:
        waiting = {pool.submit(_build_elsewhere, workplace.root, path, options): path for path in paths}
        done = {}
        for future in as_completed(waiting):
            done[waiting[future]] = _result(future, waiting[future])
            listener.finished(done[waiting[future]])
    return of_batch("build", [done[path] for path in paths], time.perf_counter() - began)


def _result(future: Future[Outcome], path: Path) -> Outcome:
    """What a process of its own answered; one that died takes nothing from the others."""
    try:
        return future.result()
    except BrokenProcessPool as error:
        told = EngineCrashed(f"the process that built it died: {error}", at=str(path), fix="etl-orchestrator resume")
        return of_error("build", told, requirements=str(path))


def _build_elsewhere(root: Path, path: Path, options: BuildOptions) -> Outcome:
    return replace(build(Workplace(root), path, options), requirements=str(path))


def resume(workplace: Workplace, run_id: str | None, listener: Listener | None = None) -> Outcome:
    """Go on where a run stopped: finished rooms are not visited again. Without an id: the latest that is not done."""
    began = time.perf_counter()
    try:
        workplace.store.recover()
        stopped, _ = workplace.store.fold(run_id or _latest(workplace))
        with workplace.store.lock(stopped.table, stopped.id):
            run, request = workplace.store.fold(stopped.id)  # once more: another process may have gone on with it
            changed = workplace.store.published(run.id)
            if changed is not None:
                report = _report(workplace, run, request, changed)
                return of_run("resume", run, changed=changed, report=report, seconds=time.perf_counter() - began)
            if run.status in ("open", "unchecked", "failed"):
                run = replace(run, status="running", ended="")
            return _walk(workplace, run, request, listener or Silence(), began, "resume")
    except OrchestratorError as error:
        return of_error("resume", error, run=run_id, seconds=time.perf_counter() - began)


def runs(workplace: Workplace) -> Outcome:
    """Every run of the repository, latest last."""
    try:
        events = workplace.store.events(kinds=("begun", "ended", "published"))
    except OrchestratorError as error:
        return of_error("runs", error)
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        entry = found.setdefault(event.run, {"run": event.run, "status": "running", "published": False})
        if event.kind == "begun":
            table = event.payload["run"]["table"]
            entry |= {"table": f"{table['project']}.{table['dataset']}.{table['name']}", "began": event.at}
            entry["dry_run"] = event.payload["request"]["dry_run"]
        elif event.kind == "ended":
            entry["status"] = event.payload["status"]
        else:
            entry["published"] = True
    return Outcome("runs", "delivered", data=list(found.values()))


def _walk(
    workplace: Workplace, run: Run, request: Mapping[str, Any], listener: Listener, began: float, verb: str
) -> Outcome:
    """Drive, journal each visit, publish what was delivered, write the report."""
    from etl_orchestrator.phases.order import PHASES

    def left(run: Run) -> None:
        workplace.store.visited(run)
        listener.left(run)

    tools = replace(workplace.tools, overwrite=bool(request["overwrite"]))
    run = drive(run, tools, PHASES, listener.entered, left)
    workplace.store.ended(run)
    changed: tuple[str, ...] = ()
    if run.delivery is not None and not request["dry_run"]:
        changed = workplace.store.publish(run.delivery, run.id, bool(request["overwrite"]))
    report = _report(workplace, run, request, changed)
    follow = _follow(run, request)
    seconds, dry_run = time.perf_counter() - began, bool(request["dry_run"])
    return of_run(verb, run, changed=changed, report=report, next=follow, seconds=seconds, dry_run=dry_run)


def _follow(run: Run, request: Mapping[str, Any]) -> str:
    """The next command: what only a corrected file can mend is built anew, what the engine could not do is resumed."""
    if run.status in ("unchecked", "failed"):
        return f"etl-orchestrator resume {run.id}"
    if run.status != "delivered" or request["dry_run"]:
        words = [request["path"], *(f"--answer={element}={value}" for element, value in request["answers"].items())]
        if any(finding.name == "standing_file" for finding in run.findings):
            words.append("--overwrite")
        return f"etl-orchestrator build {shlex.join(words)}"
    homes = (paths.table_folder(run.table), paths.tests_folder(run.table))
    made = [home for home in homes if any(a.path.startswith(f"{home}/") for a in run.model.artifacts)]
    return f"git add {' '.join(made)}"


def _report(workplace: Workplace, run: Run, request: Mapping[str, Any], changed: tuple[str, ...]) -> str:
    from etl_orchestrator.report import markdown

    began = workplace.store.events(run.id, ("begun",))[0].at
    text = markdown.report(run, request["text"], changed, began, bool(request["dry_run"]))
    return str(workplace.store.keep(run.id, "report.md", text).relative_to(workplace.root))


def _read(path: Path) -> bytes:
    """The requirements file. Raises InvalidInput for one that is not there or cannot be read."""
    try:
        if path.is_file():
            return path.read_bytes()
    except OSError as error:  # a name longer than the file system can hold, no permission
        raise InvalidInput(f"the requirements file cannot be read: {error.strerror}", at=str(path)) from error
    raise InvalidInput("there is no such requirements file", at=str(path))


def _requirements(workplace: Workplace, path: Path, data: bytes, options: BuildOptions) -> Requirements:
    """The door: read, answered, asked, accepted."""
    from etl_orchestrator import intake
    from etl_orchestrator.skills.bigquery_etl_core.dag_ranking import rank_dags

    tools = workplace.tools
    request = intake.read_request(str(path), data, workplace.settings.project)
    request = intake.apply_answers(request, options.answers)
    if options.interview is not None:
        request = options.interview(request, workplace)
    return intake.accept(request, tools, lambda asked: rank_dags(asked, tools.catalog))


def _turned_away(verb: str, error: OrchestratorError, path: Path, seconds: float) -> Outcome:
    from etl_orchestrator import intake

    if isinstance(error, intake.NeedsAnswers):
        questions: tuple[Question, ...] = error.questions
        asked = {question.element for question in questions}
        kept = {element: value for element, value in error.given.items() if element not in asked}
        given = [f"--answer {shlex.quote(f'{element}={value}')}" for element, value in kept.items()]
        answers = " ".join([*given, *(f"--answer {question.element}=…" for question in questions)])
        return Outcome(
            verb,
            "needs_answers",
            questions=questions,
            seconds=seconds,
            next=f"etl-orchestrator {verb} {shlex.quote(str(path))} {answers}",
        )
    return of_error(verb, error, seconds=seconds)


def _run_id(requirements: Requirements) -> str:
    """Sorts by time, tells the table, never twice the same."""
    moment = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    digest = hashlib.sha256(requirements.request.digest.encode()).hexdigest()[:4]
    return f"{moment}-{requirements.table.name}-{digest}{secrets.token_hex(2)}"


def _latest(workplace: Workplace) -> str:
    """The latest run that has not come to its end with files."""
    listed = runs(workplace).data or []
    for entry in reversed(listed):
        if not (entry["status"] == "delivered" and (entry["published"] or entry["dry_run"])):
            return str(entry["run"])
    raise InvalidInput("there is no run to resume", fix="etl-orchestrator runs lists them")
