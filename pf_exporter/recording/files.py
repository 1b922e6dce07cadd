"""The files of a recording: the part being written, and the finished file.

While FILE is recorded, its lines are in ``FILE.part``, uncompressed. To finish it, FILE is written,
compressed, and then ``FILE.part`` is removed. So wherever both exist, FILE is complete and ``FILE.part``
holds the same lines or fewer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import zlib
from typing import BinaryIO

from pf_exporter.descriptor import write_all
from pf_exporter.errors import ConfigError
from pf_exporter.recording.compression import compress, decompress
from pf_exporter.recording.format import START

_SEARCH_BYTES = 1 << 16


def part_path(path: str) -> str:
    """Return where the lines of a recording are until it is finished."""
    return f"{path}.part"


def open_recording(path: str) -> BinaryIO:
    """Open a recording for reading, finished or not; raises OSError."""
    for name in (path, part_path(path)):
        with contextlib.suppress(FileNotFoundError):
            return open(name, "rb")
    return open(path, "rb")  # it may have been finished between the two attempts


def is_start(text: bytes) -> bool:
    """Whether a recording, even an incomplete one, can start with these bytes."""
    return text.startswith(START) or START.startswith(text)


def whole_size(fd: int) -> int:
    """Return the size of an open file up to its last newline; a torn line may follow."""
    end = os.fstat(fd).st_size
    while end > 0:
        start = max(end - _SEARCH_BYTES, 0)
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _refused(path: str, problem: str) -> ConfigError:
    return ConfigError([f"cannot record to {path}: {problem}"])


def _check_type(path: str) -> None:
    if os.path.isdir(path):
        raise _refused(path, "Is a directory; name another file")
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        raise _refused(path, "not a regular file; name another file")


def lock_file(path: str, flags: int = 0) -> int:
    """Open a file for reading and appending, and lock it; raises BlockingIOError if it is in use."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The previous owner may have moved or removed the file after it was opened here.
        if not (os.path.exists(path) and os.path.samestat(os.fstat(fd), os.stat(path))):
            raise BlockingIOError
    except OSError:
        os.close(fd)
        raise
    return fd


def _unpack(path: str, fd: int) -> None:
    """Append to ``FILE.part`` the lines of FILE that it lacks, then remove FILE."""
    another = _refused(path, f"{part_path(path)} is another recording; move one of them away")
    offset = 0
    head = b""
    try:
        with open(path, "rb") as file:
            for text, _ in decompress(file):
                head = (head + text)[: len(START)]
                present = os.pread(fd, len(text), offset)
                if not is_start(head):
                    break
                if not text.startswith(present):
                    raise another
                write_all(fd, text[len(present) :])
                offset += len(text)
    except (EOFError, zlib.error) as exc:
        if head:
            raise _refused(path, "it is damaged; move it away") from exc
    if not is_start(head) or (not head and os.path.getsize(path) > 0):
        raise _refused(path, "it is no recording; name another file")
    if whole_size(fd) > offset:
        raise another
    os.fsync(fd)
    os.unlink(path)


def open_part(path: str) -> int:
    """Open and lock ``FILE.part`` for appending; it then holds every whole line of the recording so far.

    A finished recording is unpacked, and a torn last line is cut off. A new file is for its owner
    only.

    Raises OSError, or :class:`ConfigError` if the file is in use or is no recording; in that case no file is
    changed.
    """
    part = part_path(path)
    _check_type(path)
    _check_type(part)
    try:
        fd = lock_file(part, os.O_CREAT)
    except BlockingIOError as exc:
        raise _refused(path, "another process is recording to it; name another file") from exc
    size = os.fstat(fd).st_size
    try:
        if not is_start(os.pread(fd, len(START), 0)):
            raise _refused(path, f"{part} is no recording; move it away")
        if os.path.exists(path):
            _unpack(path, fd)
        os.ftruncate(fd, whole_size(fd))
    except (OSError, ConfigError):
        os.ftruncate(fd, size)
        if size == 0:
            os.unlink(part)
        os.close(fd)
        raise
    return fd


def replace(temporary: str, path: str) -> None:
    """Give a synced file its final name, and sync the directory; raises OSError."""
    try:
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot do this for a directory
            os.fsync(fd)
    finally:
        os.close(fd)


def finish(path: str, fd: int) -> None:
    """Compress the whole lines of the open ``FILE.part`` to FILE, then remove it; raises OSError.

    FILE appears whole or not at all: it is written as ``FILE.tmp`` and renamed.
    """
    temporary = f"{path}.tmp"
    compress(fd, whole_size(fd), temporary)
    replace(temporary, path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part_path(path))
