from __future__ import annotations

import gzip
import io
import math
import random
import re
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.recording import format
from pf_exporter.recording.format import Record, Whole, read
from pf_exporter.recording.writer import RecordingWriter
from tests.recordings import Clock, frames, one_line, recorded, zcat

EVENT = b"event: port|metrics\ndata: {}\n\n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "stream.gz")


def test_a_recording_is_lines_of_json(path: str) -> None:
    """What is written is what the documentation says, for zcat and jq as for us."""
    clock = Clock()
    recorder = RecordingWriter(path, wall=clock)
    recorder.mark("prod", "opened")
    clock.now += 1.2500004
    recorder.frame("prod", EVENT)
    recorder.frame("prod", b"\xff\n")
    recorder.close()
    header, *lines = zcat(path)
    by = header.pop("by")
    assert re.fullmatch(r"pf_exporter \d+\.\d+.*", str(by))
    assert header == {"recording": 1, "started": 1_700_000_000.0, "redacted": False}
    assert lines == [
        {"at": 1_700_000_000.0, "account": "prod", "mark": "opened"},
        {"at": 1_700_000_001.25, "account": "prod", "frame": EVENT.decode()},
        {"at": 1_700_000_001.25, "account": "prod", "bytes": "/wo="},
    ]
    assert list(read(path)) == [
        Record(1_700_000_000.0, "prod", mark="opened"),
        Record(1_700_000_001.25, "prod", EVENT),
        Record(1_700_000_001.25, "prod", b"\xff\n"),
    ]


def test_of_a_damaged_recording_the_beginning_is_read(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """What stands before the damage is read, and the log says on which line it is."""
    blocks = [b"frame %d" % number for number in range(3)]
    content, [*_, end] = recorded(path, blocks)
    Path(path).write_bytes(content[:end] + b"\xff" * 100)
    assert frames(path) == blocks
    [record] = caplog.records
    assert record.getMessage() == "recording damaged"
    assert record.__dict__["fields"] == {"file": path, "line": 5}
    with pytest.raises(ConfigError) as caught:
        RecordingWriter(path)
    assert f"damaged from byte {end} on" in one_line(caught.value, path)


# Reading


def packed(*lines: str) -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in ('{"recording": 1}', *lines)).encode())


LINE = '{"at": 1, "account": "a", "frame": "x"}'


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (packed(LINE, "hello"), 3),
        (packed(LINE, "[1]"), 3),
        (packed(LINE, LINE.replace("1", '"x"')), 3),
        (packed(LINE, LINE.replace("1", "NaN")), 3),
        (packed(LINE, LINE.replace('"a"', "5")), 3),
        (packed(LINE, LINE.replace('"x"', "5")), 3),
        (packed(LINE, LINE.replace("frame", "picture")), 3),
        (packed(LINE, LINE.replace("frame", "bytes")), 3),
        (packed(LINE, LINE.replace('"x"', '"\\ud800"')), 3),
        (packed(LINE, "[" * 100_000), 3),
        (packed(LINE, ""), 3),
        (packed(LINE)[:-8] + packed(LINE)[-8:] + gzip.compress(b"hello\n"), 3),
        (packed(LINE) + gzip.compress(b'{"recording": 2}\n'), 3),
        (gzip.compress(b'{"recording": 1}'), 1),
        (gzip.compress(b'{"recording": 1}\n' + b"x" * (1 << 23)), 1),
        (gzip.compress(b"[]\n"), 1),
    ],
)
def test_what_is_no_line_is_told_with_its_number(path: str, content: bytes, line: int) -> None:
    """A file that others have made or changed is refused with its name and the line."""
    Path(path).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        list(read(path))
    assert f"line {line}: " in one_line(caught.value, path)


def test_what_cannot_be_read(path: str) -> None:
    """A file that is missing, and one that is not gzip, are refused in one line."""
    with pytest.raises(ConfigError) as caught:
        list(read(path))
    assert "No such file" in one_line(caught.value, path)
    Path(path).write_bytes(b"hello\n")
    with pytest.raises(ConfigError) as caught:
        list(read(path))
    assert "not a recording" in one_line(caught.value, path)


def flushed(*texts: bytes, level: int = 6) -> bytes:
    """A member without an end, each of the texts flushed."""
    deflater = zlib.compressobj(level, wbits=31)
    return b"".join(deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH) for text in texts)


def test_reading_takes_as_long_as_its_parts(path: str) -> None:
    """A long line, many pieces, and both at once: the last costs no more than the other two together."""
    start, long, pieces = b'{"recording": 1}\n', b"x" * 4_000_000, [b"x"] * 20_000
    files = {
        "long": flushed(start, long),
        "pieces": flushed(start, *pieces),
        "both": flushed(start, long, *pieces),
        "many flushes": flushed(start) + b"\0\0\0\xff\xff" * 20_000,
        "flushes after a long line": flushed(start, long) + b"\0\0\0\xff\xff" * 20_000,
    }
    costs = {}
    for name, content in files.items():
        Path(path).write_bytes(content)
        costs[name] = math.inf
        for _ in range(3):
            before = time.process_time()
            assert list(read(path)) == []
            costs[name] = min(costs[name], time.process_time() - before)
    parts = costs["long"] + costs["pieces"]
    # Copied for each piece, the line made it a thousand times the sum.
    assert max(costs["both"], costs["flushes after a long line"]) < 10 * parts
    assert costs["many flushes"] < 10 * costs["pieces"]


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
            assert tracemalloc.get_traced_memory()[1] < 8 * format.LONGEST_LINE
    finally:
        tracemalloc.stop()


# What is whole


def test_a_flush_by_chance() -> None:
    """Bytes like a flush in compressed data cost no frame: a write that holds them is whole, or refused."""
    start = b'{"recording": 1, "by": "x"}\n'
    odd = b'{"frame": "\0\0\xff\xff"}\n'  # as it is, without compression
    content = flushed(start, odd, level=0)
    before = len(flushed(start, level=0))
    marker = content.index(b"\0\0\xff\xff", before) + 4
    assert marker < len(content) - 4
    found = format.whole(content)
    assert found is not None
    assert (found.size, found.is_damaged) == (len(content), False)
    for size in range(before, len(content)):
        found = format.whole(content[:size])
        assert found is not None
        assert (found.size, found.is_damaged) == (before, size >= marker)


@pytest.mark.parametrize("level", [0, 6])
def test_a_flush_anywhere(level: int) -> None:
    """A line that is flushed is whole, also where a stretch that is looked through ends before its flush."""
    start = b'{"recording": 1, "by": "x"}\n'
    noise = random.Random(1).randbytes(9000).hex().encode()
    lengths = set()
    for size in range(4050, 4110) if level == 0 else range(7000, 7300):
        text = start + noise[:size] + b"\n"
        content = flushed(start, text[len(start) :], level=level)
        ending = format.ending(zlib.crc32(text), len(text))
        assert format.whole(content) == Whole(len(content), ending)
        lengths.add(len(content) - len(flushed(start, level=level)))
    assert lengths >= set(range(4090, 4110))


def test_a_file_that_is_sound(path: str) -> None:
    """Of a file that was closed all is whole, and nothing has to follow."""
    content, _ = recorded(path, [b"one", b"two"])
    assert format.whole(content) == Whole(len(content))
