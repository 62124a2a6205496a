"""A metadata.yaml and a bigconfig.yml that say different things of monitoring.

What it checks
    `monitoring: enabled: true` stands in metadata.yaml of a planned model exactly when bigconfig.yml checks something; the
    collection is the same where both name one; and freshness and volume block in both or in neither.
Why
    That repository makes the one from the other: what disagrees is changed back by the next run of `monitoring update`.
Example
    metadata.yaml has no `monitoring`, and bigconfig.yml has five checks.
Repair
    Write in metadata.yaml what bigconfig.yml does, or the other way round.
"""

from __future__ import annotations

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.layout.bigconfig_yml import BigConfig
from etl_orchestrator.layout.metadata_yaml import Metadata
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

#: What that repository takes a missing key for.
_DEFAULT_BLOCKING = {"freshness": False, "volume": True}


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    bigconfig = own_files.readable_bigconfig(model)
    if isinstance(bigconfig, NotDue):
        there = model.artifact(paths.bigconfig_yml(model.table)) is not None
        if there or model.plan is None or not metadata.monitored:
            return bigconfig
        fix = "remove `monitoring`, or build it again"
        return verdict([_finding(model, "monitoring is enabled, and there is no bigconfig.yml", fix)], "")
    if not metadata.monitored:
        if model.plan is None or not bigconfig.monitors:
            return NotDue("metadata.yaml does not enable monitoring")
        message = f"bigconfig.yml has {len(bigconfig.monitors)} checks, and monitoring is not enabled"
        return verdict([_finding(model, message, "write `monitoring: {enabled: true}`")], "")
    return verdict(
        [*_collections(model, metadata, bigconfig), *_blocking(model, metadata, bigconfig)], "both say the same"
    )


def _collections(model: Model, metadata: Metadata, bigconfig: BigConfig) -> list[Finding]:
    named = metadata.monitoring.get("collection")
    if not named or not bigconfig.collections or named in bigconfig.collections:
        return []
    message = (
        f"the collection is `{named}`, in bigconfig.yml {', '.join(f'`{name}`' for name in bigconfig.collections)}"
    )
    return [_finding(model, message, "name the same collection in both")]


def _blocking(model: Model, metadata: Metadata, bigconfig: BigConfig) -> list[Finding]:
    findings = []
    for name, default in _DEFAULT_BLOCKING.items():
        checks = [one for _, one in bigconfig.monitors if one.metric.lower() == name and not one.columns]
        if model.plan is None and name not in metadata.monitoring:
            continue
        block = metadata.monitoring.get(name, {"blocking": default})
        if block is None and checks:
            message = f"{name} is switched off, and bigconfig.yml checks it"
            findings.append(_finding(model, message, f"remove `{name}:` from `monitoring`"))
        elif isinstance(block, dict) and checks and checks[0].blocking is not bool(block.get("blocking", default)):
            said, done = ("blocks", "does not") if block.get("blocking", default) else ("does not block", "does")
            message = f"{name} {said} in metadata.yaml, and in bigconfig.yml it {done}"
            fix = f"write `{name}: {{blocking: {str(checks[0].blocking).lower()}}}` under `monitoring`"
            findings.append(_finding(model, message, fix))
    return findings


def _finding(model: Model, message: str, fix: str) -> Finding:
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "monitoring")
    return found(GATE, message, f"{path}:{line}" if line else path, fix)


GATE = Gate("MON009", "monitoring_disagreement", "metadata", check)
