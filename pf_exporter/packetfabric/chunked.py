"""HTTP chunked bodies, yielded as their bytes arrive: many small chunks at once, a slow chunk in parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead
from typing import Protocol

MAX_LINE_BYTES = 65_536
"""Bytes of a chunk's size line while its end has not arrived."""

# After the content of each chunk; 15 digits are more than any chunk has and fit into the positions of re.
_SIZE_LINE = re.compile(rb"\r\n([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")


class BufferedFile(Protocol):
    """A file as a socket's ``makefile`` returns it."""

    def read1(self, size: int, /) -> bytes:
        """Read up to ``size`` bytes, with one system call at most; no bytes at the end."""


def read_chunks(file: BufferedFile, limit: int) -> Iterator[bytes]:
    """Yield the content of a chunked body: for each read of up to ``limit`` bytes, all that it brought.

    ``file`` is the buffered file of the connection after the headers. The connection is of no use afterwards:
    trailers are not read, and bytes after the body may have been. Raises HTTPException if the framing is
    invalid or incomplete, after the content before that, and what reading raises.

    http.client and urllib3 read one chunk at a time, which takes several times as long for small chunks.
    """
    data, end, size = b"\r\n", 0, 1  # as after a first chunk
    while size:
        # The content of the last chunk ends at ``end``: in the data, or after bytes that are still to come.
        unread, end = data[end:], max(end - len(data), 0)
        if len(unread) > MAX_LINE_BYTES:
            raise HTTPException("line too long")
        received = file.read1(limit)
        if not received:
            raise IncompleteRead(b"")
        data = unread + received
        parts = [data[:end]]
        while size and (line := _SIZE_LINE.match(data, end)):
            start, size = line.end(), int(line[1], 16)
            end = start + size
            parts.append(data[start:end])
        if content := b"".join(parts):
            yield content
        if size and b"\n" in data[end + 2 :]:
            raise HTTPException("not the size of a chunk")
