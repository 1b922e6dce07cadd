"""Server-sent events out of chunks of bytes; guards size, framing and encoding. No I/O.

sseclient-py parses the fields, but for the plain form in which nearly all events come. What it leaves open is
closed in front of it (facts: the source of its version 1.9.0, and the WHATWG HTML standard, section
"Server-sent events"):

- framing: it hands out an event cut by the end of the stream, and misses a blank line where newlines mix;
- encoding: it keeps a byte order mark, and raises on bytes that are not UTF-8;
- size: it has no limit, and copies an event once for each of its lines;
- comments: it collects them up to the next blank line, and between heartbeats there need not be one.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import sseclient

from pf_exporter.errors import TooLarge

MAX_EVENT_BYTES = 1 << 20
"""Bytes in one event, unless told otherwise: a thousand times the size of a real one."""

MAX_EVENT_LINES = 1000
"""Lines in one event. sseclient-py copies the event for each, so the limit in bytes alone bounds no time."""

# Its debug lines repeat field names as they came: text of any length, chosen by whoever feeds the stream.
logging.getLogger(sseclient.__name__).setLevel(logging.WARNING)


class ServerSentEvent(Protocol):
    """One event of a stream."""

    @property
    def event(self) -> str:
        """Its name, "message" where the stream gives none."""

    @property
    def data(self) -> str:
        """The values of its data lines, joined by LF; may be empty."""


def _valid(blocks: bytes) -> bytes:
    """The same with U+FFFD for what is not UTF-8; newlines survive it, so it can wait for whole blocks."""
    return blocks if blocks.isascii() else blocks.decode(errors="replace").encode()


_COMMENT = re.compile(rb"^:.*\n", re.MULTILINE)


class _FrameBuffer:
    """Puts whole events together: ended by a blank line, within the limits, and valid UTF-8."""

    def __init__(self, rejected: Callable[[TooLarge], None], limit: int) -> None:
        self._rejected = rejected
        self._limit = limit
        self._too_large = f"an event above {limit} bytes or {MAX_EVENT_LINES} lines"
        self.idle = False
        """Whether the next byte begins an event, whatever came before."""
        self._start: bytes | None = b""  # Of the stream, while it may be a byte order mark.
        self._after_cr = False
        self._pending = bytearray()  # The event that has not ended yet, without comments.
        self._line = 0  # Where its last line starts.
        self._skipping = b""  # The last byte of an event already rejected, until its blank line comes.

    def push(self, chunk: bytes) -> Iterator[bytes]:
        """The events that are whole with this chunk; to be taken to the last."""
        if self._start is not None:
            self._start += chunk
            if codecs.BOM_UTF8.startswith(self._start):
                return
            chunk, self._start = self._start.removeprefix(codecs.BOM_UTF8), None
        yield from self._cut(self._normal(chunk))
        self.idle = not (self._after_cr or self._pending or self._skipping)

    def _normal(self, chunk: bytes) -> bytes:
        """The same with LF for every newline."""
        # A CR counts at once, so that no event waits for the next byte; an LF right after it adds nothing.
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if 13 in chunk:  # a CR; a byte is found faster as a number
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _cut(self, chunk: bytes) -> Iterator[bytes]:
        pending, limit = self._pending, self._limit
        if self._skipping:
            skipped, blank, chunk = (self._skipping + chunk).partition(b"\n\n")
            self._skipping = b"" if blank else skipped[-1:]

        if not pending:
            chunk = chunk.lstrip(b"\n")  # Blank lines before an event are no part of it.

        if not pending and chunk.endswith(b"\n\n"):
            whole = chunk
        else:
            seen = max(len(pending) - 1, 0)  # Half of the blank line may be here already.
            pending += chunk
            end = pending.rfind(b"\n\n", seen) + 2
            whole = bytes(pending[:end]) if end > 1 else b""
            if whole:
                del pending[:end]
                self._line = 0
            # Heartbeats must not pile up: of a comment nothing stays, and of an unfinished one the colon.
            if b"\n" in chunk:
                pending[self._line :] = _COMMENT.sub(b"", pending[self._line :])
                self._line = pending.rfind(b"\n") + 1
            if pending.startswith(b":", self._line):
                del pending[self._line + 1 :]

        # A line has at least one byte, so that lines need no counting in the usual small event.
        if len(whole) <= limit and (len(whole) <= MAX_EVENT_LINES or whole.count(b"\n") <= MAX_EVENT_LINES):
            if whole:
                yield _valid(whole)
        else:
            for block in _COMMENT.sub(b"", whole).split(b"\n\n"):
                lines = block.lstrip(b"\n") + b"\n"
                if len(lines) <= limit and lines.count(b"\n") <= MAX_EVENT_LINES:
                    yield _valid(lines + b"\n")
                else:
                    self._rejected(TooLarge(self._too_large))

        if len(pending) > limit + pending.startswith(b":", self._line):
            self._rejected(TooLarge(self._too_large))
            self._skipping = bytes(pending[-1:])
            pending.clear()
            self._line = 0


class _Plain(NamedTuple):
    event: str
    data: str


class _PlainForm:
    """Reads events of the one form that this API is documented to send, without the library's cost.

    That is a line ``event: NAME`` and a line ``data: {...}``, as nearly all events are.
    """

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}
        """By all that stands before the data: a few, which come again and again."""

    def _name(self, head: bytes) -> str:
        if not head.startswith(b"event: ") or not head.endswith(b"\ndata: "):
            return ""
        name = head[len(b"event: ") : -len(b"\ndata: ")].decode()
        if len(head) <= 64 and len(self._names) < 64:
            self._names[head] = name
        return name

    def read(self, block: bytes) -> _Plain | None:
        """What a block that ends with its blank line says, if it is of this form; its newlines are LF."""
        start = block.find(b"\n") + len(b"\ndata: ")
        head = block[:start]
        try:
            name = self._names.get(head) or self._name(head)
            if name and block.count(b"\n") == 3:
                # tuple.__new__ is half the cost of calling the class.
                return tuple.__new__(_Plain, (name, block[start:-2].decode()))
        except UnicodeDecodeError:
            pass
        return None


def read_events(
    chunks: Iterable[bytes], rejected: Callable[[TooLarge], None], limit: int = MAX_EVENT_BYTES
) -> Iterator[ServerSentEvent]:
    """The events of a stream, each as soon as the byte that ends it is there.

    ``chunks`` are the bytes of a ``text/event-stream`` in order, cut anywhere; what their iterable raises
    comes through. When they end, so do the events; one whose blank line has not come is discarded.

    An event of more than ``limit`` bytes (its lines without comments, one byte for each newline) or
    ``MAX_EVENT_LINES`` lines is left out, and ``rejected`` is called: once for each, in order with the
    events, as soon as it is known. It is a callback because a generator that raises is over, and the stream has to go on; it is
    required so that nobody forgets to count.

    Bytes that are not UTF-8 become U+FFFD. Ids and reconnection times are ignored: the API sends neither.
    Memory is bounded by ``limit`` and the largest chunk; time is linear in the bytes.

    >>> stream = [b": heartbeat\\n\\nevent: optical\\nda", b"ta: {}\\n\\ndata: cut"]
    >>> [(event.event, event.data) for event in read_events(stream, print)]
    [('optical', '{}')]
    """
    blocks = _FrameBuffer(rejected, limit)
    plain_form = _PlainForm()
    for chunk in chunks:
        # Nearly always a chunk is one event of the plain form.
        if blocks.idle and chunk.endswith(b"\n\n") and len(chunk) <= limit and 13 not in chunk:
            plain = plain_form.read(chunk)
            if plain is not None:
                yield plain
                continue
        for whole in blocks.push(chunk):
            start = 0
            while (end := whole.find(b"\n\n", start) + 2) > 1:
                block = whole[start:end]
                plain = plain_form.read(block)
                if plain is not None:
                    yield plain
                else:
                    yield from sseclient.SSEClient(iter([block])).events()
                start = end
