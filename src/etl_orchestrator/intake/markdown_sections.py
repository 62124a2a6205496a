"""One reader for each heading of the Markdown form; those of tables are in `markdown_tables`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements, markdown_tables, phrases, yaml_text
from etl_orchestrator.intake.markdown_draft import Draft, code, condition_in, words
from etl_orchestrator.intake.markdown_text import Block
from etl_orchestrator.requirements import Query, RefuseWhen
from etl_orchestrator.table import Schema

_TABLE_NAME = re.compile(r"`?((?:[a-z][\w-]*\.)?\w+\.\w+)`?\Z")
_OWNER = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w./@:])[A-Za-z][\w-]*/[A-Za-z][\w-]*(?![\w./])")
_KEEP = re.compile(r"(?:please )?(?:only|keep|take|include|use|where|having|qualify|rows?|filter)\b", re.IGNORECASE)
_DROP = re.compile(
    r"(?:please )?(?:drop|exclude|remove|leave out|ignore|skip|discard|filter out|without)\b", re.IGNORECASE
)


def _title(draft: Draft, title: str, blocks: list[Block]) -> None:
    bare = re.sub(r"\s*(?:model\s+)?requirements?\s*\Z", "", title, flags=re.IGNORECASE).strip()
    if (name := _TABLE_NAME.match(bare)) and draft.table is None:
        draft.table = elements.table(name[1], draft.project, draft.at(draft.lines.get("table", 1)))
    elif bare and not phrases.is_placeholder(bare):
        draft.friendly_name = draft.friendly_name or bare
    _description(draft, title or "Text before the first heading", blocks)


def _description(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        if phrases.is_placeholder(text):
            continue
        if draft.description is None:
            draft.description = text
            draft.lines.setdefault("description", line)
        elif text != draft.description:
            draft.keep(title, text, line)
    _keep_others(draft, title, blocks)


def _table(draft: Draft, title: str, blocks: list[Block]) -> None:
    for number, (text, line) in enumerate(words(blocks)):
        if phrases.is_placeholder(text):
            continue
        if number == 0 or draft.table is None:
            told = elements.table(text.strip().strip("*"), draft.project, draft.at(line))
            if draft.table is not None and draft.table != told:
                draft.unclear("table", f"`{draft.table}` and `{told}` are both given", line)
            draft.table = draft.table or told
            draft.lines["table"] = line
        else:
            draft.keep(title, text, line)
    _keep_others(draft, title, blocks)


def _friendly_name(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks)[:1]:
        draft.friendly_name = text
        draft.lines["friendly_name"] = line


def _grain(draft: Draft, title: str, blocks: list[Block]) -> None:
    told = [(text, line, block) for (text, line), block in zip(words(blocks), _spoken(blocks), strict=True)]
    told = [one for one in told if not phrases.is_placeholder(one[0])]
    if not told:
        return
    names = [text.strip("` ") for text, _, block in told if block.kind == "item"]
    said: str | tuple[str, ...] = " ".join(text for text, _, _ in told)
    if len(names) == len(told) and all(re.fullmatch(r"\w+", name) for name in names):
        said = tuple(names)
    if draft.grain is None:
        draft.grain = said
    elif draft.grain != said:
        draft.unclear("grain", said if isinstance(said, str) else ", ".join(said), told[0][1])


def _spoken(blocks: list[Block]) -> list[Block]:
    return [block for block in blocks if block.kind in ("paragraph", "item")]


def _schemas(draft: Draft, title: str, blocks: list[Block]) -> None:
    """Fenced YAML: a table's name over the list of its fields."""
    from etl_orchestrator.intake.yaml_form import Reader, validated
    from etl_orchestrator.intake.yaml_keys import SourceKeys

    for value, document in _fences(draft, title, blocks):
        if not isinstance(value, dict):
            raise InvalidInput("schemas are lists of fields below the name of their table", at=document.at())
        for name, fields in value.items():
            full = elements.table_or_step(name, draft.project, document.at((name,)))
            fields = fields.get("fields") if isinstance(fields, dict) else fields
            keys = validated(SourceKeys, {"table": name, "schema": fields}, document, ("sources", 0))
            schema: Schema = Reader(document, draft.project).schema(keys.schema_ or [], (name,))
            draft.schemas[full] = (schema, document.at((name,)))
    for text, line in words(blocks):
        draft.keep(title, text, line)


def _fences(draft: Draft, title: str, blocks: list[Block]) -> list[tuple[yaml_text.Value, yaml_text.Document]]:
    """The documents of the YAML blocks; other fences are kept."""
    found = []
    for block in blocks:
        if block.kind != "fence":
            continue
        if block.info.split(" ")[0].lower() not in ("", "yaml", "yml", "json"):
            draft.keep(title, block.text, block.line)
            continue
        document = yaml_text.read(block.text, draft.origin, block.line + 1)
        found.append((document.value, document))
    return found


def _keep(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        if not _condition(draft, text, line):
            bare = text.strip("`. ").lower()
            if bare in ("distinct", "distinct rows", "only distinct rows", "distinct rows only"):
                draft.distinct = True
            elif bare in ("all", "all rows", "keep all rows", "everything"):
                continue
            else:
                draft.unclear("where", text, line)
    _keep_others(draft, title, blocks)


def _condition(draft: Draft, text: str, line: int) -> bool:
    """`where x`, `keep … when x`, `drop … when x`, or nothing but an expression."""
    kind = re.match(r"(where|having|qualify)\b:?\s*", text, re.IGNORECASE)
    bare = text[kind.end() :] if kind else text
    whole = code(bare) or (condition_in(bare) if kind else None)
    if whole is not None:
        draft.condition(whole, line, kind[1].lower() if kind and kind[1].lower() != "where" else "")
        return True
    ends = re.search(r"\b(?:when|where|if|with|unless)\s+(`[^`]+`)\.?\Z", text, re.IGNORECASE)
    if not ends:
        return False
    condition = ends[1].strip("`")
    keeps = bool(_KEEP.match(text)) and not re.match(r"filter out\b", text, re.IGNORECASE)
    drops = bool(_DROP.match(text))
    if keeps == drops:
        return False
    if ends[0].lower().startswith("unless"):
        keeps = not keeps
    draft.condition(condition if keeps else f"({condition}) IS NOT TRUE", line)
    return True


def _logic(draft: Draft, title: str, blocks: list[Block]) -> None:
    """Blocks of SQL are steps; a list item that keeps or drops rows by an expression is a condition; the rest is prose."""
    for block in blocks:
        if block.kind == "fence" and block.info.lower().split(" ")[0] == "sql":
            name = block.info.split(" ", 1)[1].strip().strip("`{}") if " " in block.info else ""
            draft.blocks.append((name, block.text, draft.at(block.line)))
        elif block.kind in ("fence", "table"):
            draft.keep(title, block.text, block.line)
    for text, line in words(blocks):
        if not _condition(draft, text, line):
            draft.keep(title, text, line)


def _partitioning(draft: Draft, title: str, blocks: list[Block]) -> None:
    told = [(text, line) for text, line in words(blocks) if not phrases.is_placeholder(text)]
    if not told:
        return
    said, line = ", ".join(text for text, _ in told), told[0][1]
    cut = phrases.partitioning(said)
    for name in cut.clustering:
        if name not in draft.clustering:
            draft.clustering.append(name)
    if cut.partitioning is None:
        draft.unclear("partitioning", said, line) if draft.partitioning is None else draft.keep(title, said, line)
        return
    if cut.rest:
        draft.keep(title, cut.rest, line)
    old = draft.partitioning
    if old is None:
        draft.partitioning = cut.partitioning
    elif (old.incremental, old.field, old.type) != (
        cut.partitioning.incremental,
        cut.partitioning.field,
        cut.partitioning.type,
    ):
        draft.unclear("partitioning", said, line)


def _clustering(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        if not phrases.is_placeholder(text) and text.strip(" .").lower() not in ("none", "no"):
            bare = re.sub(r"^clustered by\s+", "", text, flags=re.IGNORECASE)
            draft.clustering += phrases.names(bare.rstrip("."), "column", draft.at(line))


def _retention(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        found = re.fullmatch(r"(?:keep )?(\d+) days?\.?", text.strip(), re.IGNORECASE)
        if found:
            draft.retention = int(found[1])
        else:
            draft.keep(title, text, line)


def _schedule(draft: Draft, title: str, blocks: list[Block]) -> None:
    from etl_orchestrator.intake.yaml_keys import SCHEDULING

    options: dict[str, object] = {}
    said: list[tuple[str, int]] = []
    for text, line in words(blocks):
        key, colon, value = text.replace("`", "").partition(":")
        if colon and key.strip() in SCHEDULING:
            options[key.strip()] = yaml_text.native(yaml_text.read(value.strip() or "~", draft.origin, line).value)
        elif not phrases.is_placeholder(text):
            said.append((text, line))
    if not said and not options:
        return
    line = said[0][1] if said else draft.lines.get("schedule", 0)
    plan = phrases.schedule(", ".join(text for text, _ in said), options)
    if plan.rest:
        where = draft.unclear if plan.schedule is None and draft.schedule is None else draft.keep
        where("schedule" if where == draft.unclear else title, plan.rest, line)
    old = draft.schedule
    if old is None or plan.schedule is None:
        draft.schedule = old or plan.schedule
    elif old.dag and plan.schedule.dag and old.dag != plan.schedule.dag:
        draft.unclear("schedule", f"{old.dag} and {plan.schedule.dag} are both given", line)
    elif plan.schedule.dag and not old.dag:
        draft.schedule = replace(plan.schedule, frequency=plan.schedule.frequency or old.frequency)


def _owners(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        _owner(draft, title, text, line)
    for block in blocks:
        if block.kind == "table":
            _status_table(draft, title, block)


def _owner(draft: Draft, title: str, text: str, line: int) -> None:
    found = _OWNER.findall(text.replace("mailto:", ""))
    if not found:
        draft.keep(title, text, line)
    draft.owners += found


def _status_table(draft: Draft, title: str, block: Block) -> None:
    for row in block.rows[1:]:
        label, value = row.cells[0], " | ".join(row.cells[1:])
        if phrases.is_placeholder(value) or not value.strip():
            continue
        if "owner" in label.lower():
            _owner(draft, f"{title}: {label}", value, row.line)
        else:
            draft.keep(title, f"{label}: {value}", row.line)


def _tier(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        if not phrases.is_placeholder(text):
            draft.tier = elements.tier(text.strip(" .*"), draft.at(line))


def _consumers(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, _ in words(blocks):
        if not phrases.is_placeholder(text) and text.strip(" .").lower() not in ("none", "nobody yet"):
            draft.consumers += [item.rstrip(".") for item in phrases.listed(text)]
    _keep_others(draft, title, blocks)


def _labels(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        for part in re.split(r"[,;]", text):
            key, colon, value = part.replace("`", "").partition(":" if ":" in part else "=")
            if colon and value.strip() and re.fullmatch(r"[\w-]+", key.strip()):
                draft.labels[key.strip()] = yaml_text.native(yaml_text.Plain(value.strip()))
            else:
                draft.keep(title, part, line)


def _monitoring(draft: Draft, title: str, blocks: list[Block]) -> None:
    for value, document in _fences(draft, title, blocks):
        told = [yaml_text.native(check) for check in (value if isinstance(value, list) else [value])]
        checks = tuple(check for check in told if isinstance(check, dict))
        if len(checks) != len(told):
            raise InvalidInput("explicit checks are a list of keys with values", at=document.at())
        draft.monitoring = checks
    for text, line in words(blocks):
        word = text.strip(" .`*").lower()
        if word in ("auto", "automatic", "by the rule", "yes"):
            draft.monitoring = "auto"
        elif word in ("none", "no", "no monitoring", "off"):
            draft.monitoring = "none"
        else:
            draft.keep(title, text, line)


def _examples(draft: Draft, title: str, blocks: list[Block]) -> None:
    from etl_orchestrator.intake.yaml_form import Reader, validated
    from etl_orchestrator.intake.yaml_keys import ExampleKeys

    heading = ""
    for block in blocks:
        if block.kind in ("heading", "label"):
            heading = block.text
        for value, document in _fences(draft, title, [block]):
            items = value if isinstance(value, list) else [value]
            keys = [validated(ExampleKeys, item, document, ("examples", number)) for number, item in enumerate(items)]
            for example in Reader(document, draft.project).examples(keys, ()):
                number = len(draft.examples) + 1
                unnamed = re.fullmatch(r"example \d+", example.name)
                draft.examples.append(replace(example, name=heading or f"example {number}") if unnamed else example)
                heading = ""
    for text, line in words([block for block in blocks if block.kind != "label"]):
        draft.keep(title, text, line)


def _query(draft: Draft, title: str, blocks: list[Block]) -> None:
    for block in blocks:
        if block.kind == "fence":
            if draft.query is not None:
                raise InvalidInput("two queries are given", at=draft.at(block.line), fix="keep one of them")
            draft.query = Query(block.text, "inline")
    for text, line in words(blocks):
        draft.keep(title, text, line)


def _python(draft: Draft, title: str, blocks: list[Block]) -> None:
    said = " ".join(text for text, _ in words(blocks) if not phrases.is_placeholder(text))
    draft.python = said or None


def _refuse_when(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        found = re.match(r"`([^`]+)`\s*[:–—-]\s*(.+)\Z", text)
        if found:
            draft.lines[f"refuse_when.{len(draft.refuse_when)}"] = line
            draft.refuse_when.append(RefuseWhen(elements.expression(found[1], draft.at(line)) or "", found[2]))
        else:
            draft.keep(title, text, line)


def _kept(draft: Draft, title: str, blocks: list[Block]) -> None:
    for text, line in words(blocks):
        draft.keep(title, text, line)
    _keep_others(draft, title, blocks)


def _keep_others(draft: Draft, title: str, blocks: list[Block]) -> None:
    """Tables and fences where none is expected."""
    for block in blocks:
        if block.kind in ("table", "fence"):
            draft.keep(title, block.text, block.line)


READERS: Mapping[str, Callable[[Draft, str, list[Block]], None]] = {
    "title": _title,
    "table": _table,
    "friendly_name": _friendly_name,
    "description": _description,
    "grain": _grain,
    "sources": markdown_tables.sources,
    "schemas": _schemas,
    "keep": _keep,
    "columns": markdown_tables.columns,
    "derived": markdown_tables.derived,
    "logic": _logic,
    "parameters": markdown_tables.parameters,
    "partitioning": _partitioning,
    "clustering": _clustering,
    "retention": _retention,
    "schedule": _schedule,
    "owners": _owners,
    "status": _owners,
    "tier": _tier,
    "consumers": _consumers,
    "labels": _labels,
    "monitoring": _monitoring,
    "examples": _examples,
    "query": _query,
    "python": _python,
    "refuse_when": _refuse_when,
    "kept": _kept,
}
