"""A recording that is continued, refused, rotated, or interrupted anywhere."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.recording.files import open_part, part_path
from pf_exporter.recording.writer import RETRY_AFTER, RecordingWriter
from tests.conftest import FIXTURES
from tests.recordings import all_frames, frames, limited_file_size, lines, one_line, record, zcat

BLOCKS = [b"one", b"two", b"three"]
EVENT = b"event: port|metrics\ndata: {}\n\n"


def content(path: str) -> dict[str, bytes]:
    """Every file in the folder of a recording."""
    return {file.name: file.read_bytes() for file in Path(path).parent.iterdir()}


@contextlib.contextmanager
def opened(path: str) -> Iterator[int]:
    fd = open_part(path)
    try:
        yield fd
    finally:
        os.close(fd)


# Continuing


def test_a_torn_recording_is_continued(path: str) -> None:
    """Wherever a kill has cut the part, whole frames stay, the next follow, and zcat shows all of them."""
    whole = b"".join(lines(BLOCKS))
    for size in range(len(whole) + 1):
        Path(part_path(path)).write_bytes(whole[:size])
        record(path, [b"next"])
        kept = BLOCKS[: max(whole[:size].count(b"\n") - 1, 0)]
        assert frames(path) == [*kept, b"next"]
        record(path, [b"last"])
        assert frames(path) == [*kept, b"next", b"last"]
        assert sum("recording" in line for line in zcat(path)) == 2 + (size >= whole.index(b"\n") + 1)
        os.unlink(path)


def test_an_old_recording_is_continued(path: str) -> None:
    """A recording of the old format, gzip with a flush after each frame, becomes the start of a new one."""
    shutil.copy(FIXTURES / "recording.gz", path)
    before = frames(path)
    assert len(before) > 200
    record(path, [b"next"])
    assert frames(path) == [*before, b"next"]


def test_a_plain_recording_is_continued(path: str) -> None:
    """A recording that was decompressed is continued."""
    Path(path).write_bytes(b"".join(lines(BLOCKS)))
    record(path, [b"next"])
    assert frames(path) == [*BLOCKS, b"next"]


@pytest.mark.parametrize("zeros", [1, 20, 100_000])
def test_zeros_that_a_failed_machine_left(path: str, zeros: int) -> None:
    """A part that ends in zeros, for what had not reached the disk, is continued after its whole lines."""
    Path(part_path(path)).write_bytes(b"".join(lines(BLOCKS)) + bytes(zeros))
    record(path, [b"next"])
    assert frames(path) == [*BLOCKS, b"next"]


def test_unpacking_goes_on_where_it_was_interrupted(path: str) -> None:
    """Where both files exist, what the part lacks is taken from the finished file, and that is removed."""
    finished = record(path, BLOCKS)
    whole = gzip.decompress(finished)
    for size in range(len(whole) + 1):
        Path(path).write_bytes(finished)
        Path(part_path(path)).write_bytes(whole[:size])
        assert frames(path) == BLOCKS
        with opened(path):
            assert content(path) == {"stream.gz.part": whole}


# Refusing


NOT_RECORDINGS = {
    "text": b"hello\n" * 5,
    "gzip of text": gzip.compress(b"hello\n"),
    "gzip of nothing": gzip.compress(b"", mtime=0),
    "gzip of json": gzip.compress(b'{"recordings": 1}\n'),
    "another version": gzip.compress(b'{"recording": 2, "by": "x"}\n'),
    "noise": random.Random(2).randbytes(100),
    "cut gzip": gzip.compress(b"hello\n" * 100)[:12],
    "zeros": bytes(100),
    "gzip without its check": gzip.compress(b"")[:-5] + b"\0\0\0\0\1",
}


@pytest.mark.parametrize("name", ["stream.gz", "stream.gz.part"])
@pytest.mark.parametrize("data", NOT_RECORDINGS.values(), ids=NOT_RECORDINGS)
def test_what_is_not_a_recording_is_not_touched(path: str, name: str, data: bytes) -> None:
    """A file that is something else is refused in one line, and no file is changed, made or removed."""
    Path(path).with_name(name).write_bytes(data)
    with pytest.raises(ConfigError, match="is no recording") as caught:
        RecordingWriter(path)
    one_line(caught.value, path)
    assert content(path) == {name: data}


def test_a_torn_gzip_file_is_left_alone(path: str) -> None:
    """A gzip file without its end could be damaged as well: it is refused and not changed."""
    shutil.copy(FIXTURES / "recording-torn.gz", path)
    before = content(path)
    with pytest.raises(ConfigError, match="damaged; move it away"):
        RecordingWriter(path)
    assert content(path) == before


@pytest.mark.parametrize("torn", [b"", b'{"at": 1'], ids=["whole", "torn"])
def test_two_recordings_are_not_mixed(path: str, torn: bytes) -> None:
    """A part that is not the beginning of the finished file is refused, whichever is longer."""
    for finished, part in itertools.permutations(([b"one"], [b"one", b"two"], [b"three", b"four"]), 2):
        record(path, finished)
        Path(part_path(path)).write_bytes(gzip.decompress(Path(path).read_bytes()))
        whole = b"".join(lines(part)) + torn
        Path(part_path(path)).write_bytes(whole)
        before = content(path)
        with pytest.raises(ConfigError, match="is another recording; move one of them away"):
            RecordingWriter(path)
        assert content(path) == before
        os.unlink(path)
        os.unlink(part_path(path))


@pytest.mark.no_cover
def test_a_damaged_recording_is_left_alone(path: str) -> None:
    """Whatever bit is flipped, a finished file is refused and not touched, or continued without a loss."""
    sound = record(path, [random.Random(number).randbytes(60) for number in range(3)])
    text = gzip.decompress(sound)
    refused = 0
    flips = (*(1 << bit for bit in range(8)), 255)
    for at, flip in itertools.product(range(len(sound)), flips):
        damaged = bytearray(sound)
        damaged[at] ^= flip
        Path(path).write_bytes(damaged)
        try:
            os.close(open_part(path))
        except ConfigError as exc:
            problem = one_line(exc, path)
        else:
            assert content(path) == {"stream.gz.part": text}
            os.unlink(part_path(path))
            continue
        assert re.search("damaged; move it away|no recording; name another file", problem)
        assert content(path) == {"stream.gz": damaged}
        refused += 1
    assert 0.9 < refused / len(flips) / len(sound) < 1


def test_a_full_disk_leaves_the_finished_file(path: str) -> None:
    """Where there is no space to unpack a recording, it stays, and there is no part."""
    finished = record(path, BLOCKS * 100)
    with limited_file_size(len(finished) + 100), pytest.raises(ConfigError, match="File too large"):
        RecordingWriter(path)
    assert content(path) == {"stream.gz": finished}


def test_where_nothing_can_be_recorded(tmp_path: Path) -> None:
    """A directory, a device, a missing directory and a file in use are each refused in one line."""
    used = str(tmp_path / "used")
    (tmp_path / "part.part").mkdir()
    writer = RecordingWriter(used)
    for path, error in (
        (str(tmp_path), "Is a directory"),
        (str(tmp_path / "part"), "Is a directory"),
        ("/dev/null", "not a regular file"),
        (str(tmp_path / "missing" / "file"), "No such file or directory; create its directory"),
        (used, "another process is recording to it"),
    ):
        with pytest.raises(ConfigError) as caught:
            RecordingWriter(path)
        assert error in one_line(caught.value, path)
    writer.close()
    RecordingWriter(used).close()


# Rotation


def test_a_moving_file_has_one_writer(path: str) -> None:
    """A second writer that starts while the file is rotated is refused, or records to the file it named."""
    minutes = itertools.count(step=RETRY_AFTER)
    rotating = RecordingWriter(path, limit=1, clock=lambda: next(minutes))
    stop = threading.Event()

    def rotate_always() -> None:
        while not stop.is_set():
            rotating.frame("a", EVENT)

    thread = threading.Thread(target=rotate_always)
    thread.start()
    started = 0
    try:
        while started < 100:
            try:
                writer = RecordingWriter(path)
            except ConfigError:
                continue
            started += 1
            writer.frame("b", b"mine")
            found = frames(part_path(path))
            writer.close()
            assert found[-1:] == [b"mine"]
    finally:
        stop.set()
        thread.join()
        rotating.close()


# Kills

KILL_AT = """
import itertools, os, shutil, signal, sys
from pf_exporter.recording.rotated_files import RotatedFiles
from pf_exporter.recording.writer import RecordingWriter

folder, calls = sys.argv[1], itertools.count(1)

def killing(function, at):
    def call(*arguments, **keywords):
        if next(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return call

def record(path, start):
    writer = RecordingWriter(path, limit=500, kept=8)
    for number in range(start, start + 8):
        writer.frame("a", b"frame %d " % number + b"x" * 50)
    writer.close()

os.fsync = lambda fd: None  # a kill leaves what the system has
RotatedFiles.start_compression = RotatedFiles.compress  # without a thread the calls have one order
for at in itertools.count(1):
    path = f"{folder}/{at}/stream.gz"
    os.mkdir(f"{folder}/{at}")
    record(path, 0)
    child = os.fork()
    if child == 0:
        for name in ("open", "write", "replace", "unlink", "ftruncate", "fsync", "close"):
            setattr(os, name, killing(getattr(os, name), at))
        record(path, 8)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(at)
"""


def test_kill_at_every_system_call(tmp_path: Path) -> None:
    """Killed before any system call on its files, it loses and doubles no frame, and can be continued."""
    done = subprocess.run(
        [sys.executable, "-c", KILL_AT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kills = int(done.stdout) - 1
    assert kills > 50
    recorded = []
    for at in range(1, kills + 1):
        path = str(tmp_path / str(at) / "stream.gz")
        numbers = [int(frame.split()[1]) for frame in all_frames(path, 8)]
        assert numbers == list(range(len(numbers)))
        recorded.append(len(numbers))
        writer = RecordingWriter(path, limit=500, kept=8)
        writer.frame("a", b"frame %d" % len(numbers))
        writer.close()
        numbers = [int(frame.split()[1]) for frame in all_frames(path, 8)]
        assert numbers == list(range(recorded[-1] + 1))
        assert not list(Path(path).parent.glob("*.part"))
        assert not list(Path(path).parent.glob("*.tmp"))
    assert recorded == sorted(recorded)
    assert (recorded[0], recorded[-1]) == (8, 16)
