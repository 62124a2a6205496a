"""The single tools: check, format, validate, schema and test of what already stands in a repository."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.driver import ask
from etl_orchestrator.errors import InvalidInput, OrchestratorError
from etl_orchestrator.finding import Failed, Finding, Unchecked
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.outcome import Outcome, of_batch, of_error
from etl_orchestrator.phase import found
from etl_orchestrator.run import Answer, Status
from etl_orchestrator.table import Field, TableRef


def models(workplace: Workplace, targets: Sequence[str], needed: str = "") -> list[Model]:
    """The models that tables, files or folders name. Raises InvalidInput for a target that names none.

    `needed` is a file or phase that the work is about: of what only a folder names, models without it are left out.
    """
    from etl_orchestrator.layout import model_files

    catalog = workplace.tools.catalog
    found = [
        (model_files.read_model(catalog.text, catalog.paths, table), alone)
        for table, alone in _tables(workplace, targets).items()
    ]
    kept = [model for model, alone in found if alone or _has(model, needed)]
    if not kept:
        raise InvalidInput(f"no table there has {needed}", at=" ".join(targets))
    return kept


def _has(model: Model, needed: str) -> bool:
    """Whether the model has a file of this name, or files of this phase."""
    return not needed or any(needed in (a.path.rsplit("/", 1)[-1], a.made_by) for a in model.artifacts)


def check(workplace: Workplace, targets: Sequence[str]) -> Outcome:
    """Every gate asked of models that stand in the repository, made by us or by hand."""
    return _each(workplace, "check", targets, lambda model: _checked(workplace, model))


def validate(workplace: Workplace, targets: Sequence[str]) -> Outcome:
    """The dry run of queries: what the analyzer says of them."""

    def one(model: Model) -> Outcome:
        from etl_orchestrator.gates.query.refused_query import GATE
        from etl_orchestrator.sql.dry_run import dry_run

        analysis = dry_run(model, workplace.tools)
        at = _query_path(model)
        data = {"columns": [_column(field) for field in analysis.columns], "tables": [str(t) for t in analysis.tables]}
        if analysis.problem is None:
            return Outcome("validate", "delivered", table=str(model.table), data=data)
        place = f"{at}:{analysis.problem.line}:{analysis.problem.column}" if analysis.problem.line else at
        finding = found(GATE, analysis.problem.message, place, "correct the query")
        return Outcome("validate", "open", table=str(model.table), findings=(finding,), data=data)

    return _each(workplace, "validate", targets, one, "query.sql")


def schema(workplace: Workplace, targets: Sequence[str], write: bool = False) -> Outcome:
    """schema.yaml as the query's output and the known descriptions make it; `write` replaces the file."""

    def one(model: Model) -> Outcome:
        from etl_orchestrator.skills import metadata_manager

        artifact = metadata_manager.schema_of(model, workplace.tools)
        differs = model.text(artifact.path) != artifact.text
        write_now = write and differs
        changed = workplace.store.write({artifact.path: artifact.text}, overwrite=True) if write_now else ()
        data = {"path": artifact.path, "text": artifact.text, "differs": differs}
        return Outcome("schema", "delivered", table=str(model.table), artifacts=(artifact,), changed=changed, data=data)

    return _each(workplace, "schema", targets, one)


def test(workplace: Workplace, targets: Sequence[str]) -> Outcome:
    """The SQL tests of models, run locally; a table that is read without a fixture stops its test before it runs."""

    def one(model: Model) -> Outcome:
        from etl_orchestrator.gates.tests import GATES
        from etl_orchestrator.proving.trial import trials

        ran = trials(model, workplace.tools)
        if not ran:
            raise InvalidInput("there are no SQL tests", at=f"tests/sql/…/{model.table.name}")
        data = [{"test": t.name, "verdict": t.verdict, "detail": t.detail} for t in ran]
        return replace(_asked("test", model, [("tests", ask(g, model, workplace.tools)) for g in GATES]), data=data)

    return _each(workplace, "test", targets, one, "tests")


def format_sql_files(workplace: Workplace, targets: Sequence[str], check_only: bool = False) -> Outcome:
    """Format .sql files in place; with `check_only` say which would change. Unparsable files stay untouched."""
    from etl_orchestrator.gates.query import broken_template, refused_query, unformatted_query
    from etl_orchestrator.sql.formatter import format_sql, skipped

    began = time.perf_counter()
    findings: list[Finding] = []
    changed: dict[str, str] = {}
    count = 0
    try:
        for path in _sql_files(workplace, targets):
            name = _relative(workplace, path)
            if skipped(name, workplace.settings.skip_format):
                continue
            count += 1
            text = _text(path, name)
            try:
                formatted = format_sql(text, name)
            except InvalidInput as error:
                gate = broken_template.GATE if "{" in error.message else refused_query.GATE
                findings.append(found(gate, error.message, error.at or name, error.fix or "correct it"))
                continue
            if formatted != text:
                changed[name] = formatted
                if check_only:
                    line = _first_difference(text, formatted)
                    fix = f"etl-orchestrator format {name}"
                    findings.append(found(unformatted_query.GATE, "not formatted", f"{name}:{line}", fix))
        if not check_only:
            workplace.store.write(changed, overwrite=True)
    except OrchestratorError as error:
        return of_error("format", error, seconds=time.perf_counter() - began)
    status: Status = "open" if findings else "delivered"
    data = {"files": count, "changed": sorted(changed)}
    return Outcome("format", status, findings=tuple(findings), data=data, seconds=time.perf_counter() - began)


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not UTF-8: {error}", at=name) from error
    except OSError as error:
        raise InvalidInput(f"the file cannot be read: {error.strerror}", at=name) from error


def _first_difference(old: str, new: str) -> int:
    opcodes = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False).get_opcodes()
    return next((start + 1 for tag, start, *_ in opcodes if tag != "equal"), 1)


def _sql_files(workplace: Workplace, targets: Sequence[str]) -> Iterable[Path]:
    for target in targets:
        path = _standing(workplace, target)
        if path is None:
            raise InvalidInput("there is no such file or folder", at=target)
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.sql") if file.is_file())
        elif path.suffix == ".sql":
            yield path
        else:
            raise InvalidInput("this is no .sql file", at=target)


def _standing(workplace: Workplace, target: str) -> Path | None:
    """The file or folder that a target names, seen from the current folder or else from the repository."""
    # An empty text, as of a variable that is not set, would name the current folder.
    for path in (Path(target), workplace.root / target) if target else ():
        try:
            if path.exists():
                return path
        except OSError:  # longer than any name the file system can hold
            continue
    return None


def _relative(workplace: Workplace, path: Path) -> str:
    resolved = path.resolve()
    if not resolved.is_relative_to(workplace.root):
        raise InvalidInput("the file lies outside the repository", at=str(path), fix="--repo DIR names the repository")
    return resolved.relative_to(workplace.root).as_posix()


def _tables(workplace: Workplace, targets: Sequence[str]) -> dict[TableRef, bool]:
    """Tables in the order named, each once, and whether one was named by itself; a folder names all tables below it."""
    from etl_orchestrator.layout import paths

    found: dict[TableRef, bool] = {}
    for target in targets:
        path = _standing(workplace, target)
        if path is None:
            named = TableRef.parse(target, workplace.settings.project)
            if not workplace.tools.catalog.paths(paths.table_folder(named)):
                raise InvalidInput(f"there is no table `{named}`", at=paths.table_folder(named))
            found[named] = True
            continue
        name = _relative(workplace, path)
        files = workplace.tools.catalog.paths(name) if path.is_dir() else [name]
        tables = [table for file in files if (table := paths.table_of(file)) is not None]
        if not tables:
            raise InvalidInput("there is no table", at=target, fix="name a table, its folder or a file of it")
        alone = len(set(tables)) == 1
        found.update({table: found.get(table, False) or alone for table in tables})
    return found


def _each(
    workplace: Workplace, verb: str, targets: Sequence[str], one: Callable[[Model], Outcome], needed: str = ""
) -> Outcome:
    """`one` over every model; what fails for one model does not stop the others."""
    began = time.perf_counter()
    results = []
    try:
        found = models(workplace, targets, needed)
    except OrchestratorError as error:
        return of_error(verb, error, seconds=time.perf_counter() - began)
    for model in found:
        start = time.perf_counter()
        try:
            result = one(model)
        except OrchestratorError as error:
            result = of_error(verb, error, table=str(model.table))
        results.append(replace(result, seconds=time.perf_counter() - start))
    return of_batch(verb, results, time.perf_counter() - began)


def _checked(workplace: Workplace, model: Model) -> Outcome:
    from etl_orchestrator.phases import PHASES

    model = _remembered(workplace, model)
    rooms = [phase for phase in PHASES if phase.name != "validation"]
    final = next(phase for phase in PHASES if phase.name == "validation")
    earlier = {gate.code for room in rooms for gate in room.gates}
    answers = [(room.name, ask(gate, model, workplace.tools)) for room in rooms for gate in room.gates]
    own = [gate for gate in final.gates if gate.code not in earlier]
    return _asked("check", model, answers + [(final.name, ask(gate, model, workplace.tools)) for gate in own])


def _remembered(workplace: Workplace, model: Model) -> Model:
    """The model with the requirements and the plan of the run that published it, if one of this repository did."""
    home = f"{paths.table_folder(model.table)}/"
    for event in reversed(workplace.store.events(kinds=("published",))):
        if any(path.startswith(home) for path in event.payload["files"]):
            built, _ = workplace.store.fold(event.run)
            return replace(model, requirements=built.model.requirements, plan=built.model.plan)
    return model


def _asked(verb: str, model: Model, answers: list[tuple[str, Answer]]) -> Outcome:
    findings = tuple(f for _, a in answers if isinstance(a.verdict, Failed) for f in a.verdict.findings)
    unchecked = any(isinstance(a.verdict, Unchecked) for _, a in answers)
    status: Status = "open" if findings else "unchecked" if unchecked else "delivered"
    return Outcome(
        verb, status, table=str(model.table), findings=findings, artifacts=model.artifacts, answers=tuple(answers)
    )


def _query_path(model: Model) -> str:
    from etl_orchestrator.layout import paths

    return paths.query_sql(model.table)


def _column(field: Field) -> dict[str, Any]:
    nested = {"fields": [_column(part) for part in field.fields]} if field.fields else {}
    return {"name": field.name, "type": field.type, "mode": field.mode, **nested}
