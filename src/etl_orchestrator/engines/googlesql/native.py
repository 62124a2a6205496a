"""Functions of BigQuery that Python computes, because neither the evaluator nor SQL can: see `computed`."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from functools import cache

from publicsuffixlist import PublicSuffixList

from etl_orchestrator.engines.googlesql.computed import Computed, Failed
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value


def public_suffix(host: str) -> str | None:
    """The part of the host, spelled as there, that is a public suffix; private domains are none, as BigQuery says."""
    labels = _labels(host)
    count = _suffix_length(labels)
    return ".".join(labels[-count:]) if count else None


def registered_domain(host: str) -> str | None:
    """The public suffix and the label before it; None without one."""
    labels = _labels(host)
    count = _suffix_length(labels)
    return ".".join(labels[-count - 1 :]) if count and len(labels) > count else None


def _labels(host: str) -> list[str]:
    """Dots before and after the host are left out; dots side by side in it make it none."""
    labels = host.strip(".。．｡").replace("。", ".").replace("．", ".").replace("｡", ".").split(".")
    return labels if all(labels) else []


def _suffix_length(labels: list[str]) -> int:
    if not labels or labels[-1].isdigit() or "[" in labels[0]:
        return 0
    found = _suffixes().publicsuffix(".".join(labels).lower())
    return found.count(".") + 1 if found else 0


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", composed.casefold())


def _to_base32(text: str) -> str:
    return base64.b32encode(base64.b64decode(text)).decode()


def _from_base32(text: str) -> bytes:
    try:
        return base64.b32decode(text)
    except ValueError:
        raise Failed(f"Failed to decode invalid base32 string: {text}") from None


def _of_one(name: str, takes: str, gives: str, compute: Callable[[str], Value]) -> Computed:
    """A function of one argument, which is NULL for NULL."""

    def of_key(key: str) -> Value:
        given = json.loads(key)["value"]
        return None if given is None else compute(given)

    return Computed(name, (Field("value", takes),), Field("result", gives), of_key)


def native_functions() -> dict[str, Computed]:
    """A new set of them by name, nothing known yet."""
    found = [
        _of_one("public_suffix", "STRING", "STRING", public_suffix),
        _of_one("registered_domain", "STRING", "STRING", registered_domain),
        _of_one("folded", "STRING", "STRING", _folded),
        _of_one("nfkc", "STRING", "STRING", lambda text: unicodedata.normalize("NFKC", text)),
        _of_one("nfkd", "STRING", "STRING", lambda text: unicodedata.normalize("NFKD", text)),
        _of_one("to_base32", "BYTES", "STRING", _to_base32),
        _of_one("from_base32", "STRING", "BYTES", _from_base32),
    ]
    return {function.name: function for function in found}
