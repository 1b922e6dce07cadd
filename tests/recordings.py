"""Recordings for tests: made, and looked into."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from pf_exporter.errors import ConfigError
from pf_exporter.recording.format import read
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
    return [entry.frame for entry in read(path) if not entry.mark]


def zcat(path: str) -> list[dict[str, object]]:
    """What the tool everyone has makes of it."""
    out = subprocess.run([tool("zcat"), path], check=True, capture_output=True)
    assert out.stderr == b""
    return [json.loads(line) for line in out.stdout.splitlines()]


def one_line(exc: ConfigError, path: str) -> str:
    """The text of an error that is one line and names the file."""
    assert str(exc).count("\n") == 0
    assert path in str(exc)
    return str(exc)


def recorded(path: str, blocks: list[bytes]) -> tuple[bytes, list[int]]:
    """The bytes of a closed recording with these frames, and its size after each of them."""
    recorder = RecordingWriter(path, wall=Clock())
    sizes = []
    for block in blocks:
        recorder.frame("a", block)
        sizes.append(os.path.getsize(path))
    recorder.close()
    return Path(path).read_bytes(), sizes
