"""Server-sent events out of chunks of bytes, with limits on size, framing and encoding. No I/O.

sseclient-py parses the fields, except for the plain form in which nearly all events come. What it leaves open
is handled before it (source: its version 1.9.0, and the WHATWG HTML standard, section "Server-sent events"):

- framing: it emits an event that the end of the stream cut off, and misses blank lines of mixed newlines;
- encoding: it keeps a byte order mark, and raises on bytes that are not UTF-8;
- size: it has no limit, and copies an event once for each of its lines;
- comments: it collects them up to the next blank line, and there need not be one between heartbeats.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import sseclient

from pf_exporter.errors import TooLarge

MAX_EVENT_BYTES = 1_048_576
"""Default limit of one event: a thousand times the size of a real one."""

MAX_EVENT_LINES = 1000
"""Lines of one event. sseclient-py copies the event for each, so a limit in bytes alone limits no time."""

_CR = 13
_COMMENT = re.compile(rb"^:.*\n", re.MULTILINE)
_EVENTS = re.compile("event: (.+)\ndata: (.*)\n\n|([^\n](?s:.*?))\n\n")
"""Finds each event: the name and the data of one in the plain form, all lines of one in another form."""


class ServerSentEvent(Protocol):
    """One event of a stream."""

    @property
    def event(self) -> str:
        """The name; "message" if the stream gives none."""

    @property
    def data(self) -> str:
        """The values of the data lines, joined by LF; may be empty."""


class _FrameBuffer:
    """Assembles whole events: ended by a blank line, within the limit of bytes, and valid text."""

    def __init__(self, reject: Callable[[], None], limit: int) -> None:
        self._reject = reject
        self._limit = limit
        self._start: bytes | None = b""  # The first bytes, while they may be a byte order mark.
        self._after_cr = False
        self._pending = bytearray()  # The unfinished event, without comments.
        self._line = 0  # Where its last line starts.
        self._skipping = b""  # The last byte of an event already rejected, until its blank line comes.

    def push(self, chunk: bytes) -> Iterator[str]:
        """Yield the events that this chunk completes, one or several at once; iterate to the end."""
        if self._start is not None:
            self._start += chunk
            if codecs.BOM_UTF8.startswith(self._start):
                return
            chunk, self._start = self._start.removeprefix(codecs.BOM_UTF8), None
        chunk = self._normalize_newlines(chunk)
        if self._skipping:
            skipped, blank, chunk = (self._skipping + chunk).partition(b"\n\n")
            self._skipping = b"" if blank else skipped[-1:]
        whole = self._take_whole(chunk)
        if whole:
            yield from self._within_limits(whole)
        self._limit_pending()

    def _normalize_newlines(self, chunk: bytes) -> bytes:
        # A CR ends the line at once, so that no event waits for the next byte; an LF after it is dropped.
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if _CR in chunk:  # finding an int is faster than finding bytes
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _take_whole(self, chunk: bytes) -> bytes | bytearray:
        """Return all events that are complete with this chunk, and keep the rest."""
        pending = self._pending
        if not pending:
            chunk = chunk.lstrip(b"\n")  # Blank lines before an event are not part of it.
            if chunk.endswith(b"\n\n"):
                return chunk
        searched = len(pending) - pending.endswith(b"\n")  # Half of the blank line may be there already.
        pending += chunk
        end = pending.rfind(b"\n\n", searched)
        whole = pending[: end + 2] if end != -1 else b""
        if whole:
            del pending[: len(whole)]
            self._line = 0
        # Heartbeats must not pile up: comments are dropped; of an unfinished one the colon stays.
        if b"\n" in chunk:
            pending[self._line :] = _COMMENT.sub(b"", pending[self._line :])
            self._line = pending.rfind(b"\n") + 1
        if pending.startswith(b":", self._line):
            del pending[self._line + 1 :]
        return whole

    def _within_limits(self, whole: bytes | bytearray) -> Iterator[str]:
        """Yield the events in ``whole`` and reject those above the limit, in their order."""
        # What is not UTF-8 becomes U+FFFD. Newlines stay, so that this can wait for whole events.
        if len(whole) <= self._limit:
            yield whole.decode(errors="replace")
            return
        for block in _COMMENT.sub(b"", whole).split(b"\n\n"):
            lines = block.lstrip(b"\n") + b"\n"
            if len(lines) <= self._limit:
                yield (lines + b"\n").decode(errors="replace")
            else:
                self._reject()

    def _limit_pending(self) -> None:
        """Reject the unfinished event as soon as it is above the limit; its rest is skipped."""
        pending = self._pending
        is_comment = pending.startswith(b":", self._line)  # its colon is not part of the event
        if len(pending) > self._limit + is_comment:
            self._reject()
            self._skipping = bytes(pending[-1:])
            pending.clear()
            self._line = 0


class _PlainEvent(NamedTuple):
    event: str
    data: str


def _parse(block: str, reject: Callable[[], None]) -> Iterator[ServerSentEvent]:
    """Parse the lines of one event in any form."""
    lines = _COMMENT.sub(b"", f"{block}\n".encode())
    if lines.count(b"\n") > MAX_EVENT_LINES:
        reject()
    elif lines:
        yield from sseclient.SSEClient(iter([lines + b"\n"])).events()


def read_events(
    chunks: Iterable[bytes], reject: Callable[[TooLarge], None], limit: int = MAX_EVENT_BYTES
) -> Iterator[ServerSentEvent]:
    """Yield the events of a stream, each as soon as the byte that ends it is there.

    ``chunks`` are the bytes of a ``text/event-stream`` in order, split anywhere; what their iterable raises
    comes through. An event whose blank line has not come when they end is discarded.

    An event of more than ``limit`` bytes (its lines without comments, one byte for each newline) or
    ``MAX_EVENT_LINES`` lines is left out, and ``reject`` is called: once for each, in order with the events,
    as soon as it is known. It is a callback because a generator that raises is over, but the stream has to
    continue; it is required so that no caller forgets to count.

    Bytes that are not UTF-8 become U+FFFD. IDs and reconnection times are ignored: the API sends neither.
    Memory is limited by ``limit`` and the largest chunk; time is linear in the bytes.

    >>> stream = [b": heartbeat\\n\\nevent: optical\\nda", b"ta: {}\\n\\ndata: cut"]
    >>> [(event.event, event.data) for event in read_events(stream, print)]
    [('optical', '{}')]
    """

    def reject_event() -> None:
        reject(TooLarge(f"an event above {limit} bytes or {MAX_EVENT_LINES} lines"))

    buffer = _FrameBuffer(reject_event, limit)
    for chunk in chunks:
        for events in buffer.push(chunk):
            for name, data, lines in _EVENTS.findall(events):
                if lines:
                    yield from _parse(lines, reject_event)
                else:
                    # tuple.__new__ takes half the time of calling the class.
                    yield tuple.__new__(_PlainEvent, (name, data))
