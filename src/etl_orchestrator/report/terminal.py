"""An outcome as text for a terminal: what is wrong first, what to do next last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from etl_orchestrator.outcome import Outcome, decisions, said

if TYPE_CHECKING:
    from etl_orchestrator.requirements import Question
    from etl_orchestrator.run import Run

Style = Callable[[str, str], str]

_STATUS_COLOURS = {
    "delivered": "green",
    "open": "red",
    "failed": "red",
    "refused": "red",
    "unchecked": "yellow",
    "needs_answers": "yellow",
}
_BUILDING = ("build", "plan", "resume")


def _word(outcome: Outcome) -> str:
    """The status as a person says it: what was only looked at has passed, not been delivered."""
    if outcome.status == "delivered" and outcome.verb not in _BUILDING:
        return "passed"
    if outcome.status == "delivered" and outcome.verb == "plan":
        return "planned"
    return outcome.status.replace("_", " ")


def plain(text: str, colour: str) -> str:
    return text


def left(run: Run, position: int, total: int, style: Style = plain, verbose: int = 0) -> str:
    """The line that stays when a room is left: what was decided, what was found, where the model goes."""
    visit = run.visits[-1]
    head = f"[{position}/{total}] {visit.phase}"
    passed = sum(1 for answer in visit.answers if type(answer.verdict).__name__ == "Passed")
    if visit.trouble:
        return f"{style(head, 'yellow')}: {visit.trouble}"
    lines = [
        f"{style(head, 'red' if visit.findings else 'green')}: {visit.says} ({passed} gates passed, {visit.seconds:.2f} s)"
    ]
    for finding in visit.findings:
        lines.append("  " + str(finding).replace("\n", "\n  "))
    for answer in visit.unchecked:
        lines.append(f"  {style('unchecked', 'yellow')} {answer.code} {answer.name}: {answer.verdict.reason}")  # type: ignore[union-attr]
    if visit.sent_back_to:
        lines.append(f"  back to {visit.sent_back_to}")
    if verbose:
        for answer in visit.answers:
            verdict = answer.verdict
            text = getattr(verdict, "evidence", None) or getattr(verdict, "reason", None)
            if text and (verbose > 1 or type(verdict).__name__ == "Passed"):
                lines.append(f"    {answer.code} {answer.name}: {text}")
    return "\n".join(lines)


def question(number: int, asked: Question) -> str:
    lines = [f"{number}. {asked.element}: {asked.text}" + (f"  ({asked.at})" if asked.at else "")]
    lines.extend(f"     {candidate}" for candidate in asked.candidates)
    return "\n".join(lines)


def summary(outcome: Outcome, style: Style = plain, verbose: int = 0) -> str:
    """What a person needs to know of an outcome."""
    if outcome.verb == "format" and outcome.data is not None and outcome.data.keys() & {"diff", "text"}:
        # stdout is a patch or the text itself, and nothing beside it but what is wrong.
        made = str(outcome.data.get("diff", outcome.data.get("text", "")))
        return "\n".join(part for part in (made.removesuffix("\n"), *map(str, outcome.findings)) if part)
    if outcome.verb == "validate" and outcome.results:
        return _validated(outcome, style)
    if outcome.data is not None and outcome.status == "delivered" and outcome.verb in _PRINTERS:
        return _PRINTERS[outcome.verb](outcome)
    if outcome.results and outcome.verb == "lineage" and outcome.status == "delivered":
        return "\n".join(_printed_lineage(result) for result in outcome.results)
    if outcome.results and outcome.verb == "check":
        return _checked(outcome, style)
    if outcome.results:
        return _batch(outcome, style)
    head = f"{style(_word(outcome), _STATUS_COLOURS[outcome.status])}" + (f"  {outcome.table}" if outcome.table else "")
    parts = [f"{head}  ({outcome.seconds:.2f} s)"]
    if outcome.verb == "plan" or verbose:
        parts.append(_plan(outcome))
    if outcome.assumptions and (outcome.verb == "plan" or verbose):
        parts.append("inferred:\n" + "\n".join(f"  {text}" for text in outcome.assumptions))
    if outcome.questions:
        parts.append("\n".join(question(number, q) for number, q in enumerate(outcome.questions, 1)))
    if outcome.error:
        parts.append(str(outcome.error))
    parts.extend(str(finding) for finding in outcome.findings)
    parts.extend(f"unchecked {a.code} {a.name}: {a.verdict.reason}" for a in outcome.unchecked)  # type: ignore[union-attr]
    if verbose and outcome.verb == "check":
        parts.append(_evidence(outcome))
    if outcome.artifacts and outcome.verb in ("build", "resume"):
        parts.append(_files(outcome))
    if outcome.report:
        parts.append(f"report: {outcome.report}")
    if outcome.next:
        parts.append(f"next: {outcome.next}")
    return "\n".join(part for part in parts if part)


def _evidence(outcome: Outcome) -> str:
    """What each gate looked at, each gate once."""
    answers = {answer.code: answer for _, answer in outcome.answers}.values()
    told = [(answer, *said(answer.verdict)) for answer in answers]
    return "\n".join(f"  {word:<9} {answer.code} {answer.name}: {text}" for answer, word, text in told)


def _plan(outcome: Outcome) -> str:
    rows = decisions(outcome.plan)
    if outcome.plan is None or not rows:
        return ""
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {d.value or '-'}  [{d.reason}]" for name, d in rows]
    lines.extend(f"  {'source':<{width}}  {s.table}  [{s.origin}]" for s in outcome.plan.sources)
    lines.extend(f"  {'file':<{width}}  {path}" for path in outcome.plan.files)
    return "\n".join(lines)


def _files(outcome: Outcome) -> str:
    lines = []
    kept = "unchanged" if outcome.status == "delivered" and not outcome.dry_run else "not written"
    for artifact in outcome.artifacts:
        state = "written" if artifact.path in outcome.changed else kept
        lines.append(f"  {artifact.path}  {state}")
    snapshots = [n for a in outcome.artifacts for n in a.notes if n.source == "snapshot"]
    if snapshots:
        lines.append(f"  {len(snapshots)} expected value(s) are snapshots of the query's own output: please read them")
    unproved = [n for a in outcome.artifacts for n in a.notes if n.source == "unproved"]
    lines.extend(f"  not proved: {note.at}: {note.text}" for note in unproved)
    return "\n".join(lines)


def _checked(outcome: Outcome, style: Style) -> str:
    """Only the models that do not pass, then how many there are with each finding."""
    lines = [line for result in outcome.results if result.status != "delivered" for line in _entry(result, style)]
    for title, entries in (("open:", outcome.data["open"]), ("could not be asked:", outcome.data["unchecked"])):
        lines.extend([title] if entries else [])
        lines.extend(f"  {entry['models']:>5}  {entry['code']} {entry['name']}" for entry in entries)
    return "\n".join([*lines, _total(outcome)])


def _batch(outcome: Outcome, style: Style) -> str:
    lines = [line for result in outcome.results for line in _entry(result, style)]
    return "\n".join([*lines, _total(outcome)])


def _entry(result: Outcome, style: Style) -> list[str]:
    """One of several: how it ended, and what is to be done about it."""
    word = style(f"{_word(result):<13}", _STATUS_COLOURS[result.status])
    what = result.table or result.requirements or (result.error.at if result.error else "") or ""
    detail = [*(str(q.element) + ": " + q.text for q in result.questions), *(str(f) for f in result.findings)]
    if result.error:
        detail.append(str(result.error))
    detail.extend(f"unchecked {a.code} {a.name}: {a.verdict.reason}" for a in result.unchecked)  # type: ignore[union-attr]
    lines = ["    " + text.replace("\n", "\n    ") for text in detail]
    return [f"{word} {what}  ({result.seconds:.2f} s)", *lines]


def _total(outcome: Outcome) -> str:
    counts: dict[str, int] = {}
    for result in outcome.results:
        counts[_word(result)] = counts.get(_word(result), 0) + 1
    total = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f"{len(outcome.results)} models: {total}  ({outcome.seconds:.2f} s)"


def _validated(outcome: Outcome, style: Style) -> str:
    """Only the files that are not accepted, then how many there are of each verdict and cause."""
    lines = []
    for result in outcome.results:
        if result.status != "delivered":
            word = style(f"{_word(result):<13}", _STATUS_COLOURS[result.status])
            lines.append(f"{word} {result.data['path']}")
            told = [*(str(finding) for finding in result.findings), *([str(result.error)] if result.error else [])]
            lines.extend("    " + text.replace("\n", "\n    ") for text in told)
    data = outcome.data
    if data["causes"]:
        lines.append("by cause:")
        lines.extend(f"  {entry['files']:>5}  {entry['verdict']}: {entry['cause']}" for entry in data["causes"])
    counts = ", ".join(f"{number} {word}" for word, number in data["verdicts"].items())
    provided = f", {data['provided']} of the accepted on a condition" if data["provided"] else ""
    lines.append(f"{data['files']} files: {counts}{provided}  ({outcome.seconds:.2f} s)")
    return "\n".join(lines)


def _printed_entries(outcome: Outcome) -> str:
    width = max((len(entry["name"]) for entry in outcome.data), default=0)
    return "\n".join(f"{entry['name']:<{width}}  {entry['about']}".rstrip() for entry in outcome.data)


def _printed_page(outcome: Outcome) -> str:
    data = outcome.data
    return f"{data['code']} {data['name']}  (phase {data['phase']}, mended in {data['owner']})\n\n{data['text']}"


def _printed_runs(outcome: Outcome) -> str:
    if not outcome.data:
        return "no runs yet"
    return "\n".join(
        f"{entry['run']}  {entry['status']:<13} {'published' if entry['published'] else '-':<9}  {entry.get('table', '')}"
        for entry in outcome.data
    )


def _printed_format(outcome: Outcome) -> str:
    changed = "".join(f"formatted {path}\n" for path in outcome.data["changed"])
    return f"{changed}{outcome.data['files']} files, {len(outcome.data['changed'])} changed  ({outcome.seconds:.2f} s)"


def _printed_schema(outcome: Outcome) -> str:
    data = outcome.data
    state = "written" if outcome.changed else "differs from the file" if data["differs"] else "as the file"
    notes = "".join(f"# {note}\n" for note in data["notes"])
    return f"# {data['path']}: {state}\n{notes}{data['text']}".rstrip()


def _printed_columns(outcome: Outcome) -> str:
    columns = "\n".join(f"  {c['name']}  {c['type']}  {c['mode']}" for c in outcome.data["columns"])
    notes = "".join(f"\n{note}" for note in outcome.data["notes"])
    return f"valid  {outcome.table}  ({outcome.seconds:.2f} s)\n{columns}{notes}"


def _printed_lineage(outcome: Outcome) -> str:
    """A line for each column, below the table it is a column of."""
    if "readers" in outcome.data:
        return _printed_readers(outcome)
    columns = outcome.data["columns"]
    width = max((len(column["name"]) for column in columns), default=0)
    lines = [f"{outcome.table}  ({outcome.seconds:.2f} s)"]
    for column in columns:
        sources = ", ".join(f"{source['table']}.{source['column']}" for source in column["sources"])
        note = f"[{column['note']}]" if column["note"] else ""
        lines.append(f"  {column['name']:<{width}}  {column['kind']:<10}  {sources}  {note}".rstrip())
    return "\n".join(lines)


def _printed_readers(outcome: Outcome) -> str:
    readers, unread = outcome.data["readers"], outcome.data["unread"]
    lines = [f"{outcome.table}: {len(readers)} readers  ({outcome.seconds:.2f} s)"]
    for reader in readers:
        lines.append(f"  {reader['table']}  {reader['path']}")
        if reader["unknown"]:
            lines.append(f"    its columns are not known: {reader['unknown']}")
        lines += [f"    {one['name']}  {one['kind']}  from {', '.join(one['from'])}" for one in reader["columns"]]
    if unread:
        more = f" and {len(unread) - 3} more" if len(unread) > 3 else ""
        lines.append(f"  not looked into, for they cannot be read: {', '.join(unread[:3])}{more}")
    return "\n".join(lines)


def _printed_tests(outcome: Outcome) -> str:
    lines = [f"{entry['verdict']}  {entry['test']}" for entry in outcome.data]
    return "\n".join([*lines, f"{len(lines)} tests of {outcome.table} passed  ({outcome.seconds:.2f} s)"])


_PRINTERS: dict[str, Callable[[Outcome], str]] = {
    "list": _printed_entries,
    "explain": _printed_page,
    "runs": _printed_runs,
    "format": _printed_format,
    "schema": _printed_schema,
    "validate": _printed_columns,
    "lineage": _printed_lineage,
    "test": _printed_tests,
    "init": lambda outcome: "\n".join([*outcome.data["files"], f"a new repository in {outcome.data['folder']}"]),
}
