from __future__ import annotations

import base64
import gzip
import io
import os
import random
import tracemalloc
import zlib
from pathlib import Path

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.recording.files import part_path
from pf_exporter.recording.format import MAX_LINE_BYTES, Mark, Record
from pf_exporter.recording.reader import read
from pf_exporter.recording.writer import RecordingWriter
from tests.conftest import FIXTURES
from tests.recording.test_format import LINE, NOT_LINES
from tests.recordings import frames, lines, one_line, record

BLOCKS = [b"one", b"two", b"three"]


def test_plain_and_compressed_recordings(path: str) -> None:
    """A recording is read whether it is compressed, uncompressed, or not finished."""
    content = record(path, BLOCKS)
    assert frames(path) == BLOCKS
    Path(path).write_bytes(gzip.decompress(content))
    assert frames(path) == BLOCKS
    os.rename(path, part_path(path))
    assert frames(path) == BLOCKS
    assert frames(part_path(path)) == BLOCKS


def test_a_finished_file_goes_first(path: str) -> None:
    """Where the part has not been removed yet, the compressed file is read, and no frame twice."""
    record(path, BLOCKS)
    Path(part_path(path)).write_bytes(b"".join(lines(BLOCKS[:1])))
    assert frames(path) == BLOCKS


def test_a_torn_last_line_is_left_out(path: str) -> None:
    """Wherever the file is cut, the whole lines are read."""
    pieces = list(lines(BLOCKS))
    content = b"".join(pieces)
    for size in range(len(content) + 1):
        Path(path).write_bytes(content[:size])
        whole = content[:size].count(b"\n")
        assert frames(path) == BLOCKS[: max(whole - 1, 0)]


def test_an_old_recording() -> None:
    """A recording of the old format, gzip with a flush after each frame, is read up to its torn end."""
    found = list(read(str(FIXTURES / "recording-torn.gz")))
    account = "account-1"
    assert [entry.mark for entry in found if entry.mark] == [
        Mark.OPENED,
        Mark.ENDED,
        Mark.OPENED,
        Mark.ROTATION_STARTED,
        Mark.ROTATION_SWITCHED,
        Mark.ROTATION_ABANDONED,
    ]
    assert found[1] == Record(1_632_342_870.0, account, b": heartbeat\n\n")
    assert found[-2] == Record(1_632_342_876.0, account, b"\xff\xfe not UTF-8\n\n")
    assert b'"bytes_rx_total": 7000' in found[-1].frame
    assert len(found) == 15


def test_a_damaged_recording_is_read_up_to_the_damage(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log gives the line where the damage is."""
    start, *rest = lines(BLOCKS)
    Path(path).write_bytes(flushed(start, *rest) + b"\xff" * 100)
    assert frames(path) == BLOCKS
    [logged] = caplog.records
    assert logged.getMessage() == "recording damaged"
    assert logged.__dict__["fields"] == {"file": path, "line": 5}


def packed(*lines: str) -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in ('{"recording": 1}', *lines)).encode())


DAMAGED = {
    **{f"line with {name}": (packed(LINE, line), 3) for name, line in NOT_LINES.items()},
    "text in a second member": (packed(LINE) + gzip.compress(b"hello\n"), 3),
    "another version in a second member": (packed(LINE) + gzip.compress(b'{"recording": 2}\n'), 3),
    "no newline": (gzip.compress(b'{"recording": 1}'), 1),
    "line too long": (gzip.compress(b'{"recording": 1}\n' + b"x" * (1 << 23)), 2),
    "list as header": (gzip.compress(b"[]\n"), 1),
    "no header": (gzip.compress(LINE.encode() + b"\n"), 1),
    "word": (b"hello", 1),
    "line of text": (b"hello\n", 1),
    "zeros": (bytes(100), 1),
}


@pytest.mark.parametrize(("content", "line"), DAMAGED.values(), ids=DAMAGED)
def test_an_error_gives_the_line(path: str, content: bytes, line: int) -> None:
    """A file that is not a recording, or was changed, is refused with its name and the line."""
    Path(path).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        list(read(path))
    assert f"line {line}: not a " in one_line(caught.value, path)


def test_what_cannot_be_read(path: str) -> None:
    """A file that is missing, and damage at the start, are each refused in one line."""
    with pytest.raises(ConfigError) as caught:
        list(read(path))
    assert "No such file" in one_line(caught.value, path)
    Path(path).write_bytes(b"\x1f\x8b\xff\xff")
    with pytest.raises(ConfigError) as caught:
        list(read(path))
    assert "not a recording" in one_line(caught.value, path)


def flushed(*texts: bytes) -> bytes:
    """A gzip member without an end, flushed after each text, as old recordings are."""
    deflater = zlib.compressobj(wbits=31)
    return b"".join(deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH) for text in texts)


def test_a_long_line_is_not_copied_for_each_piece(path: str) -> None:
    """A line grows in place, in however many pieces it arrives: it needs the memory of one copy."""
    start, long = b'{"recording": 1}\n', base64.b64encode(random.Random(1).randbytes(3_000_000))
    for content in (
        flushed(start, long, *[b"x"] * 20_000),
        flushed(start, long) + b"\0\0\0\xff\xff" * 20_000,
    ):
        Path(path).write_bytes(content)
        tracemalloc.start()
        assert list(read(path)) == []
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1.5 * len(long)


@pytest.mark.no_cover
def test_a_bomb_is_refused_before_it_is_large(path: str) -> None:
    """A small file that would be a line of a gigabyte costs the memory of a few lines."""
    bomb = io.BytesIO()
    deflater = zlib.compressobj(9, wbits=31)
    bomb.write(deflater.compress(b'{"recording": 1}\n'))
    for _ in range(256):
        bomb.write(deflater.compress(b"x" * (1 << 22)))
    bomb.write(deflater.flush())
    Path(path).write_bytes(bomb.getvalue())
    tracemalloc.start()
    try:
        for attempt in (lambda: list(read(path)), lambda: RecordingWriter(path).close()):
            tracemalloc.reset_peak()
            with pytest.raises(ConfigError):
                attempt()
            assert tracemalloc.get_traced_memory()[1] < 8 * MAX_LINE_BYTES
    finally:
        tracemalloc.stop()
