from __future__ import annotations

import dataclasses
import gzip
import os
import random
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pf_exporter.recording.files import part_path
from pf_exporter.recording.format import Mark, Record
from pf_exporter.recording.reader import read
from pf_exporter.recording.redaction import Redaction
from pf_exporter.recording.stats import RecordingStats
from pf_exporter.recording.writer import RETRY_AFTER, RecordingWriter
from tests.recordings import Clock, all_frames, frames, limited_file_size, record, zcat

EVENT = b"event: port|metrics\ndata: {}\n\n"


BLOCKS = st.lists(
    st.binary(min_size=1, max_size=50) | st.text(min_size=1).map(lambda text: text.encode(errors="replace"))
)


@settings(max_examples=150)
@given(st.lists(BLOCKS, max_size=4), st.text(st.characters(codec="utf-8")))
def test_what_is_recorded_is_read(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[bytes]], account: str
) -> None:
    """Any bytes, in any number of runs, come back exactly."""
    path = str(tmp_path_factory.mktemp("round-trip") / "file")
    for blocks in runs:
        writer = RecordingWriter(path)
        for block in blocks:
            writer.frame(account, block)
        writer.close()
    if runs:
        assert frames(path) == [block for blocks in runs for block in blocks]
        assert {entry.account for entry in read(path)} <= {account}
    else:
        assert not os.path.exists(path)


def test_lines_are_compressed_at_the_end(path: str) -> None:
    """While it is recorded a recording is lines of text in FILE.part, afterwards the same lines in FILE."""
    clock = Clock()
    writer = RecordingWriter(path, wall=clock)
    writer.mark("prod", Mark.OPENED)
    clock.now += 1.25
    writer.frame("prod", EVENT)
    assert os.listdir(os.path.dirname(path)) == ["stream.gz.part"]
    assert writer.current_path == part_path(path)
    text = Path(part_path(path)).read_bytes()
    writer.close()
    assert os.listdir(os.path.dirname(path)) == ["stream.gz"]
    assert writer.current_path == path
    header, *lines = zcat(path)
    assert header["started"] == 1_700_000_000.0
    assert lines == [
        {"at": 1_700_000_000.0, "account": "prod", "mark": "opened"},
        {"at": 1_700_000_001.25, "account": "prod", "frame": EVENT.decode()},
    ]
    assert text.count(b"\n") == 3


def test_what_is_written_is_counted(path: str) -> None:
    """Frames, bytes of the file, frames and marks that failed, and the time of the last success."""
    clock = Clock()
    writer = RecordingWriter(path, wall=clock, clock=clock)
    assert writer.stats == RecordingStats()
    writer.mark("a", Mark.OPENED)
    writer.frame("a", EVENT)
    assert writer.stats == RecordingStats(
        frames=1, bytes=os.path.getsize(part_path(path)), last_success_at=clock.now
    )
    before = dataclasses.replace(writer.stats)
    clock.now += 1
    with limited_file_size(1):
        writer.frame("a", EVENT)
        writer.mark("a", Mark.ENDED)
    assert writer.stats == dataclasses.replace(before, lost=2)
    clock.now += RETRY_AFTER
    writer.frame("a", EVENT)
    assert writer.stats == RecordingStats(
        frames=2, bytes=os.path.getsize(part_path(path)), lost=2, last_success_at=clock.now
    )
    writer.close()


def test_every_frame_can_be_read_at_once(path: str) -> None:
    """A recording in progress can be read, each frame as soon as it is recorded."""
    writer = RecordingWriter(path)
    assert list(read(path)) == []
    for number in range(50):
        writer.frame("a", b"%d" % number)
        assert frames(path)[-1] == b"%d" % number
    writer.close()


def test_a_frame_is_one_write(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame, with the header before the first, is handed to the system by one write."""
    writes: list[bytes] = []
    write = os.write

    def counted(fd: int, data: bytes) -> int:
        writes.append(bytes(data))
        return write(fd, data)

    writer = RecordingWriter(path)
    monkeypatch.setattr(os, "write", counted)
    for _ in range(3):
        writer.frame("a", EVENT)
    monkeypatch.undo()
    assert [data.count(b"\n") for data in writes] == [2, 1, 1]
    writer.close()


def test_a_recording_without_a_frame_is_a_recording(path: str) -> None:
    """A recording that was closed before anything was received has a header and no records."""
    RecordingWriter(path).close()
    assert [list(line) for line in zcat(path)] == [["recording", "by", "started", "redacted"]]
    assert list(read(path)) == []


def test_after_the_end_nothing_is_written(path: str) -> None:
    """Frames and marks of a thread that still runs after the close are ignored."""
    writer = RecordingWriter(path)
    writer.close()
    writer.close()
    writer.frame("a", EVENT)
    writer.mark("a", Mark.ENDED)
    assert list(read(path)) == []
    assert (writer.problem, writer.stats.lost) == (None, 0)


def test_only_the_owner_can_read_the_files(path: str) -> None:
    """The part, the finished file and the rotated file have mode 0600 whatever the umask."""
    before = os.umask(0)
    try:
        writer = RecordingWriter(path, limit=1, kept=1)
        writer.frame("a", EVENT)
        writer.frame("a", EVENT)
        assert stat.S_IMODE(os.stat(part_path(path)).st_mode) == 0o600
        writer.close()
    finally:
        os.umask(before)
    for name in (path, f"{path}.1"):
        assert stat.S_IMODE(os.stat(name).st_mode) == 0o600


# Rotation


def test_rotation(path: str) -> None:
    """Files stay within the limit and their number, and hold the latest frames in order, compressed."""
    limit = 2000
    writer = RecordingWriter(path, limit=limit, kept=3)
    blocks = [random.Random(number).randbytes(100) for number in range(200)]
    for block in blocks:
        writer.frame("a", block)
        assert os.path.getsize(part_path(path)) <= limit
    writer.close()
    names = ["stream.gz", "stream.gz.1", "stream.gz.2", "stream.gz.3"]
    assert sorted(os.listdir(os.path.dirname(path))) == names
    found = all_frames(path, 3)
    assert found == blocks[-len(found) :]
    sizes = [len(gzip.decompress(Path(f"{path}.{number}").read_bytes())) for number in (1, 2, 3)]
    assert limit - 300 < min(sizes) <= max(sizes) <= limit


def test_rotation_without_old_files(path: str) -> None:
    """If no rotated file is to be kept, the lines so far are dropped."""
    writer = RecordingWriter(path, limit=2000)
    for number in range(200):
        writer.frame("a", random.Random(number).randbytes(100))
    writer.close()
    assert os.listdir(os.path.dirname(path)) == ["stream.gz"]
    assert frames(path)[-1] == random.Random(199).randbytes(100)
    assert len(frames(path)) < 15


def test_a_recording_above_the_limit_is_rotated_before_it_is_continued(path: str) -> None:
    """The lines of an earlier run are kept completely, as a rotated file."""
    record(path, [b"old"] * 50)
    writer = RecordingWriter(path, limit=2000, kept=1)
    writer.frame("a", b"new")
    writer.close()
    assert (frames(f"{path}.1"), frames(path)) == ([b"old"] * 50, [b"new"])


# Kills


RECORD = """
import itertools, sys
from pf_exporter.recording.writer import RecordingWriter
writer = RecordingWriter(sys.argv[1], limit=int(sys.argv[2]) or None, kept=1000)
for number in itertools.count(int(sys.argv[3])):
    writer.frame("a", b"frame %d " % number + b"x" * (number * 7919 % 3000))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("limit", [0, 20_000], ids=["one file", "rotated"])
def test_kill_at_any_moment(path: str, limit: int) -> None:
    """However often the process is killed, every frame it had recorded is there, once and in order."""
    chance = random.Random(7)
    number = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", RECORD, path, str(limit), str(number)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 400)):
            number = int(process.stdout.readline())
        process.kill()
        number = int([str(number), *process.stdout.read().split("\n")[:-1]][-1]) + 1
        process.stdout.close()
        process.wait()
        found = [int(frame.split()[1]) for frame in all_frames(path, 1000)]
        # The last frame may have been recorded without its number having been printed.
        assert len(found) in (number, number + 1)
        number = len(found)
        assert found == list(range(number))
    RecordingWriter(path).close()
    assert all(line for line in zcat(path))


# Errors


FULL = """
import resource, sys
from pf_exporter.recording.writer import RecordingWriter
now = 0.0
writer = RecordingWriter(sys.argv[1], wall=lambda: 1.0, clock=lambda: now)
kept = []
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
def frame(number):
    before = writer.stats.lost
    writer.frame("a", b"%d" % number + bytes(range(256)) * (number % 5))
    kept.append(writer.stats.lost == before)
for size in range(500, 20000, 700):
    limit(size)
    for number in range(len(kept), len(kept) + 40):
        frame(number)
        if writer.problem:
            break
    assert writer.problem == f"recording {sys.argv[1]}: File too large", writer.problem
    frame(len(kept))
    now += 60
    frame(len(kept))
    assert not kept[-3] and not kept[-2]
    now += 60
limit(resource.RLIM_INFINITY)
assert writer.problem is not None
frame(len(kept))
assert writer.problem is None
if sys.argv[2] == "close":
    writer.close()
print(*(number for number, is_kept in enumerate(kept) if is_kept), file=sys.stderr)
"""


@pytest.mark.parametrize("end", ["close", "die"])
def test_a_full_disk(path: str, end: str) -> None:
    """Lines that do not fit are dropped whole, reported and marked as a gap; then recording resumes."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, path, end], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stderr.splitlines()
    kept = [int(number) for number in last.split()]
    assert len(kept) > 20
    wanted = [b"%d" % number + bytes(range(256)) * (number % 5) for number in kept]
    assert frames(path) == wanted
    gaps = [entry for entry in read(path) if entry.mark is Mark.GAP]
    assert gaps
    RecordingWriter(path).close()
    assert len(zcat(path)) == 1 + len(wanted) + len(gaps)


def test_a_problem_is_reported_and_logged(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """One line reports why nothing is recorded, until recording resumes."""
    caplog.set_level("INFO")
    clock = Clock()
    writer = RecordingWriter(path, clock=clock)
    with limited_file_size(1):
        for _ in range(5):
            writer.frame("a", EVENT)
            writer.mark("a", Mark.ENDED)
    assert (writer.problem, writer.stats.lost) == (f"recording {path}: File too large", 10)
    clock.now += RETRY_AFTER
    writer.frame("a", EVENT)
    assert writer.problem is None
    writer.close()
    assert [logged.getMessage() for logged in caplog.records] == ["recording failed", "recording again"]
    assert [(entry.account, entry.mark) for entry in read(path)] == [("", Mark.GAP), ("a", None)]


def test_a_rotation_that_fails_is_repeated(path: str) -> None:
    """If the oldest file cannot be removed, recording stops at its limit, and resumes when it can."""
    clock = Clock()
    writer = RecordingWriter(path, limit=1000, kept=1, clock=clock)
    os.mkdir(f"{path}.1")
    Path(f"{path}.1", "file").touch()
    for number in range(20):
        writer.frame("a", random.Random(number).randbytes(50))
    assert str(writer.problem) == f"recording {path}: Is a directory"
    assert os.path.getsize(part_path(path)) <= 1000
    before = frames(path)
    Path(f"{path}.1", "file").unlink()
    os.rmdir(f"{path}.1")
    clock.now += RETRY_AFTER
    writer.frame("a", b"again")
    assert writer.problem is None
    writer.close()
    assert frames(f"{path}.1") == before
    assert frames(path) == [b"again"]


def test_what_cannot_be_compressed_stays_as_it_is(path: str) -> None:
    """If the disk is full at the end, the recording stays in FILE.part, and the next run compresses it."""
    noise = [random.Random(number).randbytes(1000) for number in range(20)]
    writer = RecordingWriter(path)
    for block in noise:
        writer.frame("a", block)
    with limited_file_size(1000):
        writer.close()
    assert writer.problem == f"recording {path}: File too large"
    assert os.listdir(os.path.dirname(path)) == ["stream.gz.part"]
    assert frames(path) == noise
    RecordingWriter(path).close()
    assert os.listdir(os.path.dirname(path)) == ["stream.gz"]
    assert frames(path) == noise


def test_a_file_of_the_same_name_is_not_replaced(path: str) -> None:
    """If FILE was created while recording, it stays, and so does the recording in FILE.part."""
    writer = RecordingWriter(path)
    writer.frame("a", EVENT)
    Path(path).write_text("not to be lost")
    writer.close()
    assert writer.problem == f"recording {path}: File exists"
    assert Path(path).read_text() == "not to be lost"
    assert frames(part_path(path)) == [EVENT]


def test_a_rotated_file_that_cannot_be_compressed(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """The file stays uncompressed, which is logged; recording continues, and the next run compresses it."""
    noise = [random.Random(number).randbytes(1000) for number in range(4)]
    os.mkdir(f"{path}.rotated.tmp")
    writer = RecordingWriter(path, limit=3000, kept=2)
    for block in noise[:3]:
        writer.frame("a", block)
    assert writer.problem is None
    writer.close()
    assert [logged.getMessage() for logged in caplog.records] == ["rotated recording not compressed"]
    assert writer.stats.failed_compressions == 1
    assert frames(part_path(f"{path}.1")) == noise[:2]
    os.rmdir(f"{path}.rotated.tmp")
    RecordingWriter(path, limit=3000, kept=2).close()
    assert sorted(os.listdir(os.path.dirname(path))) == ["stream.gz", "stream.gz.1"]
    assert all_frames(path, 2) == noise[:3]


# Redaction, and threads


def test_a_redacted_recording(path: str) -> None:
    """With redaction, frames and names of accounts are replaced, and the header records it."""
    writer = RecordingWriter(path, redaction=Redaction(b"key"))
    block = b'event: customer|auth\ndata: {"user": "hank"}\n\n'
    writer.frame("prod", block)
    writer.mark("lab", Mark.OPENED)
    writer.close()
    assert zcat(path)[0]["redacted"] is True
    assert [entry._replace(at=0) for entry in read(path)] == [
        Record(0, "account-1", Redaction(b"key").frame(block)),
        Record(0, "account-2", mark=Mark.OPENED),
    ]


def test_threads_share_a_recording(path: str) -> None:
    """Frames of several accounts at once are each whole, and in the order of their account."""
    writer = RecordingWriter(path, limit=20_000, kept=100)

    def record_frames(account: str) -> None:
        for number in range(300):
            writer.frame(account, b"%d" % number)

    threads = [threading.Thread(target=record_frames, args=(name,)) for name in ("a", "b", "c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    files = [name for index in range(100, 0, -1) if os.path.exists(name := f"{path}.{index}")] + [path]
    entries = [entry for name in files for entry in read(name)]
    for account in ("a", "b", "c", "d"):
        assert [entry.frame for entry in entries if entry.account == account] == [
            b"%d" % n for n in range(300)
        ]
    times = [entry.at for entry in entries]
    assert times == sorted(times)
