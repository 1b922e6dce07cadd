"""The writer of a recording: it hands each frame to the operating system with one write.

If the process is killed, only the frame being written can be lost. If the machine fails, what was not yet on
its disk is lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable

from pf_exporter.descriptor import write_all
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.recording.files import finish, open_part, part_path
from pf_exporter.recording.format import Mark, Record, encode, encode_header
from pf_exporter.recording.redaction import Redaction
from pf_exporter.recording.rotated_files import RotatedFiles
from pf_exporter.recording.stats import RecordingStats

RETRY_AFTER = 60.0
"""Seconds until writing is tried again after an error."""
QUICK_BYTES = 64 << 20
"""Size up to which a recording is compressed also if that has to be quick: half a second of one core."""
QUICK_WAIT = 0.5
"""Seconds to wait for the compression of rotated files, if that has to be quick."""


class RecordingWriter:
    """Writes frames and marks of any number of accounts to one recording; any thread may call.

    The lines go to ``FILE.part``, and :meth:`close` compresses them to FILE. An existing recording is
    continued. ``limit`` bounds the bytes of ``FILE.part``, which always holds at least one frame: when it is
    full it becomes FILE.1, FILE.1 becomes FILE.2, and so on, up to ``kept`` files, which a thread compresses.

    Raises :class:`ConfigError` if recording cannot start. Later it raises nothing: what cannot be written is
    counted in ``stats``, ``problem`` holds the error, and writing is tried again after ``RETRY_AFTER``.
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
        """Why recording fails at the moment, in one line; None while it works."""
        self.stats = RecordingStats()
        self._rotated = RotatedFiles(path, kept, on_failure=self._compression_failed)
        self._limit = limit
        self._redaction = redaction
        self._wall = wall
        self._clock = clock
        self._log = Logger(__name__)  # not shared, because it limits how often a message is repeated
        self._lock = threading.Lock()
        self._retry_at = 0.0
        self._is_closed = False
        self._fd: int | None = None
        self._size = 0
        """Bytes of whole lines in the file."""
        self._is_torn = False
        """Whether a part of a write that failed may follow them."""
        self._has_header = False
        """Whether the header of this run has been written to the file."""
        try:
            self._open()
        except OSError as exc:
            remedy = "create its directory" if isinstance(exc, FileNotFoundError) else "name another file"
            raise ConfigError([f"cannot record to {path}: {exc.strerror}; {remedy}"]) from exc
        self._rotated.start_compression()

    @property
    def current_path(self) -> str:
        """The file that holds the latest lines: FILE once it is closed, ``FILE.part`` before."""
        part = part_path(self.path)
        return part if os.path.exists(part) else self.path

    def frame(self, account: str, frame: bytes) -> None:
        """Record a frame, or a piece of one, that was received on an account's stream."""
        with self._lock:
            if self._is_writable():
                if self._redaction is not None:
                    frame = self._redaction.frame(frame)
                self._append(Record(self._wall(), self._name(account), frame))

    def mark(self, account: str, mark: Mark) -> None:
        """Record a mark for an account's stream."""
        with self._lock:
            if self._is_writable():
                self._append(Record(self._wall(), self._name(account), mark=mark))

    def close(self, *, quickly: bool = False) -> None:
        """Compress the recording; later frames and marks are ignored.

        If that fails ``problem`` is set, and the recording stays whole in ``FILE.part``. So it does, with
        ``quickly``, if it is larger than ``QUICK_BYTES``; the next writer continues it.
        """
        with self._lock:
            self._close(quickly=quickly)
        self._rotated.join(QUICK_WAIT if quickly else None)

    def _close(self, *, quickly: bool) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            fd = self._fd if self._fd is not None else self._open()
            self._cut_torn(fd)
            if self._size == 0:
                self._write(fd, self._header())
            if os.path.exists(self.path):  # it was created since, and is not ours to replace
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            if not quickly or self._size <= QUICK_BYTES:
                finish(self.path, fd)
        except (OSError, ConfigError) as exc:
            self._fail(exc)
        finally:
            self._close_file()

    def _name(self, account: str) -> str:
        return account if self._redaction is None else self._redaction.account(account)

    def _header(self) -> bytes:
        return encode_header(self._wall(), redacted=self._redaction is not None)

    def _is_writable(self) -> bool:
        if self._is_closed:
            return False
        if self.problem is not None and self._clock() < self._retry_at:
            self.stats.lost += 1
            return False
        return True

    def _append(self, record: Record) -> None:
        lines = encode(record)
        if self.problem is not None:
            lines = encode(Record(self._wall(), "", mark=Mark.GAP)) + lines
        try:
            fd = self._fd if self._fd is not None else self._open()
            header = b"" if self._has_header else self._header()
            if self._limit is not None and 0 < self._size > self._limit - len(header) - len(lines):
                fd, header = self._rotate(), self._header()
            self._write(fd, header + lines)
        except (OSError, ConfigError) as exc:
            self.stats.lost += 1
            self._fail(exc)
        else:
            self._has_header = True
            self.stats.frames += record.mark is None
            self.stats.last_success_at = self._wall()
            if self.problem is not None:
                self._log.info("recording again", file=self.path, lost=self.stats.lost)
                self.problem = None

    def _fail(self, exc: OSError | ConfigError) -> None:
        error = exc.strerror or type(exc).__name__ if isinstance(exc, OSError) else exc
        self.problem = f"recording {self.path}: {error}"
        self._retry_at = self._clock() + RETRY_AFTER
        self._log.warning_throttled(
            "problem", "recording failed", file=self.path, error=error, lost=self.stats.lost
        )

    def _open(self) -> int:
        self._fd = fd = open_part(self.path)
        self._size = os.fstat(fd).st_size
        self._is_torn = self._has_header = False
        return fd

    def _close_file(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _cut_torn(self, fd: int) -> None:
        if self._is_torn:
            os.ftruncate(fd, self._size)
            self._is_torn = False

    def _write(self, fd: int, lines: bytes) -> None:
        """Append all of the lines or nothing; raises OSError."""
        self._cut_torn(fd)
        self._is_torn = True
        try:
            write_all(fd, lines)
        except OSError:
            with contextlib.suppress(OSError):
                self._cut_torn(fd)
            raise
        self._is_torn = False
        self._size += len(lines)
        self.stats.bytes += len(lines)

    def _rotate(self) -> int:
        try:
            self._rotated.rotate()
        finally:
            self._close_file()  # only now: until it is renamed no other writer may open it
        fd = self._open()
        self._rotated.start_compression()
        return fd

    def _compression_failed(self, exc: OSError) -> None:  # tried again at the next rotation
        self.stats.failed_compressions += 1
        self._log.warning_throttled("compress", "rotated recording not compressed", file=self.path, error=exc)
