"""Tests told to a person: why each failed, cell by cell; and to a build server, as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from etl_orchestrator.layout.sql_test_compare import Difference, shown, typed
from etl_orchestrator.proving.suite import Ran
from etl_orchestrator.report.terminal import Style, plain

_COLOURS = {"passed": "green", "failed": "red", "refused": "yellow"}
_ROWS = 20
_WIDTH = 60
#: What no XML document may hold.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def line(ran: Ran, style: Style = plain) -> str:
    """One test on one line."""
    note = f"  {ran.trial.detail}" if ran.status == "passed" and ran.trial.detail else ""
    return f"{style(ran.verdict, _COLOURS[ran.status])}  {ran.place.id}  ({ran.seconds:.2f} s){note}"


def failure(ran: Ran, style: Style = plain, verbose: int = 0) -> str:
    """Why a test did not pass: what differs as a table of cells, the place of a problem; with `verbose` the SQL too."""
    trial = ran.trial
    at = trial.problem.place(trial.at) if trial.problem else trial.at
    parts = [line(ran, style), f"  at {at}"]
    if trial.differences:
        parts += [f"  {text}" for text in _table(trial.differences)]
    else:
        parts.append(f"  {trial.detail}")
    if trial.fix:
        parts.append(f"  fix: {trial.fix}")
    if verbose and trial.sql:
        parts += ["  the SQL as it ran:", *_numbered(trial.sql, trial.problem.line if trial.problem else 0)]
    return "\n".join(parts)


def summary(ran: Sequence[Ran], seconds: float) -> str:
    """How many ended how."""
    counts = {status: sum(1 for one in ran if one.status == status) for status in ("passed", "failed", "refused")}
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{len(ran)} tests: {told}  ({seconds:.2f} s)"


def _table(differences: Sequence[Difference]) -> list[str]:
    """A line for each cell; an expected row stands against the row of the result that is most like it."""
    rows = [("row", "column", "expected", "got"), *map(_cells, differences[:_ROWS])]
    widths = [min(max(len(row[place]) for row in rows), _WIDTH) for place in range(3)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    more = len(differences) - _ROWS
    return [text.rstrip() for text in lines] + ([f"and {more} more differences"] if more > 0 else [])


def _cells(difference: Difference) -> tuple[str, str, str, str]:
    row = str(difference.row + 1) if difference.row >= 0 else "-"
    one, other = difference.expected, difference.actual
    match difference.kind:
        case "missing row":
            return row, "(the row)", shown(one), "nothing"
        case "extra row":
            return row, "(a row)", "nothing", shown(other)
        case "missing column":
            return row, difference.column, shown(one), "no such column"
        case "extra column":
            return row, difference.column, "no such column", shown(other)
        case "absent":
            return row, difference.column, "absent", "NULL"
        case "type":
            return row, difference.column, typed(one), typed(other)
        case _:
            return row, difference.column, shown(one), shown(other)


def _numbered(sql: str, marked: int) -> list[str]:
    return [
        f"  {'>' if number == marked else ' '}{number:>5} {text}"
        for number, text in enumerate(sql.rstrip().split("\n"), 1)
        if text.strip() or number == marked
    ]


def junit(ran: Sequence[Ran], seconds: float) -> str:
    """A <testsuite>; a test that could not be run here is an <error>, for it has not passed."""
    counts = {status: sum(1 for one in ran if one.status == status) for status in ("failed", "refused")}
    suite = ElementTree.Element(
        "testsuite",
        name="etl-orchestrator",
        tests=str(len(ran)),
        failures=str(counts["failed"]),
        errors=str(counts["refused"]),
        time=f"{seconds:.3f}",
    )
    for one in ran:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=one.place.path.replace("/", "."),
            name=one.place.name,
            time=f"{one.seconds:.3f}",
        )
        if one.status != "passed":
            kind = "failure" if one.status == "failed" else "error"
            told = ElementTree.SubElement(case, kind, type=one.trial.cause, message=_NO_XML.sub("?", one.trial.detail))
            told.text = _NO_XML.sub("?", failure(one))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
