"""What an instance has in its memory after its start, as a file: the pages in which it differs from an instance before it.

That is a sixth of it, so that a process that begins with it touches that much less.
"""

from __future__ import annotations

import struct

_HEAD = b"etl-orchestrator memory 2\n"
_SIZE = struct.Struct("<QQ")  # of the memory; how many parts
_PART = struct.Struct("<QQ")  # where it begins; its length; what it holds comes after the last of these
_PAGE = 4096


def packed(before: bytes, after: bytes) -> bytes:
    """`before` is shorter where the memory has grown; what is added holds zeros."""
    parts: list[tuple[int, int]] = []
    for start in range(0, len(after), _PAGE):
        page = after[start : start + _PAGE]
        if page == (before[start : start + _PAGE] or bytes(len(page))):
            continue
        if parts and sum(parts[-1]) == start:
            parts[-1] = parts[-1][0], parts[-1][1] + len(page)
        else:
            parts.append((start, len(page)))
    head = _HEAD + _SIZE.pack(len(after), len(parts)) + b"".join(_PART.pack(*part) for part in parts)
    return head + b"".join(after[start : start + length] for start, length in parts)


def unpacked(content: bytes) -> tuple[int, list[tuple[int, memoryview]]] | None:
    """The size of the memory, and its parts with where they begin; None when the content is damaged."""
    if not content.startswith(_HEAD) or len(content) < len(_HEAD) + _SIZE.size:
        return None
    size, count = _SIZE.unpack_from(content, len(_HEAD))
    place = len(_HEAD) + _SIZE.size
    end = place + count * _PART.size
    if end > len(content):
        return None
    view, parts = memoryview(content), []
    for start, length in _PART.iter_unpack(view[place:end]):
        parts.append((start, view[end : end + length]))
        end += length
        if start + length > size:
            return None
    return (size, parts) if end == len(content) else None
