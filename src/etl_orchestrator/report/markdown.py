"""The Markdown report of a run: told from the journal, never from an author's memory."""

from __future__ import annotations

from collections.abc import Sequence

from etl_orchestrator.finding import Failed
from etl_orchestrator.outcome import decisions, said
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.run import Run


def report(run: Run, request_text: str, published: tuple[str, ...], began: str, dry_run: bool = False) -> str:
    """The whole report. `began` is the time of the first event of the journal, ISO 8601."""
    sections = [
        f"# {run.table}: {run.status.replace('_', ' ')}",
        run.ended,
        _summary(run, began),
        _plan(run),
        _files(run, published, dry_run),
        _provenance(run),
        _phases(run),
        _mended(run),
        _gates(run),
        _next_steps(run, published, dry_run),
        "## The request\n\n" + _fenced(request_text),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _summary(run: Run, began: str) -> str:
    seconds = sum(visit.seconds for visit in run.visits)
    rows = [
        ("Run", run.id),
        ("Began", began),
        ("Time in the rooms", f"{seconds:.2f} s"),
        ("Rooms visited", str(len(run.visits))),
        ("Gate verdicts given", str(run.asked)),
        ("Digest of the files", run.model.digest),
    ]
    return _table(("", ""), rows)


def _plan(run: Run) -> str:
    plan = run.model.plan
    if plan is None:
        return ""
    rows = [(name.replace("_", " "), decision.value or "-", decision.reason) for name, decision in decisions(plan)]
    rows += [("source", str(source.table), source.origin) for source in plan.sources]
    return "## Configuration\n\n" + _table(("Decision", "Value", "Reason"), rows) + _assumptions(run.model.requirements)


def _assumptions(requirements: Requirements | None) -> str:
    if requirements is None or not requirements.assumptions:
        return ""
    return "\n\nInferred at the door:\n\n" + "\n".join(f"- {text}" for text in requirements.assumptions)


def _files(run: Run, published: tuple[str, ...], dry_run: bool) -> str:
    kept = "unchanged" if run.status == "delivered" and not dry_run else "not written"
    rows = [
        (f"`{a.path}`", str(len(a.text.encode())), a.made_by, "written" if a.path in published else kept)
        for a in run.model.artifacts
    ]
    return "## Files\n\n" + _table(("File", "Bytes", "Made in", ""), rows) if rows else ""


def _provenance(run: Run) -> str:
    """Where descriptions and expected values came from; snapshots are listed one by one."""
    notes = [(artifact.path, note) for artifact in run.model.artifacts for note in artifact.notes]
    if not notes:
        return ""
    counts: dict[tuple[str, str], int] = {}
    for path, note in notes:
        name = "expected values" if path.startswith("tests/") else path.rsplit("/", 1)[-1]
        counts[name, note.source] = counts.get((name, note.source), 0) + 1
    rows = [(name, source, str(count)) for (name, source), count in sorted(counts.items())]
    text = "## Where it came from\n\n" + _table(("What", "Source", "How many"), rows)
    snapshots = [f"- `{path}` {note.at}: {note.text}" for path, note in notes if note.source == "snapshot"]
    if snapshots:
        text += "\n\nSnapshots of the query's own output, which prove nothing until a person has read them:\n\n"
        text += "\n".join(snapshots)
    unproved = [f"- {note.at}: {note.text}" for _, note in notes if note.source == "unproved"]
    if unproved:
        text += "\n\n**Not proved by any test:**\n\n" + "\n".join(unproved)
    return text


def _phases(run: Run) -> str:
    rows = [
        (
            visit.phase,
            visit.says or visit.trouble or "",
            f"{visit.seconds:.2f}",
            f"back to {visit.sent_back_to}" if visit.sent_back_to else "",
        )
        for visit in run.visits
    ]
    return "## Phases\n\n" + _table(("Phase", "What was decided or made", "Seconds", ""), rows)


def _mended(run: Run) -> str:
    """Findings met on the way, and whether they are gone."""
    still = set(run.findings)
    met = [(visit, finding) for visit in run.visits for finding in visit.findings]
    if not met:
        return "## Findings on the way\n\nNone."
    rows = [
        (
            f"{finding.code} {finding.name}",
            finding.message,
            visit.phase,
            "open" if finding in still else f"mended in {finding.owner}",
        )
        for visit, finding in met
    ]
    return "## Findings on the way\n\n" + _table(("Gate", "Finding", "Met in", "Outcome"), rows)


def _gates(run: Run) -> str:
    rows = [
        (phase, f"{answer.code} {answer.name}", *said(answer.verdict))
        for phase, visit in run.latest.items()
        for answer in visit.answers
    ]
    failed = sum(isinstance(a.verdict, Failed) for visit in run.latest.values() for a in visit.answers)
    head = f"## Evidence by gate\n\n{len(rows)} answers, {failed} failed, {len(run.unchecked)} could not be asked.\n\n"
    return head + _table(("Phase", "Gate", "Verdict", "Evidence"), rows)


def _next_steps(run: Run, published: tuple[str, ...], dry_run: bool) -> str:
    steps = []
    if run.status == "delivered" and published:
        steps += [
            "Read the files above",
            "Commit them and open a pull request",
            "Deploying stays with the repository's own tools",
        ]
    elif run.status == "delivered" and not dry_run:
        steps += ["Nothing to do: every file stands in the repository as it was made, unchanged"]
    elif run.status == "delivered":
        steps += ["Nothing was written: build again without --dry-run to write the files"]
    else:
        steps += [finding.fix for finding in run.findings]
        steps += [f"make it possible to ask {answer.code} {answer.name}" for answer in run.unchecked]
        steps += [f"`etl-orchestrator resume {run.id}`"]
    return "## Next steps\n\n" + "\n".join(f"- {step}" for step in steps)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"

    return "\n".join([line(head), "|" + " --- |" * len(head), *(line(row) for row in rows)])


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"
