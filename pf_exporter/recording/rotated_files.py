"""The rotated files of a recording: FILE.1, the newest, FILE.2 and so on, compressed by a thread.

A rotated file is ``FILE.1.part`` until it is compressed. It moves up as it is, so no rotation waits for a
compression.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable

from pf_exporter.recording.compression import compress
from pf_exporter.recording.files import lock_file, part_path, replace, whole_size


def _exists(name: str) -> bool:
    return os.path.exists(name) or os.path.exists(part_path(name))


def _remove(name: str) -> None:
    for path in (part_path(name), name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _move(name: str, target: str) -> None:
    if not os.path.exists(name):
        os.replace(part_path(name), part_path(target))
        return
    with contextlib.suppress(FileNotFoundError):  # it holds the same lines
        os.unlink(part_path(name))
    os.replace(name, target)


class RotatedFiles:
    """The rotated files of the recording at ``path``, at most ``kept`` of them.

    ``on_failure`` is called with each error of the thread that compresses. :meth:`rotate` is for one thread.
    """

    def __init__(self, path: str, kept: int, *, on_failure: Callable[[OSError], None]) -> None:
        self._path = path
        self._names = [f"{path}.{number}" for number in range(1, kept + 1)]
        self._temporary = f"{path}.rotated.tmp"
        self._on_failure = on_failure
        self._names_lock = threading.Lock()
        """Held while files get other names, never while one is compressed."""
        self._compressing = threading.Lock()
        self._thread: threading.Thread | None = None

    def rotate(self) -> None:
        """Rename ``FILE.part`` to ``FILE.1.part``, after FILE.1 to FILE.2 and so on; raises OSError.

        Removes the oldest file if as many as are kept exist. After an error it can be called again.
        """
        names = self._names
        with self._names_lock:
            if not names:
                os.unlink(part_path(self._path))
                return
            present = list(itertools.takewhile(_exists, names))
            if len(present) == len(names):
                _remove(present.pop())
            for index in reversed(range(len(present))):
                _move(names[index], names[index + 1])
            os.replace(part_path(self._path), part_path(names[0]))

    def start_compression(self) -> None:
        """Compress on a thread what is not compressed yet, after a thread that does so already."""
        self._thread = threading.Thread(target=self._compress, name="compress recording", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until everything is compressed, at most ``timeout`` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _compress(self) -> None:
        try:
            self.compress()
        except OSError as exc:
            self._on_failure(exc)

    def compress(self) -> None:
        """Compress the files that are not compressed yet, the oldest first; raises OSError."""
        with self._compressing:
            while (fd := self._open_oldest_part()) is not None:
                try:
                    compress(fd, whole_size(fd), self._temporary)
                    self._finish(fd)
                finally:
                    os.close(fd)

    def _open_oldest_part(self) -> int | None:
        with self._names_lock:
            for name in reversed(self._names):
                with contextlib.suppress(FileNotFoundError):
                    return lock_file(part_path(name))
        return None

    def _finish(self, fd: int) -> None:
        """Replace an open part by the temporary file, unless it was removed meanwhile."""
        with self._names_lock:
            for name in self._names:
                part = part_path(name)
                if os.path.exists(part) and os.path.samestat(os.fstat(fd), os.stat(part)):
                    replace(self._temporary, name)
                    os.unlink(part)
                    return
        os.unlink(self._temporary)
