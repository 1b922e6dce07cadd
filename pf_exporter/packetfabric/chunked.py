"""HTTP chunked bodies, whose bytes are yielded as they arrive, also those of a chunk that arrives slowly."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead
from typing import Protocol

MAX_LINE_BYTES = 65_536
"""Bytes of a chunk's size, or of a trailer."""


class BufferedFile(Protocol):
    """A file as a socket's ``makefile`` returns it."""

    def readline(self, size: int, /) -> bytes:
        """Read a line, or ``size`` bytes of it."""

    def read(self, size: int, /) -> bytes:
        """Read ``size`` bytes; fewer only at the end."""

    def read1(self, size: int, /) -> bytes:
        """Read up to ``size`` bytes, with one system call at most."""


def _line_problem(line: bytes) -> HTTPException:
    if len(line) > MAX_LINE_BYTES:
        return HTTPException("line too long")
    return IncompleteRead(b"")


def read_chunks(file: BufferedFile, limit: int) -> Iterator[bytes]:
    """Yield the content of a chunked body, at most ``limit`` bytes at a time.

    ``file`` is the buffered file of the connection after the headers. Raises HTTPException if the framing is
    invalid or incomplete, and what reading raises. A chunk that has arrived as a whole is yielded as a whole
    where it is in the buffer of ``file``: the parser is faster with whole events. The read1 of http.client
    does the same at a higher cost per chunk, and read_chunked of urllib3 waits for ``limit`` bytes.
    """
    readline, read, read1 = file.readline, file.read, file.read1
    while True:
        line = readline(MAX_LINE_BYTES + 1)
        try:
            left = int(line.partition(b";")[0], 16)
        except ValueError:
            left = -1
        if left < 0 or not line.endswith(b"\n"):
            raise _line_problem(line)
        if not left:
            break
        while left:
            data = read1(left if left < limit else limit)
            if not data:
                raise IncompleteRead(b"")
            left -= len(data)
            yield data
        if read(2) != b"\r\n":
            raise IncompleteRead(b"")
    while (line := readline(MAX_LINE_BYTES + 1)) not in (b"\r\n", b"\n", b""):
        if len(line) > MAX_LINE_BYTES:
            raise _line_problem(line)
