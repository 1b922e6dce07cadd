from __future__ import annotations

import gzip
import io
import os
import random
import stat
import zlib
from pathlib import Path

import pytest

from pf_exporter.recording.compression import compress, decompress
from tests.recordings import limited_file_size

TEXT = random.Random(1).randbytes(30_000).hex().encode()


def text(content: bytes) -> bytes:
    return b"".join(piece for piece, _ in decompress(io.BytesIO(content)))


def text_and_error(content: bytes) -> tuple[bytes, Exception | None]:
    """The text up to where the file is torn or damaged, and the error there."""
    found = b""
    try:
        for piece, _ in decompress(io.BytesIO(content)):
            found += piece
    except (EOFError, zlib.error) as exc:
        return found, exc
    return found, None


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(TEXT)
    return path


def packed(source: Path, size: int, path: Path) -> None:
    fd = os.open(source, os.O_RDONLY)
    try:
        compress(fd, size, str(path))
    finally:
        os.close(fd)


def test_text_survives_compression(source: Path, tmp_path: Path) -> None:
    """The first bytes of a file, as many as asked for, come back from gzip and from decompress."""
    for size in (0, 1, 4096, len(TEXT)):
        packed(source, size, tmp_path / "out")
        content = (tmp_path / "out").read_bytes()
        assert gzip.decompress(content) == TEXT[:size] == text(content)


def test_only_the_owner_can_read_the_compressed_file(source: Path, tmp_path: Path) -> None:
    """The mode is 0600 whatever the umask."""
    before = os.umask(0)
    try:
        packed(source, 5, tmp_path / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_a_failure_leaves_no_file(source: Path, tmp_path: Path) -> None:
    """If the disk is full, no incomplete file is left."""
    with limited_file_size(100), pytest.raises(OSError, match="File too large"):
        packed(source, len(TEXT), tmp_path / "out")
    assert os.listdir(tmp_path) == ["source"]


def test_plain_text_is_yielded_as_it_is() -> None:
    """A file that does not start like gzip needs no decompression."""
    assert text(TEXT) == TEXT
    assert text(b"") == b""


def test_members_follow_each_other() -> None:
    """The text of all gzip members is yielded, with the end of each."""
    content = gzip.compress(b"one") + gzip.compress(TEXT) + gzip.compress(b"three")
    ends = [is_end for _, is_end in decompress(io.BytesIO(content))]
    assert text(content) == b"one" + TEXT + b"three"
    assert sum(ends) == 3
    assert ends[-1]


def test_a_torn_file_is_an_error() -> None:
    """However much of a gzip file is missing, the rest is yielded before the error."""
    start = b"some text, then more of it\n" * 3
    deflater = zlib.compressobj(wbits=31)
    content = deflater.compress(start) + deflater.flush(zlib.Z_SYNC_FLUSH)
    end = deflater.compress(TEXT) + deflater.flush()
    for size in range(0, len(end), 100):
        found, error = text_and_error(content + end[:size])
        assert isinstance(error, EOFError)
        assert found.startswith(start)
        assert (start + TEXT).startswith(found)


def test_text_before_damage_is_yielded() -> None:
    """Damage is an error, after every byte of text before it."""
    deflater = zlib.compressobj(wbits=31)
    content = deflater.compress(b"before") + deflater.flush(zlib.Z_SYNC_FLUSH) + b"\xff" * 100
    found, error = text_and_error(content)
    assert isinstance(error, zlib.error)
    assert found == b"before"


def test_a_flipped_bit_is_an_error() -> None:
    """The check sum at the end of a member is checked."""
    content = bytearray(gzip.compress(TEXT))
    content[-5] ^= 1
    with pytest.raises(zlib.error):
        text(bytes(content))
