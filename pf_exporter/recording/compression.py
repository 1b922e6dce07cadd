"""Compression of recordings: gzip, read up to where it is torn."""

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


def compress(source: int, size: int, path: str) -> None:
    """Compress the first ``size`` bytes of an open file to ``path``, readable only by its owner, and sync it.

    Raises OSError; then there is no such file.
    """
    deflater = zlib.compressobj(wbits=_GZIP)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        offset = 0
        while data := os.pread(source, min(_COMPRESS_BYTES, size - offset), offset):
            write_all(target, deflater.compress(data))
            offset += len(data)
        write_all(target, deflater.flush())
        os.fsync(target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(target)
