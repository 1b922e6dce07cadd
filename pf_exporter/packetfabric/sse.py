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

_MAX_NAMES = 64
"""Names of events that are kept, each with what comes before the data, of up to ``_MAX_HEAD`` bytes."""
_MAX_HEAD = 64

_CR = 13
_COMMENT = re.compile(rb"^:.*\n", re.MULTILINE)


class ServerSentEvent(Protocol):
    """One event of a stream."""

    @property
    def event(self) -> str:
        """The name; "message" if the stream gives none."""

    @property
    def data(self) -> str:
        """The values of the data lines, joined by LF; may be empty."""


def _valid_utf8(blocks: bytes) -> bytes:
    """Replace what is not UTF-8 by U+FFFD. Newlines stay, so that this can wait for whole blocks."""
    return blocks if blocks.isascii() else blocks.decode(errors="replace").encode()


class _FrameBuffer:
    """Assembles whole events: ended by a blank line, within the limits, and valid UTF-8."""

    def __init__(self, reject: Callable[[TooLarge], None], limit: int) -> None:
        self._reject = reject
        self._limit = limit
        self._message = f"an event above {limit} bytes or {MAX_EVENT_LINES} lines"
        self.idle = False
        """Whether the next byte begins an event."""
        self._start: bytes | None = b""  # The first bytes, while they may be a byte order mark.
        self._after_cr = False
        self._pending = bytearray()  # The unfinished event, without comments.
        self._line = 0  # Where its last line starts.
        self._skipping = b""  # The last byte of an event already rejected, until its blank line comes.

    def push(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the events that this chunk completes, one or several in a block; iterate to the end."""
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
        self.idle = not (self._after_cr or self._pending or self._skipping)

    def _normalize_newlines(self, chunk: bytes) -> bytes:
        # A CR ends the line at once, so that no event waits for the next byte; an LF after it is dropped.
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if _CR in chunk:  # finding an int is faster than finding bytes
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _take_whole(self, chunk: bytes) -> bytes:
        """Return all events that are complete with this chunk, and keep the rest."""
        pending = self._pending
        if not pending:
            chunk = chunk.lstrip(b"\n")  # Blank lines before an event are not part of it.
            if chunk.endswith(b"\n\n"):
                return chunk
        searched = len(pending) - pending.endswith(b"\n")  # Half of the blank line may be there already.
        pending += chunk
        end = pending.rfind(b"\n\n", searched)
        whole = b"" if end == -1 else bytes(pending[: end + 2])
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

    def _fits(self, lines: bytes) -> bool:
        return len(lines) <= self._limit and lines.count(b"\n") <= MAX_EVENT_LINES

    def _within_limits(self, whole: bytes) -> Iterator[bytes]:
        """Yield the events in ``whole`` and reject those above the limits, in their order."""
        if self._fits(whole):
            yield _valid_utf8(whole)
            return
        for block in _COMMENT.sub(b"", whole).split(b"\n\n"):
            lines = block.lstrip(b"\n") + b"\n"
            if self._fits(lines):
                yield _valid_utf8(lines + b"\n")
            else:
                self._reject(TooLarge(self._message))

    def _limit_pending(self) -> None:
        """Reject the unfinished event as soon as it is above the limit; its rest is skipped."""
        pending = self._pending
        is_comment = pending.startswith(b":", self._line)  # its colon is not part of the event
        if len(pending) > self._limit + is_comment:
            self._reject(TooLarge(self._message))
            self._skipping = bytes(pending[-1:])
            pending.clear()
            self._line = 0


class _PlainEvent(NamedTuple):
    event: str
    data: str


class _PlainParser:
    """Parses events of the one form that this API is documented to send, without the cost of the library.

    That is a line ``event: NAME`` and a line ``data: {...}``, as nearly all events are.
    """

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}
        """Names by all bytes before the data; there are few, and they repeat."""

    def _name(self, head: bytes) -> str | None:
        if not head.startswith(b"event: ") or not head.endswith(b"\ndata: "):
            return None
        name = head[len(b"event: ") : -len(b"\ndata: ")].decode()
        if len(head) <= _MAX_HEAD and len(self._names) < _MAX_NAMES:
            self._names[head] = name
        return name

    def parse(self, block: bytes) -> _PlainEvent | None:
        """Parse one event up to and including its blank line, with LF newlines; None if in another form."""
        start = block.find(b"\n") + len(b"\ndata: ")
        head = block[:start]
        try:
            name = self._names.get(head) or self._name(head)
            # Searching for a byte is several times as fast as counting it.
            if name and block.find(b"\n", start) == len(block) - 2:
                # tuple.__new__ takes half the time of calling the class.
                return tuple.__new__(_PlainEvent, (name, block[start:-2].decode()))
        except UnicodeDecodeError:
            pass
        return None


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
    buffer = _FrameBuffer(reject, limit)
    plain_parser = _PlainParser()
    for chunk in chunks:
        # Nearly always a chunk is one event of the plain form.
        if buffer.idle and chunk.endswith(b"\n\n") and len(chunk) <= limit and _CR not in chunk:
            plain = plain_parser.parse(chunk)
            if plain is not None:
                yield plain
                continue
        for whole in buffer.push(chunk):
            start = 0
            while (end := whole.find(b"\n\n", start)) != -1:
                block = whole[start : end + 2]
                plain = plain_parser.parse(block)
                if plain is not None:
                    yield plain
                else:
                    yield from sseclient.SSEClient(iter([block])).events()
                start += len(block)
