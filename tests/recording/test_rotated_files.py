from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pf_exporter.recording.compression import compress
from pf_exporter.recording.files import lock_file, part_path
from pf_exporter.recording.rotated_files import RotatedFiles
from pf_exporter.recording.writer import RecordingWriter
from tests.conftest import until
from tests.recordings import all_frames, frames, lines, record, zcat

EVENT = b"event: port|metrics\ndata: {}\n\n"


def rotated(path: str, kept: int) -> RotatedFiles:
    """The rotated files of a recording; errors fail the test."""

    def failed(exc: OSError) -> None:
        raise exc

    return RotatedFiles(path, kept, on_failure=failed)


def rotate(files: RotatedFiles, path: str, frame: bytes) -> None:
    """Rotate a recording with one frame."""
    Path(part_path(path)).write_bytes(b"".join(lines([frame])))
    files.rotate()


def numbered(path: str, kept: int) -> list[str | None]:
    """The one frame of each rotated file, the newest first; None where there is no file."""
    names = [f"{path}.{number}" for number in range(1, kept + 1)]
    return [
        frames(name)[0].decode() if os.path.exists(name) or os.path.exists(part_path(name)) else None
        for name in names
    ]


class SlowCompression:
    """Stands in for compress(): waits in the middle until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running = threading.Event()
        self.released = threading.Event()
        monkeypatch.setattr("pf_exporter.recording.rotated_files.compress", self)

    def __call__(self, source: int, size: int, path: str) -> None:
        self.running.set()
        assert self.released.wait(60)
        compress(source, size, path)


def test_rotated_files_move_up(path: str) -> None:
    """The newest is FILE.1; above the number to keep the oldest is removed."""
    files = rotated(path, 3)
    for name in ("a", "b", "c", "d"):
        rotate(files, path, name.encode())
        files.compress()
    assert numbered(path, 4) == ["d", "c", "b", None]
    assert sorted(os.listdir(os.path.dirname(path))) == ["stream.gz.1", "stream.gz.2", "stream.gz.3"]


def test_a_gap_ends_the_move(path: str) -> None:
    """A rotation that was interrupted has left a gap: files above it do not move again."""
    for number in (1, 3):
        record(f"{path}.{number}", [b"%d" % number])
    files = rotated(path, 3)
    rotate(files, path, b"new")
    files.compress()
    assert numbered(path, 4) == ["new", "1", "3", None]


def test_uncompressed_files_move_too(path: str) -> None:
    """Files that could not be compressed yet move up as they are, and are compressed with the next."""
    files = rotated(path, 3)
    for name in ("a", "b", "c", "d"):
        rotate(files, path, name.encode())
    assert sorted(os.listdir(os.path.dirname(path))) == [f"stream.gz.{n}.part" for n in (1, 2, 3)]
    files.compress()
    assert sorted(os.listdir(os.path.dirname(path))) == [f"stream.gz.{n}" for n in (1, 2, 3)]
    assert numbered(path, 4) == ["d", "c", "b", None]
    assert zcat(f"{path}.3")[1]["frame"] == "b"


def test_a_part_beside_its_compressed_file_does_not_move(path: str) -> None:
    """A kill between the two leaves the same lines twice; they are rotated once."""
    files = rotated(path, 2)
    record(f"{path}.1", [b"a"])
    Path(part_path(f"{path}.1")).write_bytes(b"".join(lines([b"a"])))
    rotate(files, path, b"b")
    files.compress()
    assert numbered(path, 2) == ["b", "a"]
    assert sorted(os.listdir(os.path.dirname(path))) == ["stream.gz.1", "stream.gz.2"]


def test_frames_are_written_while_a_file_is_compressed(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stream waits for a compression, not even if the next rotations come before its end."""
    slow = SlowCompression(monkeypatch)
    writer = RecordingWriter(path, limit=300, kept=9)
    for number in range(9):
        writer.frame("a", b"%d" % number + b"x" * 100)
        if number == 1:
            assert slow.running.wait(60)
    before_release = all_frames(path, 9)
    assert [frame[:1] for frame in before_release] == [b"%d" % number for number in range(9)]
    assert not os.path.exists(f"{path}.1")
    slow.released.set()
    writer.close()
    assert all_frames(path, 9) == before_release
    assert not [name for name in os.listdir(os.path.dirname(path)) if name.endswith((".part", ".tmp"))]


def test_a_file_that_is_removed_while_it_is_compressed(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the next rotations remove it, its compressed lines are dropped, too."""
    slow = SlowCompression(monkeypatch)
    files = rotated(path, 1)
    rotate(files, path, b"a")
    files.start_compression()
    assert slow.running.wait(60)
    rotate(files, path, b"b")
    slow.released.set()
    files.join()
    assert numbered(path, 1) == ["b"]
    assert os.listdir(os.path.dirname(path)) == ["stream.gz.1"]


def test_a_quick_close_leaves_the_compression_to_the_next_run(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At SIGTERM neither a rotated file nor a large recording is waited for, and nothing is lost."""
    slow = SlowCompression(monkeypatch)
    monkeypatch.setattr("pf_exporter.recording.writer.QUICK_WAIT", 0.0)
    monkeypatch.setattr("pf_exporter.recording.writer.QUICK_BYTES", 100)
    writer = RecordingWriter(path, limit=300, kept=3)
    for number in range(2):
        writer.frame("a", b"%d" % number + b"x" * 100)
    assert slow.running.wait(60)
    writer.close(quickly=True)
    assert writer.problem is None
    assert sorted(os.listdir(os.path.dirname(path))) == ["stream.gz.1.part", "stream.gz.part"]
    slow.released.set()
    until(lambda: os.path.exists(f"{path}.1"), "the thread ends")
    RecordingWriter(path, limit=300, kept=3).close()
    assert sorted(os.listdir(os.path.dirname(path))) == ["stream.gz", "stream.gz.1"]
    assert [frame[:1] for frame in all_frames(path, 3)] == [b"0", b"1"]


def test_failures_are_passed_on(path: str) -> None:
    """An error of a compression, such as a file that another process uses, is given to ``on_failure``."""
    failures: list[OSError] = []
    files = RotatedFiles(path, 1, on_failure=failures.append)
    rotate(files, path, b"a")
    fd = lock_file(part_path(f"{path}.1"))
    files.start_compression()
    files.join()
    os.close(fd)
    assert [type(exc) for exc in failures] == [BlockingIOError]
    files.start_compression()
    files.join()
    assert numbered(path, 1) == ["a"]
    assert len(failures) == 1
