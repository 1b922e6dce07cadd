"""Helpers that make recordings and read them."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pf_exporter.errors import ConfigError
from pf_exporter.recording.files import part_path
from pf_exporter.recording.format import Record, encode, encode_header
from pf_exporter.recording.reader import read
from pf_exporter.recording.writer import RecordingWriter
from tests.conftest import tool


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def frames(path: str) -> list[bytes]:
    """The frames of a recording, without its marks."""
    return [record.frame for record in read(path) if record.mark is None]


def all_frames(path: str, kept: int) -> list[bytes]:
    """The frames of a recording and its rotated files, the oldest first."""
    names = [*(f"{path}.{number}" for number in range(kept, 0, -1)), path]
    return [
        frame
        for name in names
        if os.path.exists(name) or os.path.exists(part_path(name))
        for frame in frames(name)
    ]


def zcat(path: str) -> list[dict[str, object]]:
    """The lines of a compressed recording, as ``zcat`` shows them."""
    out = subprocess.run([tool("zcat"), path], check=True, capture_output=True)
    assert out.stderr == b""
    return [json.loads(line) for line in out.stdout.splitlines()]


def one_line(exc: ConfigError, path: str) -> str:
    """The text of an error, which is one line and names the file."""
    assert str(exc).count("\n") == 0
    assert path in str(exc)
    return str(exc)


def record(path: str, blocks: list[bytes]) -> bytes:
    """Record these frames, close the recording, and return the bytes of the file."""
    writer = RecordingWriter(path, wall=Clock())
    for block in blocks:
        writer.frame("a", block)
    writer.close()
    return Path(path).read_bytes()


def lines(blocks: list[bytes]) -> Iterator[bytes]:
    """The lines of a recording with these frames, uncompressed; the header is in the first."""
    yield encode_header(1.0, redacted=False)
    for block in blocks:
        yield encode(Record(2.0, "a", block))


@contextlib.contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let no file of this process grow above so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
