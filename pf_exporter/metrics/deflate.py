"""Deflate blocks that are compressed once and can be combined into any number of gzip streams."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from isal import isal_zlib

CHUNK = 1 << 16
"""Bytes to compress at a time: isal starts a new block with each call, and small blocks compress badly."""
LEVEL = 1
"""The fastest level that looks for repetitions."""


class DeflateBlock(NamedTuple):
    """Compressed text that can stand anywhere in a gzip stream."""

    deflated: bytes
    size: int
    """Bytes before compression."""
    crc: int
    """CRC-32 of the text."""


def _chunks(texts: Iterable[bytes]) -> Iterator[bytearray]:
    chunk = bytearray()
    for text in texts:
        chunk += text
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = bytearray()
    yield chunk


def compress(texts: Iterable[bytes]) -> DeflateBlock:
    """Compress the concatenated texts."""
    deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    deflated = []
    size = crc = 0
    for chunk in _chunks(texts):
        size += len(chunk)
        crc = isal_zlib.crc32(chunk, crc)
        deflated.append(deflate.compress(chunk))
    # A full flush ends at a byte boundary, without ending the stream.
    deflated.append(deflate.flush(isal_zlib.Z_FULL_FLUSH))
    return DeflateBlock(b"".join(deflated), size, crc)


def to_gzip(blocks: Sequence[DeflateBlock]) -> bytes:
    """Combine blocks into a gzip file of one member (RFC 1952): some clients read only the first member."""
    size = crc = 0
    for block in blocks:
        size += block.size
        crc = isal_zlib.crc32_combine(crc, block.crc, block.size)
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    end_of_stream = b"\x03\0"
    trailer = struct.pack("<LL", crc, size % 2**32)
    return b"".join((header, *(block.deflated for block in blocks), end_of_stream, trailer))


def decompress(blocks: Sequence[DeflateBlock]) -> bytes:
    """Return the uncompressed texts of all blocks."""
    size = sum(block.size for block in blocks)
    return isal_zlib.decompress(to_gzip(blocks), 16 + isal_zlib.MAX_WBITS, size)
