from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.recording.format import Mark, Record
from pf_exporter.recording.reader import read
from pf_exporter.recording.tap import RecordingTap
from pf_exporter.recording.writer import RecordingWriter
from tests.recordings import Clock

EVENT = b"event: port|metrics\ndata: {}\n\n"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RecordingWriter]:
    writer = RecordingWriter(str(tmp_path / "stream.gz"), wall=Clock(1.0))
    yield writer
    writer.close()


def test_bytes_pass_unchanged_and_frames_are_recorded(writer: RecordingWriter) -> None:
    """Chunks pass as they are; frames are recorded whole, between the marks of the stream."""
    chunks = [b": heartbeat\n", EVENT[:10], EVENT[10:], EVENT + EVENT[:5]]
    assert list(RecordingTap("a", writer).tap(iter(chunks))) == chunks
    assert list(read(writer.path)) == [
        Record(1.0, "a", mark=Mark.OPENED),
        *(Record(1.0, "a", frame) for frame in (b": heartbeat\n", EVENT, EVENT, EVENT[:5])),
        Record(1.0, "a", mark=Mark.ENDED),
    ]


def test_a_frame_is_recorded_before_it_passes(writer: RecordingWriter) -> None:
    """An event that the exporter has decoded is in the recording, even if decoding it ended the process."""
    chunks = RecordingTap("a", writer).tap(iter([EVENT, EVENT]))
    next(chunks)
    assert [record.frame for record in read(writer.path)] == [b"", EVENT]


def test_the_end_is_recorded_whatever_ends_the_stream(writer: RecordingWriter) -> None:
    """A stream that breaks ends in the recording with the bytes that were received."""

    def broken() -> Iterator[bytes]:
        yield EVENT[:5]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        list(RecordingTap("a", writer).tap(broken()))
    assert list(read(writer.path))[1:] == [Record(1.0, "a", EVENT[:5]), Record(1.0, "a", mark=Mark.ENDED)]


def test_marks(writer: RecordingWriter) -> None:
    """The rotation of a stream is recorded by its marks."""
    tap = RecordingTap("a", writer)
    for mark in (Mark.ROTATION_STARTED, Mark.ROTATION_SWITCHED):
        tap.mark(mark)
    assert [record.mark for record in read(writer.path)] == [Mark.ROTATION_STARTED, Mark.ROTATION_SWITCHED]
