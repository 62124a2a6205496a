"""A query.py that lacks a part which every one of them needs.

What it checks
    A module docstring; the flags --date, --project, --dataset and --table; a call that loads rows; for an incremental
    model the `$` of a partition; a `__main__` guard; no timeout left out of a call of `requests`.
Why
    The scheduler passes these flags, a load without a partition replaces the whole table, and a request without a
    timeout holds a worker for ever.
Example
    `parser.add_argument("--date")` is there, `--table` is not.
Repair
    Add what is missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_FLAGS = ("--date", "--project", "--dataset", "--table")
_LOADS = {
    "load_table_from_json", "load_table_from_dataframe", "load_table_from_uri", "load_table_from_file",
    "insert_rows_json", "insert_rows", "copy_table",
}  # fmt: skip
_VERBS = {"get", "post", "put", "patch", "delete", "request"}


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.query_py(model.table)
    text = model.text(path)
    if text is None:
        return NotDue("the model has no query.py")
    if model.requirements is None:
        return NotDue("no requirements stand behind this table")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return NotDue("it does not compile (see uncompilable_python)")
    findings = [
        found(GATE, message, f"{path}:{line}" if line else path, fix)
        for line, message, fix in _lacks(tree, text, model.requirements.partitioning.incremental)
    ]
    return verdict(findings, "docstring, flags, load and guard are there")


def _lacks(tree: ast.Module, text: str, incremental: bool) -> Iterator[tuple[int, str, str]]:
    """Line (0: nowhere), what is missing, and the fix."""
    if not ast.get_docstring(tree):
        yield 1, "it has no module docstring", "say in one line what it loads, and from where"
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    flags = {
        argument.value
        for call in calls
        if _name(call) in {"add_argument", "option"}
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    for flag in _FLAGS:
        if flag not in flags:
            yield 0, f"it has no flag {flag}", f'parser.add_argument("{flag}")'
    if not any(_name(call) in _LOADS or _queries_into(call) for call in calls):
        yield 0, "nothing in it loads rows into the table", "call client.load_table_from_json"
    if incremental and "$" not in text and "destination" not in text:
        yield 0, "it is incremental and names no partition", 'load into "…$" + the day as YYYYMMDD'
    if not any(isinstance(node, ast.If) and "__name__" in ast.dump(node.test) for node in tree.body):
        yield 0, "it does nothing when it is run", 'call main() under `if __name__ == "__main__":`'
    for call in calls:
        if _is_request(call) and not any(keyword.arg in {"timeout", None} for keyword in call.keywords):
            yield call.lineno, "a request without a timeout waits for ever", "pass timeout="


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _queries_into(call: ast.Call) -> bool:
    return _name(call) == "QueryJobConfig" and any(keyword.arg == "destination" for keyword in call.keywords)


def _is_request(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _VERBS
        and isinstance(function.value, ast.Name)
        and function.value.id in {"requests", "session"}
    )


GATE = Gate("QRY018", "incomplete_python", "query", check)
