from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pf_exporter.packetfabric import sse
from pf_exporter.recording import framing
from pf_exporter.recording.framing import FrameSplitter

NEWLINES = [b"\n", b"\r", b"\r\n"]
EVENT = b"event: port|metrics\ndata: {}\n\n"


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def pushed(chunks: list[bytes], limit: int = sse.MAX_EVENT_BYTES) -> tuple[list[bytes], bytes]:
    """Return every frame, and the bytes after the last one."""
    stream = FrameSplitter(limit)
    found = [frame for chunk in chunks for frame in stream.push(chunk)]
    return found, stream.rest()


STREAMS = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b":", b": ping", b"data: {}", b"event: x", b"\xff", b"x"]),
    max_size=30,
).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn) -> list[bytes]:
    stream = draw(STREAMS)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@settings(max_examples=500)
@given(cut_streams(), st.integers(1, 40))
def test_frames_and_rest_are_what_was_pushed(chunks: list[bytes], limit: int) -> None:
    """Of any stream, cut anywhere, no byte is lost, added or moved, and no more than the limit is kept."""
    found, rest = pushed(chunks, limit)
    assert b"".join(found) + rest == b"".join(chunks)
    assert b"" not in found
    assert len(rest) <= limit


@settings(max_examples=500)
@given(cut_streams())
def test_each_event_has_its_own_frame(chunks: list[bytes]) -> None:
    """No frame holds more than one event, or anything but newlines after the end of an event."""
    for frame in pushed(chunks)[0]:
        text = frame.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert re.search(rb"[^\n]\n\n+[^\n]", text) is None
        assert text.endswith(b"\n")
        assert not re.match(rb":[^\n]*\n+[^\n]", text)


@settings(max_examples=500)
@given(cut_streams())
def test_frames_parse_like_the_stream(chunks: list[bytes]) -> None:
    """The parser reads the same events from the frames as from the chunks."""

    def outcomes(stream: list[bytes]) -> list[tuple[str, str]]:
        return [(event.event, event.data) for event in sse.read_events(stream, lambda error: None)]

    found, rest = pushed(chunks)
    assert outcomes([*found, rest]) == outcomes(chunks)


@pytest.mark.parametrize("newline", NEWLINES, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_stream_of_events_and_heartbeats(newline: bytes, size: int) -> None:
    """Events and heartbeats, with or without blank lines after them, are frames, wherever they are cut."""
    wanted = [b"event: x\ndata: {}\n\n", b": heartbeat\n", b":\n", b"data: a\n: within\ndata: b\n\n", b":\n"]
    stream = b"".join(wanted).replace(b"\n", newline)
    found, rest = pushed(cut(stream, size))
    assert rest == b""
    # A newline that arrives after its frame is a separate frame.
    assert [frame.strip() for frame in found if frame.strip()] == [
        frame.replace(b"\n", newline).strip() for frame in wanted
    ]


@pytest.mark.parametrize("newline", NEWLINES, ids=["LF", "CRLF", "CR"])
def test_a_chunk_that_is_one_frame_is_one_frame(newline: bytes) -> None:
    """With one frame in each chunk, as the API sends them, each push returns its frame."""
    stream = FrameSplitter()
    for frame in (EVENT, b": heartbeat\n\n", b":\n", EVENT, EVENT):
        frame = frame.replace(b"\n", newline)
        assert stream.push(frame) == [frame]
    assert stream.rest() == b""


def test_a_frame_is_returned_at_its_last_byte() -> None:
    """No frame waits for the next byte, so that its recorded time is the time of its arrival."""
    for newline in (b"\n", b"\r"):
        for frame in (EVENT, b": heartbeat\n"):
            frame = frame.replace(b"\n", newline)
            stream = FrameSplitter()
            assert [stream.push(byte) for byte in cut(frame, 1)] == [[]] * (len(frame) - 1) + [[frame]]


def test_an_endless_frame_is_returned_in_pieces() -> None:
    """Endless lines need no more memory than the limit, and the frames after them are found."""
    limit = 1 << 14
    for start in (b"data: ", b": ", b""):
        stream = FrameSplitter(limit)
        left = len(start) + 1024 * 1024 + 2
        tracemalloc.start()
        for piece in [start, *[b"x" * 1024] * 1024, b"\n\n"]:
            for frame in stream.push(piece):
                assert len(frame) <= limit + len(piece)
                left -= len(frame)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5 * limit
        assert left == 0
        assert stream.push(EVENT) == [EVENT]


class CountedPattern:
    """A pattern that adds up how many bytes it has read."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern
        self.read = 0

    def _count(self, found: re.Match[bytes] | None, start: int, end: int) -> re.Match[bytes] | None:
        self.read += (end if found is None else found.end()) - start
        return found

    def search(self, text: bytes, start: int) -> re.Match[bytes] | None:
        """Search like the pattern: to the end of the match, or of the text if there is none."""
        return self._count(self._pattern.search(text, start), start, len(text))

    def match(self, text: bytes, start: int) -> re.Match[bytes] | None:
        """Match like the pattern: one byte is enough to see that there is no match."""
        return self._count(self._pattern.match(text, start), start, start + 1)


@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
@pytest.mark.parametrize("stream", [b"x" * 40_000, b"\n" * 40_000, b":\n" * 20_000, EVENT * 1200])
def test_time_is_linear(stream: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte is read a few times at most, whatever precedes it, in small chunks and in large ones."""
    patterns = [CountedPattern(pattern) for pattern in (framing.NEWLINES, framing.EVENT_ENDS)]
    monkeypatch.setattr(framing, "NEWLINES", patterns[0])
    monkeypatch.setattr(framing, "EVENT_ENDS", patterns[1])
    pushed(cut(stream, size))
    assert len(stream) <= sum(pattern.read for pattern in patterns) <= 4 * len(stream)
