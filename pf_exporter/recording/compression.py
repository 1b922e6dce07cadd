"""Compression of recordings: gzip, written atomically and read up to where it is torn."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pf_exporter.descriptor import write_all

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31  # zlib's wbits for a gzip header and the largest window
# Bytes read at once: they inflate to 4 MiB at most, so a small file cannot take much memory.
_READ_BYTES = 4096
_COMPRESS_BYTES = 1 << 20


def decompress(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield the text of a file in pieces, and whether a gzip member ends after the piece.

    A file that does not start like gzip is yielded as it is. Raises ``EOFError`` where a gzip member is torn
    and ``zlib.error`` where it is damaged, after the text before it.
    """
    data = file.read(_READ_BYTES)
    if not data.startswith(_GZIP_MAGIC):
        while data:
            yield data, False
            data = file.read(_READ_BYTES)
        return
    inflater = zlib.decompressobj(wbits=_GZIP)
    is_end = False
    while data:
        before = inflater.copy()
        try:
            text = inflater.decompress(data)
        except zlib.error:
            # zlib returns nothing of input that is damaged: feed it byte by byte, up to the damage.
            for byte in data:
                yield before.decompress(bytes((byte,))), False
            raise
        is_end = inflater.eof
        yield text, is_end
        data = inflater.unused_data or file.read(_READ_BYTES)
        if is_end:
            inflater = zlib.decompressobj(wbits=_GZIP)
    if not is_end:
        raise EOFError


def _sync_directory(path: str) -> None:
    fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot do this for a directory
            os.fsync(fd)
    finally:
        os.close(fd)


def compress(source: int, size: int, path: str) -> None:
    """Compress the first ``size`` bytes of an open file to ``path``, readable only by its owner.

    The file appears whole or not at all: it is written as ``<path>.tmp``, synced and renamed. Raises OSError.
    """
    temporary = f"{path}.tmp"
    deflater = zlib.compressobj(wbits=_GZIP)
    target = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        offset = 0
        while data := os.pread(source, min(_COMPRESS_BYTES, size - offset), offset):
            write_all(target, deflater.compress(data))
            offset += len(data)
        write_all(target, deflater.flush())
        os.fsync(target)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(target)
    _sync_directory(path)
