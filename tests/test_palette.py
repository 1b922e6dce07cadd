"""PNG files with a palette, as tools/palette.py writes them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tools.palette import MAX_BYTES, decode, reduce

IMAGES = Path(__file__).parents[1] / "docs" / "img"
RED, GREY, WHITE = b"\xff\0\0", b"\x11\x12\x17", b"\xff\xff\xff"
LINES = ((RED, GREY, WHITE), (GREY, GREY, RED), (WHITE, RED, RED), (RED, WHITE, GREY), (WHITE, GREY, RED))


def png(content: bytes, color_type: int) -> bytes:
    """Return a PNG file of three columns and five rows."""
    data = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", 3, 5, 8, color_type, 0, 0, 0)
    for kind, part in ((b"IHDR", header), (b"IDAT", zlib.compress(content)), (b"IEND", b"")):
        data += struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
    return data


def filtered(line: bytes, above: bytes, kind: int, step: int) -> bytes:
    """Return a line after a filter of the PNG specification."""

    def predicted(index: int) -> int:
        left = line[index - step] if index >= step else 0
        up, corner = above[index], above[index - step] if index >= step else 0
        nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
        return (0, left, up, (left + up) // 2, nearest)[kind]

    return bytes([kind, *((value - predicted(index)) % 256 for index, value in enumerate(line))])


@pytest.mark.parametrize(("color_type", "alpha"), [(2, b""), (6, b"\xff")], ids=["RGB", "RGBA"])
def test_colors_stay(color_type: int, alpha: bytes) -> None:
    """A picture with few colors keeps each pixel, whatever the filters of its lines."""
    content, above = b"", bytes(3 * (3 + len(alpha)))
    for kind, line in enumerate(LINES):
        raw = b"".join(color + alpha for color in line)
        content += filtered(raw, above, kind, 3 + len(alpha))
        above = raw
    image = decode(png(content, color_type))
    assert image is not None
    assert image.pixels == [color for line in LINES for color in line]
    reduced = reduce(png(content, color_type))
    assert decode(reduced) is None
    palette = reduced.partition(b"PLTE")[2][:9]
    length = struct.unpack(">I", reduced.partition(b"IDAT")[0][-4:])[0]
    rows = zlib.decompress(reduced.partition(b"IDAT")[2][:length])
    indexes = [index for at in range(0, len(rows), 4) for index in rows[at + 1 : at + 4]]
    assert [palette[3 * index : 3 * index + 3] for index in indexes] == image.pixels
    assert reduce(reduced) == reduced


@pytest.mark.parametrize("picture", sorted(IMAGES.glob("*.png")), ids=lambda path: path.name)
def test_pictures_are_small(picture: Path) -> None:
    """Each picture of the documentation has a palette and is small; `python -m tools.palette` reduces it."""
    data = picture.read_bytes()
    assert decode(data) is None
    assert len(data) <= MAX_BYTES
