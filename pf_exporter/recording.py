"""A recording: what a stream sent and when, in a file that outlives a kill.

The file is gzip, so that ``zcat`` shows it: lines of JSON, in one or more members. The first line of a member
says who recorded; each other line is a frame or a mark, with its time and account::

    {"recording": 1, "by": "pf_exporter 0.1.0", "started": 1700000000.0, "redacted": true}
    {"at": 1700000000.25, "account": "default", "mark": "opened"}
    {"at": 1700000001.5, "account": "default", "frame": "event: port|metrics\\ndata: {}\\n\\n"}

A frame that is not UTF-8 has ``bytes``, in base64, for ``frame``. A frame above ``LONGEST_FRAME`` takes
several lines. Each frame is handed to the system whole and flushed (deflate's sync flush), so that a process
that is killed loses only the frame it was writing; a machine that fails loses what was not yet on its disk.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import math
import mmap
import os
import stat
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from pf_exporter import __version__
from pf_exporter.errors import ConfigError
from pf_exporter.logs import Logger
from pf_exporter.redaction import Redaction

OPENED, ENDED = "opened", "ended"
TWO_STREAMS, SECOND_STREAM, ONE_STREAM = "two_streams", "second_stream", "one_stream"
GAP = "gap"
"""Marks: a stream is opened, or over; the changes of streams as :class:`pf_exporter.intake.Intake` is told of
them; and, of no account, that lines before it are missing because they could not be written."""

LONGEST_FRAME = 1 << 19
"""Bytes of a frame in one line."""
LONGEST_LINE = 1 << 22
"""Bytes of a line that a reader takes; a byte of a frame takes six at most, as ``\\u0000``."""
TRY_AGAIN = 60.0
"""Seconds until writing that failed is tried again."""

_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time, no system
_START = b'{"recording": 1,'
_FLUSHED = b"\x00\x00\xff\xff"  # how deflate's sync flush ends
_CHUNK = 4096  # of compressed bytes, which are four million others at most

log = Logger(__name__)


class Entry(NamedTuple):
    """One line of a recording."""

    at: float
    """UNIX seconds."""
    account: str
    frame: bytes = b""
    """The bytes as they were received or redacted; empty for a mark."""
    mark: str = ""
    """What happened instead; empty for a frame."""


def _line(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _trailer(crc: int, length: int) -> bytes:
    """The end of a member whose last line is flushed: an empty last block, and gzip's checks."""
    return b"\x03\x00" + crc.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")


class _Whole(NamedTuple):
    """How much of a file is whole, and what has to follow before a new member can."""

    size: int
    ending: bytes = b""
    is_damaged: bool = False
    """Whether what follows is more than a line that was not finished."""


def _whole(file: mmap.mmap) -> _Whole | None:
    """How much of a recording is whole; None if it is no recording."""
    whole = _Whole(0)
    start = 0  # of a member
    while start < len(file):
        inflater = zlib.decompressobj(wbits=31)
        at, crc, length, head = start, 0, 0, b""
        broken = False
        while not inflater.eof and not broken and at < len(file):
            # Up to the end of a flush, where a line may be whole; it may stand across the end of a chunk.
            found = file.find(_FLUSHED, at, at + _CHUNK + len(_FLUSHED) - 1)
            end = found + len(_FLUSHED) if found >= 0 else min(at + _CHUNK, len(file))
            try:
                text = inflater.decompress(file[at:end])
            except zlib.error:
                broken = True
                continue
            at, crc, length = end, zlib.crc32(text, crc), length + len(text)
            head = (head + text)[: len(_START)]
            if not _START.startswith(head):
                return None
            if found >= 0 and text.endswith(b"\n") and not inflater.eof:
                whole = _Whole(end, _trailer(crc, length))
        if not inflater.eof:
            # Of a first line that is cut we know only how it begins.
            if whole.size == 0 and (broken or not _GZIP.startswith(file[: len(_GZIP)])):
                return None
            # An unfinished line has no flush, and an unfinished end no wrong check sum.
            ended = whole.ending != b"" and file[whole.size : whole.size + 2] == whole.ending[:2]
            is_damaged = broken and (ended or file.find(_FLUSHED, whole.size) >= 0)
            return whole._replace(is_damaged=is_damaged)
        if head != _START:
            return None
        start = at - len(inflater.unused_data)
        whole = _Whole(start)
    return whole


class Recorder:
    """Writes frames and marks of any accounts into one recording; any thread may call.

    A recording that is there already goes on: what is whole of it stays, what a kill has torn off its end is
    cut away. With ``limit``, a file does not grow above so many bytes (but holds one line at least): FILE
    becomes FILE.1, that FILE.2, and so on, and ``kept`` of them stay. A new file is for its owner alone.

    Raises :class:`ConfigError` where nothing can be recorded from the start. Later nothing is raised: what
    cannot be written is lost and counted, ``problem`` says why, and a minute later writing is tried again.
    """

    def __init__(
        self,
        path: str,
        *,
        limit: int | None = None,
        kept: int = 0,
        redaction: Redaction | None = None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.problem: str | None = None
        """One line that says why nothing can be written now, or None."""
        self.lost = 0
        """Frames and marks that could not be written."""
        self._limit = limit
        self._kept = kept
        self._redaction = redaction
        self._wall = wall
        self._clock = clock
        self._lock = threading.Lock()
        self._try_at = 0.0
        self._closed = False
        self._fd: int | None = None
        self._size = 0
        """Up to where the file is whole."""
        self._is_torn = False
        """Whether there may be more in it."""
        self._ending = b""
        """What ends the present member, or the one that a kill has left without an end."""
        self._member: tuple[int, int] | None = None
        """Check sum and length of the present member's text."""
        self._deflater: zlib._Compress | None = None
        self._open()

    def frame(self, account: str, block: bytes) -> None:
        """A frame, or some bytes of one, has come on an account's stream."""
        with self._lock:
            if not self._is_writable():
                return
            if self._redaction is not None:
                block = self._redaction.frame(block)
            head = self._head(account)
            lines = b""
            for start in range(0, len(block), LONGEST_FRAME):
                piece = block[start : start + LONGEST_FRAME]
                try:
                    lines += _line(**head, frame=piece.decode())
                except UnicodeDecodeError:
                    lines += _line(**head, bytes=base64.b64encode(piece).decode())
            if lines:
                self._put(lines)

    def mark(self, account: str, mark: str) -> None:
        """Something else has happened to an account's stream: one of the marks above."""
        with self._lock:
            if self._is_writable():
                self._put(_line(**self._head(account), mark=mark))

    def close(self) -> None:
        """End the file in good order; what comes after that is ignored."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._fd is None:
                return
            try:
                if self._size == 0:
                    self._write(b"")
                self._append(self._ending)
            except OSError as exc:
                self._fail(exc)
            finally:
                os.close(self._fd)
                self._fd = None

    def _head(self, account: str) -> dict[str, object]:
        name = self._redaction.account(account) if self._redaction is not None else account
        return {"at": round(self._wall(), 6), "account": name}

    def _is_writable(self) -> bool:
        if self._closed:
            return False
        if self.problem is not None and self._clock() < self._try_at:
            self.lost += 1
            return False
        return True

    def _put(self, lines: bytes) -> None:
        try:
            if self._fd is None:
                self._open()
            gap = _line(at=round(self._wall(), 6), account="", mark=GAP) if self.problem is not None else b""
            self._write(gap + lines)
        except (OSError, ConfigError) as exc:
            self.lost += 1
            self._fail(exc)
        else:
            if self.problem is not None:
                log.info("recording again", file=self.path, lost=self.lost)
                self.problem = None

    def _fail(self, exc: OSError | ConfigError) -> None:
        why = exc.strerror or type(exc).__name__ if isinstance(exc, OSError) else exc
        self.problem = f"recording {self.path}: {why}"
        self._try_at = self._clock() + TRY_AGAIN
        log.now_and_then("problem", "recording failed", file=self.path, error=why, lost=self.lost)

    def _open(self) -> None:
        fd = None
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            whole = self._mended(fd)
        except (OSError, ConfigError) as exc:
            if fd is not None:
                os.close(fd)
            if isinstance(exc, OSError):
                raise ConfigError(
                    [f"cannot record to {self.path}: {exc.strerror}; name another file"]
                ) from exc
            raise
        self._fd = fd
        self._size, self._ending = whole.size, whole.ending
        self._is_torn = False
        self._member = self._deflater = None

    def _mended(self, fd: int) -> _Whole:
        """What is whole of the open file, after the rest has been cut off."""
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise ConfigError([f"cannot record to {self.path}: not a regular file; name another file"])
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = f"cannot record to {self.path}: somebody else is recording to it; name another file"
            raise ConfigError([problem]) from None
        if about.st_size == 0:
            return _Whole(0)
        with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as file:
            whole = _whole(file)
        if whole is None:
            raise ConfigError([f"cannot record to {self.path}: it is no recording; name another file"])
        if whole.is_damaged:
            problem = f"cannot record to {self.path}: damaged from byte {whole.size} on; move it away"
            raise ConfigError([problem])
        if whole.size < about.st_size:
            os.ftruncate(fd, whole.size)
        return whole

    def _write(self, lines: bytes) -> None:
        """Append lines, in a new member or a new file where it is time for one."""
        data, member = self._deflated(lines)
        if self._limit is not None and 0 < self._size > self._limit - len(data) - len(_trailer(0, 0)):
            self._rotate()
            data, member = self._deflated(lines)
        self._append(data)
        self._member = member
        self._ending = _trailer(*member)

    def _deflated(self, lines: bytes) -> tuple[bytes, tuple[int, int]]:
        """What to append for these lines, and the member as it is then."""
        start = b""
        crc, length = self._member or (0, 0)
        if self._member is None:
            start = self._ending + _GZIP
            by, redacted = f"pf_exporter {__version__}", self._redaction is not None
            lines = _line(recording=1, by=by, started=round(self._wall(), 6), redacted=redacted) + lines
        # A flush ends at a whole byte, and a new deflater refers to nothing before it: it can go on there.
        deflater = self._deflater or zlib.compressobj(wbits=-15)
        self._deflater = deflater
        data = start + deflater.compress(lines) + deflater.flush(zlib.Z_SYNC_FLUSH)
        return data, (zlib.crc32(lines, crc), length + len(lines))

    def _append(self, data: bytes) -> None:
        """All of it or nothing."""
        assert self._fd is not None
        left = memoryview(data)
        try:
            if self._is_torn:
                os.ftruncate(self._fd, self._size)
            self._is_torn = True
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            self._deflater = None
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)
            raise
        self._is_torn = False
        self._size += len(data)

    def _rotate(self) -> None:
        assert self._fd is not None
        with contextlib.suppress(OSError):  # a disk may be full; a reader does without the end
            self._append(self._ending)
        os.close(self._fd)
        self._fd = None
        files = [self.path, *(f"{self.path}.{number}" for number in range(1, self._kept + 1))]
        for older, newer in zip(files[:0:-1], files[-2::-1], strict=True):
            if os.path.exists(newer):
                os.replace(newer, older)
        if self._kept == 0:
            os.unlink(self.path)
        self._open()


def _texts(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """What gzip members hold, a stretch at a time, and whether a member ends after it; zlib's errors."""
    inflater = None
    data = b""
    while data := data or file.read(_CHUNK):
        inflater = inflater or zlib.decompressobj(wbits=31)
        # No more than one flush at a time: of a stretch that is damaged zlib hands out nothing.
        stretch, flushed, data = data.partition(_FLUSHED)
        text = inflater.decompress(stretch + flushed)
        data = inflater.unused_data + data
        yield text, inflater.eof
        if inflater.eof:
            inflater = None


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The whole lines, and whether each is a member's first; ValueError where one is too long or cut."""
    pending = b""
    is_first = True
    for text, is_end in _texts(file):
        *lines, pending = (pending + text).split(b"\n")
        for line in lines:
            yield line, is_first
            is_first = False
        if len(pending) > LONGEST_LINE or (is_end and pending):
            raise ValueError
        is_first = is_first or is_end


def _entry(line: bytes) -> Entry:
    """Raises an error of many kinds where it is none."""
    fields = json.loads(line)
    at, account = float(fields["at"]), fields["account"]
    if not isinstance(account, str) or not math.isfinite(at):
        raise ValueError
    if "mark" in fields:
        return Entry(at, account, mark=str(fields["mark"]))
    if "bytes" in fields:
        return Entry(at, account, base64.b64decode(fields["bytes"], validate=True))
    return Entry(at, account, fields["frame"].encode())


def read(path: str) -> Iterator[Entry]:
    """The entries of a recording in their order, up to where it is torn.

    It may be one that is being written. Raises :class:`ConfigError` with the path and the line for what is
    no recording. Of one that is damaged, what stands before the damage is read, and the log says where it is.
    Memory is bounded by the longest line.
    """
    number = 0
    try:
        with open(path, "rb") as file:
            for number, (line, is_first) in enumerate(_lines(file), 1):
                if is_first:
                    if json.loads(line)["recording"] != 1:
                        raise ConfigError([f"{path}: line {number}: a recording of a kind that is not known"])
                else:
                    yield _entry(line)
    except OSError as exc:
        raise ConfigError([f"cannot read the recording {path}: {exc.strerror}"]) from exc
    except zlib.error as exc:
        if number == 0:
            raise ConfigError([f"{path}: not a recording"]) from exc
        log.warning("recording damaged", file=path, line=number + 1)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise ConfigError([f"{path}: line {max(number, 1)}: not a line of a recording"]) from exc
