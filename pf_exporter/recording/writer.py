"""A recorder: what puts frames and marks into a recording, so that they outlive a kill.

Each frame is handed to the system whole, so that a process that is killed loses only the frame it was
writing; a machine that fails loses what was not yet on its disk.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import mmap
import os
import stat
import threading
import time
import zlib
from collections.abc import Callable

from pf_exporter import __version__
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.recording.format import BEGINNING, GAP, LONGEST_FRAME, Whole, ending, line, whole
from pf_exporter.recording.redaction import Redaction

TRY_AGAIN = 60.0
"""Seconds until writing that failed is tried again."""

log = Logger(__name__)


class RecordingWriter:
    """Writes frames and marks of any accounts into one recording; any thread may call.

    A recording that is there already goes on: what is whole of it stays, what a kill has torn off its end is
    cut away, and one that is damaged is refused. With ``limit``, a file does not grow above so many bytes
    (but holds one line at least): FILE becomes FILE.1, that FILE.2, and so on, and ``kept`` of them stay. A
    new file is for its owner alone.

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
                    lines += line(**head, frame=piece.decode())
                except UnicodeDecodeError:
                    lines += line(**head, bytes=base64.b64encode(piece).decode())
            if lines:
                self._put(lines)

    def mark(self, account: str, mark: str) -> None:
        """Something else has happened to an account's stream: one of the marks above."""
        with self._lock:
            if self._is_writable():
                self._put(line(**self._head(account), mark=mark))

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
            gap = line(at=round(self._wall(), 6), account="", mark=GAP) if self.problem is not None else b""
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
        log.warning_throttled("problem", "recording failed", file=self.path, error=why, lost=self.lost)

    def _open(self) -> None:
        fd = None
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            found = self._mended(fd)
        except (OSError, ConfigError) as exc:
            if fd is not None:
                os.close(fd)
            if isinstance(exc, OSError):
                what = "make its folder" if isinstance(exc, FileNotFoundError) else "name another file"
                raise ConfigError([f"cannot record to {self.path}: {exc.strerror}; {what}"]) from exc
            raise
        self._fd = fd
        self._size, self._ending = found.size, found.ending
        self._is_torn = False
        self._member = self._deflater = None

    def _mended(self, fd: int) -> Whole:
        """What is whole of the open file, after the rest has been cut off."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            about = os.fstat(fd)
            is_ours = os.path.samestat(about, os.stat(self.path))
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        if not is_ours:  # Who had it may have moved it away before it was ours.
            problem = f"cannot record to {self.path}: somebody else is recording to it; name another file"
            raise ConfigError([problem])
        if not stat.S_ISREG(about.st_mode):
            raise ConfigError([f"cannot record to {self.path}: not a regular file; name another file"])
        if about.st_size == 0:
            return Whole(0)
        with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as file:
            found = whole(file)
        if found is None:
            raise ConfigError([f"cannot record to {self.path}: it is no recording; name another file"])
        if found.is_damaged:
            problem = f"cannot record to {self.path}: damaged from byte {found.size} on; move it away"
            raise ConfigError([problem])
        if found.size < about.st_size:
            os.ftruncate(fd, found.size)
        return found

    def _write(self, lines: bytes) -> None:
        """Append lines, in a new member or a new file where it is time for one."""
        data, member = self._deflated(lines)
        if self._limit is not None and 0 < self._size > self._limit - len(data) - len(ending(0, 0)):
            self._rotate()
            data, member = self._deflated(lines)
        self._append(data)
        self._member = member
        self._ending = ending(*member)

    def _deflated(self, lines: bytes) -> tuple[bytes, tuple[int, int]]:
        """What to append for these lines, and the member as it is then."""
        start = b""
        crc, length = self._member or (0, 0)
        if self._member is None:
            start = self._ending + BEGINNING
            by, redacted = f"pf_exporter {__version__}", self._redaction is not None
            lines = line(recording=1, by=by, started=round(self._wall(), 6), redacted=redacted) + lines
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
        fd, self._fd = self._fd, None
        try:
            files = [self.path, *(f"{self.path}.{number}" for number in range(1, self._kept + 1))]
            for older, newer in zip(files[:0:-1], files[-2::-1], strict=True):
                if os.path.exists(newer):
                    os.replace(newer, older)
            if self._kept == 0:
                os.unlink(self.path)
        finally:
            os.close(fd)  # Not before: nobody else may take up a file that is about to be moved.
        self._open()
