"""A requirements file, in whichever form, as a `Request`."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import yaml_text
from etl_orchestrator.intake.markdown_form import read_markdown
from etl_orchestrator.intake.yaml_form import read_yaml
from etl_orchestrator.requirements import Query, Request

_MARKDOWN, _YAML = (".md", ".markdown", ".mdown"), (".yaml", ".yml", ".json")
_MAX_QUERY = 500_000


def read_request(path_text: str, data: bytes, default_project: str) -> Request:
    """The request in a file with this path and content. The suffix tells the form; without a known one the content does.

    Reads one further file at most, the query that `query:` names. Raises InvalidInput for everything malformed or unsafe.
    """
    text = yaml_text.decoded(data, path_text)
    digest = hashlib.sha256(data).hexdigest()
    if not text.strip():
        raise InvalidInput("the file is empty", at=path_text, fix="begin with `table: dataset.name_v1`")
    if _is_markdown(path_text, text):
        return read_markdown(text, path_text, digest, default_project)
    return read_yaml(text, path_text, digest, default_project, lambda value, at: _query(value, path_text, at))


def _is_markdown(path_text: str, text: str) -> bool:
    suffix = PurePosixPath(path_text).suffix.lower()
    if suffix in (*_MARKDOWN, *_YAML):
        return suffix in _MARKDOWN
    if re.search(r"^ {0,3}#{1,6} +\S", text, re.MULTILINE) and not re.search(r"^[a-z_]+:(?: |$)", text, re.MULTILINE):
        return True
    if re.search(r"^[a-z_]+:(?: |$)", text, re.MULTILINE):
        return False
    raise InvalidInput("it cannot be told which form the file has", at=path_text, fix="name it .md or .yaml")


def _query(value: str, path_text: str, at: str) -> Query:
    """The text of a query, or the file of it beside the requirements; never one outside that folder."""
    if "\n" in value.strip() or not value.strip().endswith(".sql"):
        if not re.match(r"\s*(?:--|#|/\*|\(|\{|SELECT\b|WITH\b|FROM\b)", value, re.IGNORECASE):
            raise InvalidInput(
                "`query` is neither the path of a .sql file nor a query", at=at, fix="write SELECT … or a path"
            )
        return Query(value, "inline")
    folder = Path(path_text).parent
    file = folder / value.strip()
    try:
        return _file(file, value, folder, at)
    except OSError as error:  # a name longer than the file system can hold, no permission
        raise InvalidInput(f"`{value}` cannot be read: {error.strerror}", at=at) from error


def _file(file: Path, value: str, folder: Path, at: str) -> Query:
    if Path(value.strip()).is_absolute() or not file.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(
            f"`{value}` lies outside the folder of the requirements", at=at, fix="put the query beside them"
        )
    if not file.is_file():
        raise InvalidInput(f"there is no file `{value}`", at=at, fix="the path is relative to the requirements file")
    if file.stat().st_size > _MAX_QUERY:
        raise InvalidInput(f"the query has more than {_MAX_QUERY} bytes", at=str(file))
    return Query(yaml_text.decoded(file.read_bytes(), str(file)), str(file))
