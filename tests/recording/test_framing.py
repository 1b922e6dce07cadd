from __future__ import annotations

import doctest
import re
import time
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
    """Every frame, and the rest."""
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


@settings(max_examples=500, deadline=None)
@given(cut_streams(), st.integers(1, 40))
def test_frames_and_rest_are_what_was_pushed(chunks: list[bytes], limit: int) -> None:
    """Whatever comes, cut anywhere, no byte is lost, added or moved, and none is kept above the limit."""
    found, rest = pushed(chunks, limit)
    assert b"".join(found) + rest == b"".join(chunks)
    assert b"" not in found
    assert len(rest) <= limit


@settings(max_examples=500, deadline=None)
@given(cut_streams())
def test_each_event_has_a_frame_of_its_own(chunks: list[bytes]) -> None:
    """No frame holds more than one event, and none holds the end of one and more than newlines after it."""
    for frame in pushed(chunks)[0]:
        text = frame.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert re.search(rb"[^\n]\n\n+[^\n]", text) is None
        assert text.endswith(b"\n")
        assert not re.match(rb":[^\n]*\n+[^\n]", text)


@settings(max_examples=500, deadline=None)
@given(cut_streams())
def test_frames_mean_what_the_stream_means(chunks: list[bytes]) -> None:
    """The reader makes the same events of the frames as of the chunks they come from."""

    def outcomes(stream: list[bytes]) -> list[tuple[str, str]]:
        return [(event.event, event.data) for event in sse.read_events(stream, lambda error: None)]

    found, rest = pushed(chunks)
    assert outcomes([*found, rest]) == outcomes(chunks)


@pytest.mark.parametrize("newline", NEWLINES, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_stream_of_events_and_heartbeats(newline: bytes, size: int) -> None:
    """Events and heartbeats, with blank lines after them or without, are frames, wherever they are cut."""
    wanted = [b"event: x\ndata: {}\n\n", b": heartbeat\n", b":\n", b"data: a\n: within\ndata: b\n\n", b":\n"]
    stream = b"".join(wanted).replace(b"\n", newline)
    found, rest = pushed(cut(stream, size))
    assert rest == b""
    # A newline that came after the frame it belongs to stands alone.
    assert [frame.strip() for frame in found if frame.strip()] == [
        frame.replace(b"\n", newline).strip() for frame in wanted
    ]


@pytest.mark.parametrize("newline", NEWLINES, ids=["LF", "CRLF", "CR"])
def test_a_chunk_that_is_one_frame_is_one_frame(newline: bytes) -> None:
    """With a frame to a chunk, as the API sends them, each is out with its chunk."""
    stream = FrameSplitter()
    for frame in (EVENT, b": heartbeat\n\n", b":\n", EVENT, EVENT):
        frame = frame.replace(b"\n", newline)
        assert stream.push(frame) == [frame]
    assert stream.rest() == b""


def test_a_frame_is_out_at_the_byte_that_ends_it() -> None:
    """Nothing waits for the next byte, so that the time of a frame is the time at which it came."""
    for newline in (b"\n", b"\r"):
        for frame in (EVENT, b": heartbeat\n"):
            frame = frame.replace(b"\n", newline)
            stream = FrameSplitter()
            assert [stream.push(byte) for byte in cut(frame, 1)] == [[]] * (len(frame) - 1) + [[frame]]


def test_what_has_no_end_is_handed_out_in_pieces() -> None:
    """Endless lines need no more memory than the limit, and the frames after them are found again."""
    limit = 1 << 14
    for start in (b"data: ", b": ", b""):
        stream = FrameSplitter(limit)
        taken = len(start) + 1024 * 1024 + 2
        tracemalloc.start()
        for piece in [start, *[b"x" * 1024] * 1024, b"\n\n"]:
            for frame in stream.push(piece):
                assert len(frame) <= limit + len(piece)
                taken -= len(frame)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5 * limit
        assert taken == 0
        assert stream.push(EVENT) == [EVENT]


@pytest.mark.parametrize("stream", [b"x" * 400_000, b"\n" * 400_000, b":\n" * 200_000, EVENT * 12_000])
def test_time_is_linear(stream: bytes) -> None:
    """A byte costs the same whatever came before it, alone in its chunk or not: no stream can stall us."""
    for size in (1, len(stream)):
        began = time.process_time()
        pushed(cut(stream, size))
        assert time.process_time() - began < 5


def test_the_examples_in_the_docstrings_hold() -> None:
    """The usage shown in the module is what happens."""
    assert doctest.testmod(framing).failed == 0
