"""A grain that no check holds.

What it checks
    In a monitored table every column of the grain is checked for NULL, and the grain for duplicates. A grain of several
    columns is due only where the repository has a saved metric for as many, which Bigeye needs.
Why
    A duplicated key doubles every sum behind it, and nothing fails.
Example
    One row per order_date and country; bigconfig.yml checks freshness and volume only.
Repair
    Add is_not_null and is_unique (or composite_key_uniqueness_…) for the columns of the grain.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.layout.bigconfig_yml import COMPOSITE_KEYS
from etl_orchestrator.model import Model
from etl_orchestrator.monitors.check import saved_metrics
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_NOT_NULL = frozenset({"is_not_null", "is_99_percent_not_null", "PERCENT_NULL", "PERCENT_NOT_NULL", "COUNT_NULL"})
_UNIQUE = frozenset({"is_unique", "COUNT_DUPLICATES", "PERCENT_UNIQUE", *COMPOSITE_KEYS.values()})


def check(model: Model, tools: Tools) -> Verdict:
    requirements, plan = model.requirements, model.plan
    if requirements is None or plan is None or not plan.monitored:
        return NotDue("no plan monitors the table")
    keys = requirements.keys
    if not keys:
        return NotDue("the grain has no key columns")
    bigconfig = own_files.readable_bigconfig(model)
    if isinstance(bigconfig, NotDue):
        return bigconfig
    path = paths.bigconfig_yml(model.table)
    own = [monitor for table, monitor in bigconfig.monitors if table == model.table]
    held = {column for monitor in own if monitor.metric in _NOT_NULL for column in monitor.columns}
    findings = [
        found(GATE, f"nothing checks the key `{key}` for NULL", path, f"add is_not_null of {key}")
        for key in keys
        if key not in held
    ]
    unique = [set(monitor.columns) for monitor in own if monitor.metric in _UNIQUE]
    field = plan.partition.field if plan.partition else None
    # A check within one partition leaves the partition's own column out.
    enough = any(set(keys) - {field} <= columns <= set(keys) or columns == set(keys) for columns in unique if columns)
    if not enough and _can_be_checked(keys, field, saved_metrics(tools.catalog)):
        words = " and ".join(f"`{key}`" for key in keys)
        findings.append(
            found(GATE, f"nothing checks {words} for duplicates", path, "add a uniqueness check of the grain")
        )
    return verdict(findings, f"NULL and duplicates of {', '.join(keys)}")


def _can_be_checked(keys: tuple[str, ...], field: str | None, saved: frozenset[str]) -> bool:
    """One column always; several by a saved metric, the partition left out of a grain that is too long otherwise."""
    longest = max(COMPOSITE_KEYS)
    left = [key for key in keys if key != field] if len(keys) > longest else list(keys)
    return len(keys) == 1 or COMPOSITE_KEYS.get(len(left)) in saved


GATE = Gate("MON008", "unmonitored_key", "monitoring", check)
