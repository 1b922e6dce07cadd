from __future__ import annotations

import gzip
import itertools
import os
import random
import re
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pf_exporter.errors import ConfigError
from pf_exporter.recording.format import GAP, LONGEST_FRAME, read
from pf_exporter.recording.redaction import Redaction
from pf_exporter.recording.writer import TRY_AGAIN, RecordingWriter
from tests.recordings import Clock, frames, one_line, recorded, zcat

EVENT = b"event: port|metrics\ndata: {}\n\n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "stream.gz")


BLOCKS = st.lists(
    st.binary(min_size=1, max_size=50) | st.text(min_size=1).map(lambda text: text.encode(errors="replace"))
)


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCKS, max_size=4), st.text(st.characters(codec="utf-8")))
def test_what_is_recorded_is_read(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[bytes]], account: str
) -> None:
    """Any bytes, in any number of runs, come back exactly."""
    path = str(tmp_path_factory.mktemp("round-trip") / "file")
    for blocks in runs:
        recorder = RecordingWriter(path)
        for block in blocks:
            recorder.frame(account, block)
        recorder.close()
    assert (
        frames(path) == [block for blocks in runs for block in blocks] if runs else not os.path.exists(path)
    )
    if runs:
        assert {entry.account for entry in read(path)} <= {account}


def test_a_large_frame_takes_several_lines(path: str) -> None:
    """A frame of any size and content comes back, in lines that a reader takes."""
    large = [
        b"\0" * (3 * LONGEST_FRAME + 1),
        random.Random(1).randbytes(2 * LONGEST_FRAME),
        "é".encode() * LONGEST_FRAME,
    ]
    recorder = RecordingWriter(path)
    for block in large:
        recorder.frame("a", block)
    recorder.close()
    assert b"".join(frames(path)) == b"".join(large)
    assert max(map(len, frames(path))) == LONGEST_FRAME


def test_every_frame_can_be_read_at_once(path: str) -> None:
    """A recording that goes on can be read, each frame as soon as it is recorded."""
    recorder = RecordingWriter(path)
    assert list(read(path)) == []
    for number in range(50):
        recorder.frame("a", b"%d" % number)
        assert frames(path)[-1] == b"%d" % number
    recorder.close()


def test_a_recording_without_a_frame_is_one(path: str) -> None:
    """What was closed before anything came is a whole gzip file without entries."""
    RecordingWriter(path).close()
    assert [list(line) for line in zcat(path)] == [["recording", "by", "started", "redacted"]]
    assert list(read(path)) == []


def test_after_the_end_nothing_is_written(path: str) -> None:
    """A thread that still runs when the recording is closed does no harm."""
    recorder = RecordingWriter(path)
    recorder.close()
    recorder.close()
    recorder.frame("a", EVENT)
    recorder.mark("a", "ended")
    assert list(read(path)) == []
    assert recorder.problem is None


def test_a_new_file_is_for_its_owner_alone(path: str) -> None:
    """Others cannot read what was recorded, also after a rotation, and whatever the umask."""
    before = os.umask(0)
    try:
        recorder = RecordingWriter(path, limit=1, kept=1)
        recorder.frame("a", EVENT)
        recorder.frame("a", EVENT)
        recorder.close()
    finally:
        os.umask(before)
    for name in (path, f"{path}.1"):
        assert stat.S_IMODE(os.stat(name).st_mode) == 0o600


# Torn ends


def test_a_recording_cut_anywhere_goes_on(path: str) -> None:
    """Wherever a kill has cut the file, frames that were whole stay, the next follow, and zcat reads all."""
    blocks = [b"frame %d " % number + random.Random(number).randbytes(20) for number in range(4)]
    first, ends = recorded(path, blocks[:2])
    content, later = recorded(path, blocks[2:])
    ends += later
    assert content.startswith(first)
    for size in range(len(content) + 1):
        Path(path).write_bytes(content[:size])
        whole = blocks[: sum(end <= size for end in ends)]
        assert frames(path)[: len(whole)] == whole
        recorder = RecordingWriter(path)
        recorder.frame("a", b"next")
        recorder.close()
        assert frames(path) == [*whole, b"next"]
        assert gzip.decompress(Path(path).read_bytes()).count(b'"frame 0') <= 1
        recorder = RecordingWriter(path)
        recorder.frame("a", b"last")
        recorder.close()
        assert frames(path) == [*whole, b"next", b"last"]
    assert len(whole) == 4
    assert len(zcat(path)) == 4 + 2 + 4


def test_what_follows_a_flush_by_chance_is_found(path: str) -> None:
    """A flush that ends across two of the stretches in which a file is looked through is not overlooked."""
    noise = random.Random(5)
    recorder = RecordingWriter(path)
    sizes = []
    for _ in range(300):
        recorder.frame("a", noise.randbytes(noise.randrange(1, 9000)))
        sizes.append(os.path.getsize(path))
    content = Path(path).read_bytes()
    recorder.close()
    for count in range(1, len(sizes), 7):
        Path(path).write_bytes(content[: sizes[count - 1]] + b"\xec\xfd"[: count % 3])
        RecordingWriter(path).close()
        assert len(frames(path)) == count


RECORD = """
import itertools, sys
from pf_exporter.recorder import Recorder
recorder = Recorder(sys.argv[1], limit=int(sys.argv[2]) or None, kept=1000)
for number in itertools.count(int(sys.argv[3])):
    recorder.frame("a", b"frame %d " % number + b"x" * (number * 7919 % 3000))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("limit", [0, 4000], ids=["one file", "rotated"])
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
        files = [path, *(f"{path}.{index}" for index in range(1, 1001))]
        found = [
            int(frame.split()[1])
            for name in reversed(files)
            if os.path.exists(name)
            for frame in frames(name)
        ]
        # The last may have been recorded and not been told of.
        assert found[:number] == list(range(number))
        number = len(found)
        assert found == list(range(number))
    RecordingWriter(path).close()
    assert all(line for line in zcat(path))


FLIPS = (*(1 << bit for bit in range(8)), 255)


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_a_damaged_recording_is_left_alone(path: str, end: str) -> None:
    """Whatever bit is flipped, a file is refused and not touched, or goes on without losing a frame."""
    noise = random.Random(3)
    first, _ = recorded(path, [noise.randbytes(60) for _ in range(2)])
    sound, [_, last] = recorded(path, [noise.randbytes(60) for _ in range(2)])
    checked = gzip.decompress(sound if end == "closed" else first)  # what a check sum stands behind
    if end == "killed":
        sound = sound[:last]
    refused = 0
    for at, flip in itertools.product(range(len(sound)), FLIPS):
        content = bytearray(sound)
        content[at] ^= flip
        Path(path).write_bytes(content)
        try:
            recorder = RecordingWriter(path)
        except ConfigError as exc:
            why = one_line(exc, path)
            assert re.search("damaged from byte [0-9]+ on; move it away|it is no recording", why)
            assert Path(path).read_bytes() == content
            refused += 1
        else:
            recorder.frame("a", b"next")
            recorder.close()
            after = Path(path).read_bytes()
            assert after.startswith(content[:last])
            text = gzip.decompress(after)
            assert text.startswith(checked)
            assert text.endswith(b'"frame": "next"}\n')
    assert 0.5 < refused / len(FLIPS) / len(sound) < 1


def test_damage_before_a_torn_end(path: str) -> None:
    """Where a file is damaged and torn as well, no more is cut off than the write that is torn."""
    noise = random.Random(4)
    _, sizes = recorded(path, [noise.randbytes(40) for _ in range(3)])
    content, later = recorded(path, [noise.randbytes(40)])
    sizes += later
    outcomes = set()
    for size in range(sizes[0], len(content), 3):
        whole = max(end for end in sizes if end <= size)
        for at in range(size % 7, size, 7):
            damaged = bytearray(content[:size])
            damaged[at] ^= 1 << (at + size) % 8
            Path(path).write_bytes(damaged)
            try:
                RecordingWriter(path).close()
            except ConfigError:
                assert Path(path).read_bytes() == damaged
                outcomes.add("refused")
            else:
                assert Path(path).read_bytes().startswith(damaged[:whole])
                outcomes.add("mended")
    assert outcomes == {"refused", "mended"}


@pytest.mark.parametrize("zeros", [20, 5000])
def test_zeros_that_a_failed_machine_left(path: str, zeros: int) -> None:
    """A file that ends in zeros, for what had not reached the disk, goes on after its last whole frame."""
    blocks = [random.Random(number).randbytes(20) for number in range(3)]
    content, ends = recorded(path, blocks)
    for size in range(ends[0], len(content) + 1):
        Path(path).write_bytes(content[:size] + bytes(zeros))
        recorder = RecordingWriter(path)
        recorder.frame("a", b"next")
        recorder.close()
        assert frames(path) == [*blocks[: sum(end <= size for end in ends)], b"next"]


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


@pytest.mark.parametrize("content", NOT_RECORDINGS.values(), ids=NOT_RECORDINGS)
def test_what_is_no_recording_is_not_touched(path: str, content: bytes) -> None:
    """A file that is something else is refused in one line, and stays what it is."""
    Path(path).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        RecordingWriter(path)
    assert "it is no recording" in one_line(caught.value, path)
    assert Path(path).read_bytes() == content


def test_where_nothing_can_be_recorded(tmp_path: Path) -> None:
    """A directory, a device, a missing directory and a file in use are each refused in one line."""
    used = str(tmp_path / "used")
    recorder = RecordingWriter(used)
    for path, why in (
        (str(tmp_path), "Is a directory"),
        ("/dev/null", "not a regular file"),
        (str(tmp_path / "missing" / "file"), "No such file or directory"),
        (used, "somebody else is recording to it"),
    ):
        with pytest.raises(ConfigError) as caught:
            RecordingWriter(path)
        assert why in one_line(caught.value, path)
    recorder.close()
    RecordingWriter(used).close()


# Rotation


def test_rotation(path: str) -> None:
    """Files stay within the limit and their number, and hold the latest frames in order, each closed well."""
    limit = 2000
    recorder = RecordingWriter(path, limit=limit, kept=3)
    blocks = [random.Random(number).randbytes(100) for number in range(200)]
    for block in blocks:
        recorder.frame("a", block)
    recorder.close()
    files = [f"{path}.3", f"{path}.2", f"{path}.1", path]
    assert sorted(os.listdir(os.path.dirname(path))) == sorted(map(os.path.basename, files))
    found = [frame for name in files for frame in frames(name)]
    assert found == blocks[-len(found) :]
    for name in files:
        assert os.path.getsize(name) <= limit
        assert len(zcat(name)) == 1 + len(frames(name))
    assert all(os.path.getsize(name) > limit - 300 for name in files[:-1])


def test_rotation_without_old_files(path: str) -> None:
    """With none to keep, the file begins anew."""
    recorder = RecordingWriter(path, limit=2000)
    for number in range(200):
        recorder.frame("a", random.Random(number).randbytes(100))
    recorder.close()
    assert os.listdir(os.path.dirname(path)) == ["stream.gz"]
    assert frames(path)[-1] == random.Random(199).randbytes(100)


def test_a_recording_above_the_limit_is_rotated_before_it_goes_on(path: str) -> None:
    """What an earlier run has left is kept whole, as an old file."""
    content = recorded(path, [b"old"] * 50)[0]
    recorder = RecordingWriter(path, limit=len(content), kept=1)
    recorder.frame("a", b"new")
    recorder.close()
    assert (frames(f"{path}.1"), frames(path)) == ([b"old"] * 50, [b"new"])


# What cannot be written


FULL = """
import resource, signal, sys
from pf_exporter.recorder import Recorder
now = 0.0
recorder = Recorder(sys.argv[1], wall=lambda: 1.0, clock=lambda: now)
kept = []
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
def frame(number):
    before = recorder.lost
    recorder.frame("a", b"%d" % number + bytes(range(256)) * (number % 5))
    kept.append(recorder.lost == before)
for size in range(200, 3000, 90):
    limit(size)
    for number in range(len(kept), len(kept) + 40):
        frame(number)
        if recorder.problem:
            break
    assert recorder.problem == f"recording {sys.argv[1]}: File too large", recorder.problem
    frame(len(kept))
    now += 60
    frame(len(kept))
    assert not kept[-3] and not kept[-2]
    now += 60
limit(resource.RLIM_INFINITY)
assert recorder.problem is not None
frame(len(kept))
assert recorder.problem is None
if sys.argv[2] == "close":
    recorder.close()
print(*(number for number, one in enumerate(kept) if one), file=sys.stderr)
"""


@pytest.mark.parametrize("end", ["close", "die"])
def test_a_full_disk(path: str, end: str) -> None:
    """What does not fit is lost whole, told of, marked as a gap and never raised; then recording goes on."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, path, end], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stderr.splitlines()
    kept = [int(number) for number in last.split()]
    assert len(kept) > 20
    wanted = [b"%d" % number + bytes(range(256)) * (number % 5) for number in kept]
    assert frames(path) == wanted
    gaps = [index for index, entry in enumerate(read(path)) if entry.mark == GAP]
    assert gaps
    RecordingWriter(path).close()
    assert len(zcat(path)) == 1 + len(wanted) + len(gaps)


@pytest.fixture
def lowered() -> Iterator[Callable[[int], None]]:
    """Sets how large a file of this process may become; at the end, as large as before."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_problem_is_known_and_logged(
    path: str, lowered: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looks sees in one line why nothing is recorded, until it is again."""
    caplog.set_level("INFO")
    clock = Clock()
    recorder = RecordingWriter(path, clock=clock)
    lowered(1)
    for _ in range(5):
        recorder.frame("a", EVENT)
        recorder.mark("a", "ended")
    lowered(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    assert (recorder.problem, recorder.lost) == (f"recording {path}: File too large", 10)
    clock.now += TRY_AGAIN
    recorder.frame("a", EVENT)
    assert recorder.problem is None
    recorder.close()
    assert [record.getMessage() for record in caplog.records] == ["recording failed", "recording again"]
    assert [(entry.account, entry.mark) for entry in read(path)] == [("", GAP), ("a", "")]


def test_a_rotation_that_fails_is_made_up_for(path: str) -> None:
    """Where the old file cannot be moved, the recording stops below its limit, and goes on when it can."""
    clock = Clock()
    recorder = RecordingWriter(path, limit=400, kept=1, clock=clock)
    os.mkdir(f"{path}.1")
    Path(f"{path}.1", "file").touch()
    for number in range(20):
        recorder.frame("a", random.Random(number).randbytes(50))
    assert str(recorder.problem) == f"recording {path}: Is a directory"
    assert os.path.getsize(path) <= 400
    before = frames(path)
    Path(f"{path}.1", "file").unlink()
    os.rmdir(f"{path}.1")
    clock.now += TRY_AGAIN
    recorder.frame("a", b"again")
    assert recorder.problem is None
    recorder.close()
    assert frames(f"{path}.1") == before
    assert frames(path) == [b"again"]


def test_a_file_on_its_way_is_taken_up_by_nobody(path: str) -> None:
    """Who begins to record while another moves its file away is refused, or records where it was told to."""
    minutes = itertools.count(step=TRY_AGAIN)
    rotating = RecordingWriter(path, limit=1, clock=lambda: next(minutes))
    stop = threading.Event()

    def rotate() -> None:
        while not stop.is_set():
            rotating.frame("a", EVENT)

    thread = threading.Thread(target=rotate)
    thread.start()
    began = 0
    try:
        while began < 500:
            try:
                recorder = RecordingWriter(path)
            except ConfigError:
                continue
            began += 1
            recorder.frame("b", b"mine")
            found = frames(path)
            recorder.close()
            assert found[-1:] == [b"mine"]
    finally:
        stop.set()
        thread.join()
        rotating.close()


# Redaction, and threads


def test_a_redacted_recording(path: str) -> None:
    """With redaction, neither frames nor names of accounts are what they were, and the header says so."""
    redaction = Redaction(b"key")
    recorder = RecordingWriter(path, redaction=redaction)
    block = b'event: customer|auth\ndata: {"user": "hank"}\n\n'
    recorder.frame("prod", block)
    recorder.mark("lab", "opened")
    recorder.close()
    assert zcat(path)[0]["redacted"] is True
    assert [(entry.account, entry.frame, entry.mark) for entry in read(path)] == [
        ("account-1", Redaction(b"key").frame(block), ""),
        ("account-2", b"", "opened"),
    ]


def test_threads_share_a_recording(path: str) -> None:
    """Frames of several accounts at once are each whole, and in the order of their account."""
    recorder = RecordingWriter(path, limit=20_000, kept=100)

    def record(account: str) -> None:
        for number in range(300):
            recorder.frame(account, b"%d" % number)

    threads = [threading.Thread(target=record, args=(name,)) for name in ("a", "b", "c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    files = [name for index in range(100, 0, -1) if os.path.exists(name := f"{path}.{index}")] + [path]
    entries = [entry for name in files for entry in read(name)]
    for account in ("a", "b", "c", "d"):
        assert [entry.frame for entry in entries if entry.account == account] == [
            b"%d" % n for n in range(300)
        ]
    times = [entry.at for entry in entries]
    assert times == sorted(times)
