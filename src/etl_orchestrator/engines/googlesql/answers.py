"""The types that functions over ANY TYPE gave before, so that the engine need not read their bodies at every call.

Reading such a body costs 20 to 40 ms a call. What a function gives depends on the types of its arguments only, so a call
that was read once becomes a signature. A last signature takes all other types and tells that the body must be read.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from etl_orchestrator.engines.googlesql.protocol import FunctionSignatureProto, SignatureArgumentKind, TypeKind
from etl_orchestrator.engines.googlesql.resolved import concrete, inherited, kind
from etl_orchestrator.engines.googlesql.routines import Known
from etl_orchestrator.engines.googlesql.text import calls
from etl_orchestrator.tools import Answers as KeptAnswers

_OTHER = 999_999  # marks the signature for types that were not met before
_MOST = 32  # signatures of one function
_LARGE = 10_000  # bytes of a signature that is not kept between runs: reading it would take as long as the body


class Answers:
    """What was learned, by routine; `kept` holds it between runs."""

    def __init__(self, kept: KeptAnswers | None = None) -> None:
        self._kept = kept
        self._digests: dict[Known, str] = {}  # of those that may be kept
        self._learned: dict[Known, dict[tuple[bytes, ...], Any]] = {}
        self._quick: dict[Known, Known] = {}

    def recall(self, routine: Known, digest: str) -> None:
        """Takes what earlier runs learned of a routine, of which the digest tells all that its types depend on."""
        if self._kept is None or not _is_lasting(routine):
            return
        self._digests[routine] = digest
        text = self._kept.recall(f"calls {digest}")
        if text is not None:
            signatures = [FunctionSignatureProto.FromString(b64decode(signature)) for signature in json.loads(text)]
            self._learned[routine] = {_types(signature): signature for signature in signatures}
            self._quick[routine] = _quickened(routine, signatures)

    def quick(self, routines: Sequence[Known]) -> tuple[Known, ...] | None:
        """The routines with what was learned in the place of bodies; None when that changes nothing.

        Those that a body calls which must be read keep theirs: what goes on inside a body no tree shows."""
        if not any(routine in self._quick for routine in routines):
            return None
        by_name = {_short(routine.path): routine for routine in routines if routine in self._quick}
        waiting = [routine for routine in routines if routine.is_templated and routine not in self._quick]
        while waiting:
            names = calls(waiting.pop().body)
            waiting += [by_name.pop(name) for name in names if name in by_name]
        kept = frozenset(by_name.values())
        return tuple(self._quick[one] if one in kept else one for one in routines) if kept else None

    def learn(self, nodes: Iterable[Any], routines: Sequence[Known]) -> None:
        """Takes the types of all calls of functions over ANY TYPE from a tree for which bodies were read."""
        by_name = {f"Templated_SQL_Function:{routine.name}": routine for routine in routines if _is_lasting(routine)}
        taught = set()
        for name, node in _calls(nodes) if by_name else ():
            routine = by_name.get(name)
            signature = inherited(node, "signature")
            if routine is None or any(
                argument.kind != SignatureArgumentKind.ARG_TYPE_FIXED for argument in signature.argument
            ):
                continue
            types = _types(signature)
            learned = self._learned.setdefault(routine, {})
            if types not in learned and len(learned) < _MOST and len(types) == len(routine.signature.argument):
                learned[types] = signature
                self._quick[routine] = _quickened(routine, learned.values())
                taught.add(routine)
        for routine in taught & self._digests.keys():
            self._keep(routine)

    def _keep(self, routine: Known) -> None:
        assert self._kept is not None  # else it has no digest
        texts = [signature.SerializeToString() for signature in self._learned[routine].values()]
        small = [b64encode(text).decode() for text in texts if len(text) <= _LARGE]
        self._kept.keep(f"calls {self._digests[routine]}", json.dumps(small))


def _types(signature: Any) -> tuple[bytes, ...]:
    return tuple(argument.type.SerializeToString(deterministic=True) for argument in signature.argument)


def _short(path: Sequence[str]) -> tuple[str, str]:
    return path[-2].lower(), path[-1].lower()


def is_doubtful(nodes: Iterable[Any]) -> bool:
    """Whether a tree made with what was learned holds a call that was not: of other types, or whose literal NULL or []
    fits every type."""
    for name, node in _calls(nodes):
        if name.startswith("Quick:"):
            if inherited(node, "signature").context_id == _OTHER:
                return True
            if any(_fits_every_type(concrete(argument)) for argument in inherited(node, "argument_list")):
                return True
    return False


def _fits_every_type(node: Any) -> bool:
    if kind(node) != "Literal":
        return False
    value = node.value.value
    return value.WhichOneof("value") is None or (value.HasField("array_value") and not value.array_value.element)


def _calls(nodes: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    return ((inherited(node, "function").name, node) for node in nodes if kind(node).endswith("FunctionCall"))


def _is_lasting(routine: Known) -> bool:
    return routine.is_templated and routine.kind == "function" and len(routine.path) > 1


def _quickened(routine: Known, learned: Iterable[Any]) -> Known:
    signatures = []
    for found in learned:
        signature = type(routine.signature)()
        signature.CopyFrom(routine.signature)
        for argument, met in zip(signature.argument, found.argument, strict=True):
            argument.kind = SignatureArgumentKind.ARG_TYPE_FIXED
            argument.num_occurrences = -1
            argument.type.CopyFrom(met.type)
        signature.return_type.CopyFrom(found.return_type)
        signatures.append(signature)
    other = type(routine.signature)()
    other.CopyFrom(routine.signature)
    other.return_type.Clear()
    other.return_type.kind = SignatureArgumentKind.ARG_TYPE_FIXED
    other.return_type.num_occurrences = -1
    other.return_type.type.type_kind = TypeKind.TYPE_INT64
    other.context_id = _OTHER
    return replace(routine, quick=(*signatures, other))
