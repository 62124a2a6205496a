"""The verb `format`: SQL files in the house style, in place, as a check, as a diff, or from text to text."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from etl_orchestrator.api.targets import relative, standing
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import InvalidInput, OrchestratorError
from etl_orchestrator.finding import Finding
from etl_orchestrator.outcome import Outcome, of_error
from etl_orchestrator.phase import found
from etl_orchestrator.run import Status
from etl_orchestrator.sql.formatter import format_sql, skipped

#: What a text is called that has no file.
STDIN = "<stdin>"


def format_sql_files(
    workplace: Workplace, targets: Sequence[str], check_only: bool = False, diff: bool = False
) -> Outcome:
    """Format .sql files in place. With `check_only` say which would change, with `diff` show how; both change nothing.

    A text that Google's parser refuses is a finding, and its file stays untouched. The parser is asked of every file that
    is named, and of those in a folder that would change: one that is formatted already costs nothing more there.
    """
    began = time.perf_counter()
    writes = not check_only and not diff
    findings: list[Finding] = []
    changed: dict[str, tuple[str, str]] = {}
    count = 0
    try:
        for path, in_folder in _sql_files(workplace, targets):
            name = relative(workplace, path)
            if skipped(name, workplace.settings.skip_format):
                continue
            count += 1
            text = _text(path, name)
            formatted = _formatted(workplace, text, name, trusted=in_folder)
            if isinstance(formatted, Finding):
                findings.append(formatted)
            elif formatted != text:
                changed[name] = text, formatted
        if writes:
            workplace.store.write({name: formatted for name, (_, formatted) in changed.items()}, overwrite=True)
    except OrchestratorError as error:
        return of_error("format", error, seconds=time.perf_counter() - began)
    data: dict[str, object] = {"files": count, "changed": sorted(changed)}
    if diff:
        data["diff"] = "".join(_difference(name, *texts) for name, texts in sorted(changed.items()))
    elif check_only:
        findings += [_unformatted(name, *texts) for name, texts in changed.items()]
    status: Status = "open" if findings or (changed and not writes) else "delivered"
    return Outcome("format", status, findings=tuple(findings), data=data, seconds=time.perf_counter() - began)


def format_text(workplace: Workplace, text: str, check_only: bool = False, diff: bool = False) -> Outcome:
    """The same for a text without a file: `data` holds what it becomes under `text`."""
    began = time.perf_counter()
    try:
        formatted = _formatted(workplace, text, STDIN)
    except OrchestratorError as error:
        return of_error("format", error, seconds=time.perf_counter() - began)
    if isinstance(formatted, Finding):
        return Outcome("format", "open", findings=(formatted,), seconds=time.perf_counter() - began)
    differs = formatted != text
    findings = (_unformatted(STDIN, text, formatted),) if check_only and not diff and differs else ()
    data: dict[str, object] = {"files": 1, "changed": [STDIN] if differs else []}
    data |= {"diff": _difference(STDIN, text, formatted)} if diff else {} if check_only else {"text": formatted}
    status: Status = "open" if differs and (check_only or diff) else "delivered"
    return Outcome("format", status, findings=findings, data=data, seconds=time.perf_counter() - began)


def _formatted(workplace: Workplace, text: str, name: str, trusted: bool = False) -> str | Finding:
    """The text in the house style, or what keeps it from being parsed; `trusted` asks nothing of one in that style."""
    from etl_orchestrator.gates.query import broken_template, refused_query
    from etl_orchestrator.sql.dry_run import syntax_problem

    try:
        formatted = format_sql(text, name)
    except InvalidInput as error:
        gate = broken_template.GATE if "{" in error.message else refused_query.GATE
        return found(gate, error.message, error.at or name, error.fix or "correct it")
    if (trusted and formatted == text) or not text.strip():
        return formatted
    problem = syntax_problem(name, text, workplace.tools)
    if problem is not None:
        return found(refused_query.GATE, problem.message, problem.place(name), "correct it; the file was left as it is")
    return formatted


def _unformatted(name: str, text: str, formatted: str) -> Finding:
    from etl_orchestrator.gates.query import unformatted_query

    opcodes = difflib.SequenceMatcher(None, text.splitlines(), formatted.splitlines(), autojunk=False).get_opcodes()
    line = next((start + 1 for tag, start, *_ in opcodes if tag != "equal"), 1)
    fix = f"etl-orchestrator format {'-' if name == STDIN else name}"
    return found(unformatted_query.GATE, "not formatted", f"{name}:{line}", fix)


def _difference(name: str, text: str, formatted: str) -> str:
    """A unified diff, as `git apply` takes it."""
    lines = difflib.unified_diff(_lines(text), _lines(formatted), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """With their line breaks. Not `splitlines`, for which a form feed ends a line."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not UTF-8: {error}", at=name) from error
    except OSError as error:
        raise InvalidInput(f"the file cannot be read: {error.strerror}", at=name) from error


def _sql_files(workplace: Workplace, targets: Sequence[str]) -> Iterable[tuple[Path, bool]]:
    """The files, and whether it was their folder that was named."""
    for target in targets:
        path = standing(workplace, target)
        if path is None:
            raise InvalidInput("there is no such file or folder", at=target)
        if path.is_dir():
            yield from ((file, True) for file in sorted(path.rglob("*.sql")) if file.is_file())
        elif path.suffix == ".sql":
            yield path, False
        else:
            raise InvalidInput("this is no .sql file", at=target)
