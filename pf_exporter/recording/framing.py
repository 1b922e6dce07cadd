"""Framing of a stream: cuts its bytes where an event or a comment ends; performs no I/O."""

from __future__ import annotations

import re

from pf_exporter.packetfabric import MAX_EVENT_BYTES

NEWLINES = re.compile(rb"[\r\n]+")
# After the end of a line, each further newline is a blank line; CRLF is one newline.
EVENT_ENDS = re.compile(rb"(?:\r\n|\r(?!\n)|\n)[\r\n]+")
_ONE_EVENT = re.compile(rb"[^:\r\n][^\r\n]*\n(?:[^\r\n]+\n)*\n")


class FrameSplitter:
    """Cuts chunks of bytes into frames; the frames and the rest together are exactly the bytes pushed.

    An event ends with its blank line. A comment between events, such as a heartbeat, ends with its line,
    because a blank line need not follow. A frame is returned as soon as the byte that ends it arrives;
    newlines that arrive later, such as the LF of a CRLF cut in two, are a separate frame.

    A frame longer than ``limit`` bytes is returned in pieces, so that memory is bounded by ``limit`` and the
    largest chunk. Time is linear in the bytes.

    >>> splitter = FrameSplitter()
    >>> splitter.push(b": heartbeat\\ndata: 1"), splitter.push(b"\\n\\ndata"), splitter.rest()
    ([b': heartbeat\\n'], [b'data: 1\\n\\n'], b'data')
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._pending = bytearray()

    def push(self, chunk: bytes) -> list[bytes]:
        """Return the frames that end in this chunk, in order."""
        pending = self._pending
        if not pending and _ONE_EVENT.fullmatch(chunk):
            return [chunk]
        # Earlier bytes were searched already; only the last two may be the start of a frame end.
        search_from = max(len(pending) - 2, 0)
        pending += chunk
        found = []
        start = 0
        while start < len(pending):
            ends = NEWLINES if pending.startswith(b":", start) else EVENT_ENDS
            end = NEWLINES.match(pending, start) or ends.search(pending, max(search_from, start))
            if end is None:
                break
            found.append(bytes(pending[start : end.end()]))
            start = end.end()
        while len(pending) - start > self._limit:
            found.append(bytes(pending[start : start + self._limit]))
            start += self._limit
        del pending[:start]
        return found

    def rest(self) -> bytes:
        """Return and clear the bytes after the last frame."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest
