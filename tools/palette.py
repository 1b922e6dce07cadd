"""Reduces PNG files to a palette, in place: ``python -m tools.palette FILE...``.

A screenshot has few colors, so a palette makes its file several times smaller at almost no loss.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 150_000
"""The size above which a picture gets fewer colors."""
COLORS = (256, 128, 64, 48, 32)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
"""By color type: RGB and RGBA."""
_INDEXED = 3


class Image(NamedTuple):
    """An opaque picture of RGB triples, row by row."""

    width: int
    height: int
    pixels: list[bytes]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _paeth(left: int, above: int, corner: int) -> int:
    distances = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    nearest = min(distances)
    return left if distances[0] == nearest else above if distances[1] == nearest else corner


def _unfilter(kind: int, line: bytearray, above: bytes, step: int) -> None:
    """Undo the filter of a line in place; ``step`` is the bytes of a pixel (PNG specification, section 9)."""
    for index in range(len(line) if kind else 0):
        left = line[index - step] if index >= step else 0
        if kind == 1:
            predicted = left
        elif kind == 2:
            predicted = above[index]
        elif kind == 3:
            predicted = (left + above[index]) // 2
        else:
            predicted = _paeth(left, above[index], above[index - step] if index >= step else 0)
        line[index] = (line[index] + predicted) & 255


def decode(data: bytes) -> Image | None:
    """Read a PNG file with 8 bits per channel and without interlacing; None if it has a palette."""
    chunks = list(_chunks(data))
    width, height, depth, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if color_type == _INDEXED:
        return None
    if depth != 8 or interlaced or color_type not in _CHANNELS:
        raise ValueError(f"unsupported PNG: depth {depth}, color type {color_type}, interlaced {interlaced}")
    step = _CHANNELS[color_type]
    raw = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    pixels: list[bytes] = []
    above = bytes(width * step)
    for start in range(0, len(raw), width * step + 1):
        line = bytearray(raw[start + 1 : start + 1 + width * step])
        _unfilter(raw[start], line, above, step)
        above = bytes(line)
        pixels += (above[at : at + 3] for at in range(0, len(above), step))
    return Image(width, height, pixels)


def _distance(one: bytes, other: bytes) -> int:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


def choose(counts: Counter[bytes], size: int) -> list[bytes]:
    """Return the palette: the most frequent colors, then those that the palette represents worst.

    Of similar colors, only the most frequent one is considered.
    """
    palette = [color for color, _ in counts.most_common(size // 4)]
    groups: dict[tuple[int, ...], Counter[bytes]] = {}
    for color, count in counts.items():
        groups.setdefault(tuple(channel >> 4 for channel in color), Counter())[color] = count
    candidates = {group.most_common(1)[0][0]: group.total() for group in groups.values()}
    errors = {color: min(_distance(color, chosen) for chosen in palette) for color in candidates}
    while len(palette) < size and any(errors.values()):
        worst = max(candidates, key=lambda color: (candidates[color] * errors[color], color))
        palette.append(worst)
        errors = {color: min(error, _distance(color, worst)) for color, error in errors.items()}
    return palette


def encode(image: Image, size: int) -> bytes:
    """Write a PNG file with a palette of at most ``size`` colors."""
    counts = Counter(image.pixels)
    palette = choose(counts, size)
    indexes = {
        color: min(range(len(palette)), key=lambda index: _distance(palette[index], color))
        for color in counts
    }
    row = image.width
    lines = (image.pixels[start : start + row] for start in range(0, len(image.pixels), row))
    content = b"".join(b"\0" + bytes(map(indexes.__getitem__, line)) for line in lines)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, 8, _INDEXED, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(palette)),
            _chunk(b"IDAT", zlib.compress(content, 9)),
            _chunk(b"IEND", b""),
        )
    )


def reduce(data: bytes) -> bytes:
    """Return a PNG file with as many colors as ``MAX_BYTES`` permits; one with a palette unchanged."""
    image = decode(data)
    if image is None:
        return data
    for size in COLORS:
        reduced = encode(image, size)
        if len(reduced) <= MAX_BYTES:
            break
    return reduced


def main(files: Iterable[str]) -> None:
    """Reduce files in place."""
    for file in map(Path, files):
        file.write_bytes(reduce(file.read_bytes()))


if __name__ == "__main__":
    main(sys.argv[1:])
