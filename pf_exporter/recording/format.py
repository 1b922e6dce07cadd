"""A recording: what a stream sent and when, in a file that outlives a kill.

The file is gzip, so that ``zcat`` shows it: lines of JSON, in one or more members. The first line of a member
says who recorded; each other line is a frame or a mark, with its time and account::

    {"recording": 1, "by": "pf_exporter 0.1.0", "started": 1700000000.0, "redacted": true}
    {"at": 1700000000.25, "account": "default", "mark": "opened"}
    {"at": 1700000001.5, "account": "default", "frame": "event: port|metrics\\ndata: {}\\n\\n"}

A frame that is not UTF-8 has ``bytes``, in base64, for ``frame``. A frame above ``LONGEST_FRAME`` takes
several lines. The lines of a frame are written at once and flushed (deflate's sync flush).
"""

from __future__ import annotations

import base64
import json
import math
import mmap
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger

OPENED, ENDED = "opened", "ended"
ROTATION_STARTED, ROTATION_SWITCHED, ROTATION_ABANDONED = "two_streams", "second_stream", "one_stream"
GAP = "gap"
"""Marks: a stream opens or ends; a rotation starts, switches or is abandoned; and, without an account, lines
are missing because they could not be written."""

LONGEST_FRAME = 1 << 19
"""Bytes of a frame in one line."""
LONGEST_LINE = 1 << 22
"""Bytes of a line that a reader takes; a byte of a frame takes six at most, as ``\\u0000``."""

BEGINNING = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time, no system
"""How a member begins: gzip's header."""

_START = b'{"recording": 1,'
_FLUSHED = b"\x00\x00\xff\xff"  # how deflate's sync flush ends
_CHUNK = 4096  # of compressed bytes, which are four million others at most
_UNWRITTEN = 16  # zeros in a row, at least, that no write of ours ends in

log = Logger(__name__)


class Record(NamedTuple):
    """One line of a recording."""

    at: float
    """UNIX seconds."""
    account: str
    frame: bytes = b""
    """The bytes as they were received or redacted; empty for a mark."""
    mark: str = ""
    """What happened instead; empty for a frame."""


def line(**fields: object) -> bytes:
    """A line of a recording; ``fields`` are what JSON can say."""
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def ending(crc: int, length: int) -> bytes:
    """The end of a member whose last line is flushed: an empty last block, and gzip's checks.

    ``crc`` is zlib's CRC-32 of the member's text, ``length`` its bytes.
    """
    return b"\x03\x00" + crc.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")


class Whole(NamedTuple):
    """How much of a file is whole, and what has to follow before a new member can."""

    size: int
    """Bytes from the beginning."""
    ending: bytes = b""
    """Empty where the last member has its end."""
    is_damaged: bool = False
    """Whether what follows is more than a write that a kill has cut short."""


def _written(file: bytes | mmap.mmap) -> int:
    """Up to where a file was written: a machine that fails may leave zeros where the rest was to be."""
    end = len(file)
    while end > 0 and not file[max(end - _CHUNK, 0) : end].strip(b"\0"):
        end = max(end - _CHUNK, 0)
    start = max(end - _CHUNK, 0)
    end = start + len(file[start:end].rstrip(b"\0"))
    return end if len(file) - end >= _UNWRITTEN else len(file)


def _can_end(inflater: zlib._Decompress, end: bytes) -> bool:
    """Whether a member may end like this where the inflater stands."""
    inflater = inflater.copy()
    try:
        inflater.decompress(end)
    except zlib.error:
        return False
    return inflater.eof


def whole(file: bytes | mmap.mmap) -> Whole | None:
    """How much of a recording is whole; None if it is no recording. Time is linear, memory bounded.

    What follows is either the beginning of one write that a kill has cut short, and holds no frame, or damage
    with frames in it. A write begins where the one before is flushed and ends with its own flush, so what was
    cut short inflates without an error as far as it goes, and has no flush in it: all else is damage. What is
    damaged may inflate, too; then it is the flushes of the writes after it that give it away.

    The four bytes of a flush may stand by chance within compressed data, once in four gigabytes or so. In a
    whole write that does no harm: no member can end there, and the flush that ends the write is behind it. In
    a write that was cut short they look like damage, and somebody has to move the file away, though nothing
    would have been lost. The other way round, a guess which flushes are real, could cost frames.
    """
    size = _written(file)
    if size == 0:
        return None
    known = Whole(0)
    start = 0  # of a member
    while start < size:
        inflater = zlib.decompressobj(wbits=31)
        at, crc, length, head, last = start, 0, 0, b"", b""
        is_broken = False
        while at < size and not inflater.eof:
            # Up to the end of a flush, where a line may be whole; it may stand across the end of a chunk.
            found = file.find(_FLUSHED, at, min(at + _CHUNK + len(_FLUSHED) - 1, size))
            end = found + len(_FLUSHED) if found >= 0 else min(at + _CHUNK, size)
            try:
                text = inflater.decompress(file[at:end])
            except zlib.error:
                is_broken = True
                break
            at, crc, length = end, zlib.crc32(text, crc), length + len(text)
            head, last = (head + text)[: len(_START)], text[-1:] or last
            if not _START.startswith(head):
                return None
            if found >= 0 and last == b"\n" and not inflater.eof:  # of a flush by itself there is no text
                end_of_member = ending(crc, length)
                if _can_end(inflater, end_of_member):
                    known = Whole(end, end_of_member)
        if not inflater.eof:
            # Of a first line that is cut we know only how it begins.
            if known.size == 0 and (is_broken or not BEGINNING.startswith(file[: len(BEGINNING)])):
                return None
            return known._replace(is_damaged=is_broken or file.find(_FLUSHED, known.size) >= 0)
        if head != _START:
            return None
        start = at - len(inflater.unused_data)
        known = Whole(start)
    return known


def _texts(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """What gzip members hold, a stretch at a time, and whether a member ends after it; zlib's errors."""
    inflater = None
    while data := file.read(_CHUNK):
        at = 0
        while at < len(data):
            inflater = inflater or zlib.decompressobj(wbits=31)
            # No more than one flush at a time: of a stretch that is damaged zlib hands out nothing.
            found = data.find(_FLUSHED, at)
            end = found + len(_FLUSHED) if found >= 0 else len(data)
            text = inflater.decompress(data[at:end])
            at = end - len(inflater.unused_data)
            yield text, inflater.eof
            if inflater.eof:
                inflater = None


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The whole lines, and whether each is a member's first; ValueError where one is too long or cut."""
    pending = bytearray()  # grows in place: a line may come in as many pieces as it has bytes
    is_first = True
    for text, is_end in _texts(file):
        start = 0
        while (end := text.find(b"\n", start)) >= 0:
            yield bytes(pending) + text[start:end], is_first
            pending.clear()
            start, is_first = end + 1, False
        pending += text[start:]
        if len(pending) > LONGEST_LINE or (is_end and pending):
            raise ValueError
        is_first = is_first or is_end


def _entry(text: bytes) -> Record:
    """Raises an error of many kinds where it is none."""
    fields = json.loads(text)
    at, account = float(fields["at"]), fields["account"]
    if not isinstance(account, str) or not math.isfinite(at):
        raise ValueError
    if "mark" in fields:
        return Record(at, account, mark=str(fields["mark"]))
    if "bytes" in fields:
        return Record(at, account, base64.b64decode(fields["bytes"], validate=True))
    return Record(at, account, fields["frame"].encode())


def read(path: str) -> Iterator[Record]:
    """The entries of a recording in their order, up to where it is torn.

    It may be one that is being written. Raises :class:`ConfigError` with the path and the line for what is
    no recording. Of one that is damaged, what stands before the damage is read, and the log says where it is.
    Memory is bounded by the longest line.
    """
    number = 0
    try:
        with open(path, "rb") as file:
            for number, (text, is_first) in enumerate(_lines(file), 1):
                if is_first:
                    if json.loads(text)["recording"] != 1:
                        raise ConfigError([f"{path}: line {number}: a recording of a kind that is not known"])
                else:
                    yield _entry(text)
    except OSError as exc:
        raise ConfigError([f"cannot read the recording {path}: {exc.strerror}"]) from exc
    except zlib.error as exc:
        if number == 0:
            raise ConfigError([f"{path}: not a recording"]) from exc
        log.warning("recording damaged", file=path, line=number + 1)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise ConfigError([f"{path}: line {max(number, 1)}: not a line of a recording"]) from exc
