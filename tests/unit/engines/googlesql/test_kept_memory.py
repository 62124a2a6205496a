"""The memory of an engine as a file."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql.kept_memory import packed, unpacked

_PAGE = 4096
_BEFORE = b"a" * _PAGE + b"b" * _PAGE + b"c" * _PAGE
#: The second page has changed, the third holds zeros now; of two that were added the last is used.
_AFTER = b"a" * _PAGE + b"B" * _PAGE + bytes(2 * _PAGE) + b"e" * _PAGE


def test_what_differs_is_enough() -> None:
    content = packed(_BEFORE, _AFTER)
    found = unpacked(content)
    assert found
    size, parts = found
    memory = bytearray(_BEFORE.ljust(size, b"\0"))
    for start, part in parts:
        memory[start : start + len(part)] = part
    assert memory == _AFTER
    assert [start for start, _ in parts] == [_PAGE, 4 * _PAGE]
    assert len(content) < 4 * _PAGE


def test_nothing_differs() -> None:
    assert unpacked(packed(_BEFORE, _BEFORE)) == (len(_BEFORE), [])


@pytest.mark.parametrize("missing", [1, _PAGE, 3 * _PAGE, 3 * _PAGE + 20, 3 * _PAGE + 40])
def test_a_content_that_was_cut_is_damaged(missing: int) -> None:
    assert unpacked(packed(_BEFORE, _AFTER)[:-missing]) is None


def test_a_content_of_another_kind_is_damaged() -> None:
    content = packed(_BEFORE, _AFTER)
    assert unpacked(content + b"more") is None
    assert unpacked(content.replace(b"memory 2", b"memory 1")) is None
    place = content.index((5 * _PAGE).to_bytes(8, "little"))
    smaller = content[:place] + (4 * _PAGE).to_bytes(8, "little") + content[place + 8 :]
    assert unpacked(smaller) is None  # a part is beyond the memory
