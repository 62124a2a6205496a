"""Answers to questions: `element=value` put into a request, in the same few words as the Markdown cells.

An element is a path: `grain`, `partitioning`, `schedule.dag`, `sources.1.join`, `columns.region.expression`,
`steps.enrolled.sources.0.table`, `on_init.where`. Sources and columns are counted from 0 or named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements, phrases, yaml_text
from etl_orchestrator.intake.body_answers import BODY_ELEMENTS, body_with
from etl_orchestrator.intake.markdown_draft import UNCLEAR
from etl_orchestrator.requirements import Body, Parameter, Partitioning, Query, Request, Schedule
from etl_orchestrator.sql import scan

Apply = Callable[[Request, str, str], Request]


def apply_answers(request: Request, answers: Mapping[str, str]) -> Request:
    """The request with the answers in it and kept in `answers`; later ones win. Raises InvalidInput for an element that
    does not exist (with the nearest one) and for a value that cannot be read."""
    for element, value in answers.items():
        at = f"--answer {element}"
        text = yaml_text.decoded(value.encode("utf-8", "surrogatepass"), at).strip()
        try:
            request = _applied(request, element.strip(), text, at)
        except InvalidInput as error:
            raise InvalidInput(error.message, at=error.at or at, fix=error.fix) from None
        prose = tuple(one for one in request.prose if not _settles(element, one.where))
        request = replace(request, prose=prose, answers={**request.answers, element: text})
    return request


def _settles(element: str, where: str) -> bool:
    """Whether an answer makes clear what was unclear: of the element itself, a part of it, or the whole around it."""
    if not where.endswith(UNCLEAR):
        return False
    asked = where.removesuffix(UNCLEAR)
    return asked == element or asked.startswith(f"{element}.") or element.startswith(f"{asked}.")


def _applied(request: Request, element: str, text: str, at: str) -> Request:
    first, _, rest = element.partition(".")
    if first == "steps" and "." in rest:
        return _step(request, rest, text, at)
    if first == "on_init" and rest:
        return replace(
            request, on_init=body_with(request.on_init or Body(), rest.split("."), text, request.project, at)
        )
    if first in BODY_ELEMENTS:
        return replace(request, body=body_with(request.body, element.split("."), text, request.project, at))
    if first in ("partitioning", "schedule") and rest:
        return _PARTS[first](request, rest, text, at)
    if first == "parameters":
        return _parameter(request, rest, text, at)
    if first not in _WHOLE or rest:
        known = [*_WHOLE, *BODY_ELEMENTS, "parameters", "steps.NAME.…", "on_init.…"]
        raise InvalidInput(f"there is no element `{element}`", at=at, fix=elements.suggestion(element, known))
    if not text and first not in ("owners", "consumers", "clustering", "labels", "notes"):
        raise InvalidInput(f"the answer to `{element}` is empty", at=at)
    return _WHOLE[first](request, text, at)


def _step(request: Request, rest: str, text: str, at: str) -> Request:
    name, _, element = rest.partition(".")
    if name not in {step.name for step in request.steps}:
        names = [step.name for step in request.steps]
        raise InvalidInput(f"there is no step `{name}`", at=at, fix=elements.suggestion(name, names) if names else None)
    steps = []
    for step in request.steps:
        if step.name == name and element.startswith("on_init."):
            first = body_with(step.on_init or Body(), element.split(".")[1:], text, request.project, at)
            step = replace(step, on_init=first)
        elif step.name == name:
            step = replace(step, body=body_with(step.body, element.split("."), text, request.project, at))
        steps.append(step)
    return replace(request, steps=tuple(steps))


def _grain(request: Request, text: str, at: str) -> Request:
    names = [part.strip("`[] ") for part in text.strip("[]").split(",")]
    listed = all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in names)
    return replace(request, grain=tuple(names) if listed else text)


def _partitioning(request: Request, text: str, at: str) -> Request:
    cut = phrases.partitioning(text)
    if cut.partitioning is None or cut.rest:
        raise InvalidInput(
            f"{scan.shown(cut.rest or text)} is not understood as a partitioning",
            at=at,
            fix="write `daily on submission_date`, `full refresh`, with `clustered by a`, `keep 90 days`, `filter required`",
        )
    old, new = request.partitioning, cut.partitioning
    if old is not None:
        new = replace(
            new,
            expiration_days=old.expiration_days if new.expiration_days is None else new.expiration_days,
            require_filter=old.require_filter if new.require_filter is None else new.require_filter,
            write=new.write or old.write,
        )
    return replace(request, partitioning=new, clustering=cut.clustering or request.clustering)


def _schedule(request: Request, text: str, at: str) -> Request:
    bare = text.strip("` ")
    old = request.schedule or Schedule()
    if re.fullmatch(r"[a-z]\w*_\w+", bare):
        return replace(request, schedule=replace(old, dag=bare, none=None))
    told = phrases.schedule(text)
    if told.schedule is None or told.rest:
        raise InvalidInput(
            f"{scan.shown(told.rest or text)} is not understood as a schedule",
            at=at,
            fix="write the name of a DAG, `daily, product: search`, or `none: reason`",
        )
    return replace(request, schedule=replace(told.schedule, options=old.options))


def _schedule_part(request: Request, key: str, text: str, at: str) -> Request:
    from etl_orchestrator.intake.yaml_form import FREQUENCIES
    from etl_orchestrator.intake.yaml_keys import SCHEDULING

    old = request.schedule or Schedule()
    if key == "frequency":
        return replace(request, schedule=replace(old, frequency=elements.choice(text, FREQUENCIES, "frequency", at)))
    if key in ("dag", "product", "none"):
        told: dict[str, Any] = {key: text.strip("` ") or None}
        return replace(request, schedule=replace(old, **told))
    if key not in SCHEDULING:
        known = ("dag", "frequency", "product", "none", *SCHEDULING)
        raise InvalidInput(f"there is no element `schedule.{key}`", at=at, fix=elements.suggestion(key, known))
    value = yaml_text.native(yaml_text.read(text or "~", at).value)
    return replace(request, schedule=replace(old, options={**old.options, key: value}))


def _partitioning_part(request: Request, key: str, text: str, at: str) -> Request:
    from etl_orchestrator.intake.yaml_form import PARTITION_TYPES, WRITES

    known = [field.name for field in fields(Partitioning)]
    if key not in known:
        raise InvalidInput(f"there is no element `partitioning.{key}`", at=at, fix=elements.suggestion(key, known))
    old = request.partitioning or Partitioning(incremental=True)
    value: object = text
    if key in ("incremental", "require_filter", "ingestion_time"):
        value = _flag(text, at)
    elif key == "expiration_days":
        value = None if text.lower() in ("", "none", "null") else _number(text, at)
    elif key == "type":
        value = elements.choice(text, PARTITION_TYPES, "type of partitioning", at)
    elif key == "write":
        value = elements.choice(text, WRITES, "way of writing", at)
    elif key == "field":
        value = elements.name(text, "column", at)
    return replace(request, partitioning=replace(old, **{key: value}))  # type: ignore[arg-type]


def _flag(text: str, at: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "yes", "false", "no"):
        raise InvalidInput(f"{scan.shown(text)} is neither true nor false", at=at)
    return word in ("true", "yes")


def _number(text: str, at: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text.strip()):
        raise InvalidInput(f"{scan.shown(text)} is not a whole number", at=at)
    return int(text)


def _parameter(request: Request, name: str, text: str, at: str) -> Request:
    """`parameters=download_date DATE {{ds}}` or `parameters.download_date=DATE {{ds}}`."""
    words = f"{name} {text}".split(None, 2)
    if len(words) != 3:
        raise InvalidInput(
            f"{scan.shown(text)} is not understood as a parameter",
            at=at,
            fix="write `name TYPE value`: day DATE {{ds}}",
        )
    told = elements.parameter(words[0], words[1], words[2], at)
    others: tuple[Parameter, ...] = tuple(one for one in request.parameters if one.name != told.name)
    return replace(request, parameters=(*others, told))


def _labels(request: Request, text: str, at: str) -> Request:
    labels = dict(request.labels)
    for part in phrases.listed(text):
        key, _, value = part.partition(":" if ":" in part else "=")
        if not re.fullmatch(r"[\w-]+", key.strip()) or not value.strip():
            raise InvalidInput(f"{scan.shown(part)} is not a label", at=at, fix="write key: value, key: value")
        labels[key.strip()] = yaml_text.native(yaml_text.Plain(value.strip()))
    return replace(request, labels=labels)


def _examples(request: Request, text: str, at: str) -> Request:
    from etl_orchestrator.intake.yaml_form import Reader, validated
    from etl_orchestrator.intake.yaml_keys import ExampleKeys

    document = yaml_text.read(text, at)
    items = document.value if isinstance(document.value, list) else [document.value]
    keys = [validated(ExampleKeys, item, document, ("examples", n)) for n, item in enumerate(items)]
    return replace(request, examples=Reader(document, request.project).examples(keys, ()))


def _query(request: Request, text: str, at: str) -> Request:
    if not re.match(r"\s*(?:SELECT|WITH|--|\()", text, re.IGNORECASE):
        raise InvalidInput("the answer is no query", at=at, fix="write SELECT …; a path belongs into the file")
    return replace(request, query=Query(text, "inline"))


def _table(request: Request, text: str, at: str) -> Request:
    return replace(request, table=elements.table(text, request.project or None, at))


def _monitoring(request: Request, text: str, at: str) -> Request:
    word = elements.choice(text, ("auto", "none"), "way of monitoring", at) or "auto"
    return replace(request, monitoring=word)


_WHOLE: Mapping[str, Apply] = {
    "table": _table,
    "description": lambda request, text, at: replace(request, description=text),
    "friendly_name": lambda request, text, at: replace(request, friendly_name=text),
    "grain": _grain,
    "partitioning": _partitioning,
    "clustering": lambda request, text, at: replace(request, clustering=phrases.names(text, "column", at)),
    "schedule": _schedule,
    "owners": lambda request, text, at: replace(request, owners=tuple(phrases.listed(text))),
    "tier": lambda request, text, at: replace(request, tier=elements.tier(text, at)),
    "consumers": lambda request, text, at: replace(request, consumers=tuple(phrases.listed(text))),
    "monitoring": _monitoring,
    "labels": _labels,
    "examples": _examples,
    "query": _query,
    "python": lambda request, text, at: replace(request, python=text),
    "notes": lambda request, text, at: replace(request, notes=text or None),
}
_PARTS: Mapping[str, Callable[[Request, str, str, str], Request]] = {
    "partitioning": _partitioning_part,
    "schedule": _schedule_part,
}
