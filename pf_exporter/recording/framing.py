"""The frames of a stream, as received: byte for byte, cut where an event or a comment ends. No I/O."""

from __future__ import annotations

import re

from pf_exporter.packetfabric import MAX_EVENT_BYTES

_NEWLINES = re.compile(rb"[\r\n]+")
# After the end of a line each further newline is a blank line; CRLF is one newline, never two.
_EVENT_ENDS = re.compile(rb"(?:\r\n|\r(?!\n)|\n)[\r\n]+")
_ONE_EVENT = re.compile(rb"[^:\r\n][^\r\n]*\n(?:[^\r\n]+\n)*\n")


class FrameSplitter:
    """Cuts chunks of bytes into frames; frames and rest together are exactly what was pushed.

    An event ends with its blank line. A comment between events, which is what a heartbeat is, ends with its
    own line, because no blank line need follow. A frame is out as soon as the byte that ends it is there:
    newlines that come later, such as the LF of a CRLF cut in two, are a frame of their own.

    A frame without an end is handed out in pieces of ``limit`` bytes, so that memory is bounded by that and
    the largest chunk; time is linear in the bytes.

    >>> splitter = FrameSplitter()
    >>> splitter.push(b": heartbeat\\ndata: 1"), splitter.push(b"\\n\\ndata"), splitter.rest()
    ([b': heartbeat\\n'], [b'data: 1\\n\\n'], b'data')
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._pending = bytearray()

    def push(self, chunk: bytes) -> list[bytes]:
        """The frames that end in this chunk, in their order."""
        pending = self._pending
        if not pending and _ONE_EVENT.fullmatch(chunk):
            return [chunk]
        # What was there before holds no end, but perhaps the first two bytes of one.
        unseen = max(len(pending) - 2, 0)
        pending += chunk
        found = []
        start = 0
        while start < len(pending):
            ends = _NEWLINES if pending.startswith(b":", start) else _EVENT_ENDS
            end = _NEWLINES.match(pending, start) or ends.search(pending, max(unseen, start))
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
        """What came after the last frame; it is taken out."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest
