"""Deflate blocks that are compressed once and can be combined into any number of gzip streams."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from isal import isal_zlib

CHUNK = 1 << 16
"""Bytes to compress at a time: isal starts a new block with each call, and small blocks compress badly."""
LEVEL = 1
"""The fastest level that looks for repetitions."""


class DeflateBlock(NamedTuple):
    """Compressed text that can be placed anywhere in a gzip stream."""

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


GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""The header of a gzip file without a name and a time."""
END_OF_STREAM = b"\x03\0"
INPUT_BYTES = 1 << 13
"""Compressed bytes to unpack at a time: what a slice of the text leaves over is copied."""


def _joined(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Join pieces of at most ``size`` bytes, so that few are much smaller."""
    parts: list[bytes] = []
    length = 0
    for piece in pieces:
        if length + len(piece) > size:
            yield b"".join(parts)
            parts.clear()
            length = 0
        parts.append(piece)
        length += len(piece)
    yield b"".join(parts)


class DeflatedText:
    """A text made of blocks, read slice by slice, so that only the blocks are in memory as a whole."""

    def __init__(self, blocks: Sequence[DeflateBlock]) -> None:
        self.blocks = blocks
        self.plain_size = sum(block.size for block in blocks)
        self.gzip_size = len(GZIP_HEADER) + len(END_OF_STREAM) + 8 + sum(len(b.deflated) for b in blocks)

    def gzip_slices(self, size: int) -> Iterator[bytes]:
        """A gzip file (RFC 1952), at most ``size`` bytes at a time.

        It has one member: some clients read only the first.
        """
        return _joined(self._gzip_pieces(size), size)

    def plain_slices(self, size: int) -> Iterator[bytes]:
        """The text, at most ``size`` bytes at a time."""
        return _joined(self._plain_pieces(size), size)

    def _gzip_pieces(self, size: int) -> Iterator[bytes]:
        yield GZIP_HEADER
        crc = 0
        for block in self.blocks:
            crc = isal_zlib.crc32_combine(crc, block.crc, block.size)
            for start in range(0, len(block.deflated), size):
                yield block.deflated[start : start + size]
        yield END_OF_STREAM + struct.pack("<LL", crc, self.plain_size % 2**32)

    def _plain_pieces(self, size: int) -> Iterator[bytes]:
        inflate = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
        for block in self.blocks:
            for start in range(0, len(block.deflated), INPUT_BYTES):
                packed = block.deflated[start : start + INPUT_BYTES]
                text = inflate.decompress(packed, size)
                while text:
                    yield text
                    text = inflate.decompress(inflate.unconsumed_tail, size)


def to_gzip(blocks: Sequence[DeflateBlock]) -> bytes:
    """Combine blocks into a gzip file."""
    return b"".join(DeflatedText(blocks).gzip_slices(sys.maxsize))


def decompress(blocks: Sequence[DeflateBlock]) -> bytes:
    """Return the uncompressed texts of all blocks."""
    size = sum(block.size for block in blocks)
    return isal_zlib.decompress(to_gzip(blocks), 16 + isal_zlib.MAX_WBITS, size)
