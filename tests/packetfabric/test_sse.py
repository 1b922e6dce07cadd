from __future__ import annotations

import base64
import codecs
import json
import logging
import re
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sseclient
from hypothesis import given, settings
from hypothesis import strategies as st

from pf_exporter.errors import TooLarge
from pf_exporter.log.handler import LIBRARY_LEVELS
from pf_exporter.packetfabric import sse

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures" / "sse-cases.jsonl").read_text("utf-8").splitlines()
]

Outcome = tuple[str, str] | None
"""An event's name and data, or None where one was rejected."""


def case_chunks(case: dict[str, Any]) -> list[bytes]:
    if case["chunks"] is not None:
        return [chunk.encode() for chunk in case["chunks"]]
    return [base64.b64decode(chunk) for chunk in case["chunks_b64"]]


def outcomes(chunks: Iterable[bytes], limit: int = sse.MAX_EVENT_BYTES) -> list[Outcome]:
    """What comes out, events and rejections in their order."""
    found: list[Outcome] = []
    for event in sse.read_events(chunks, lambda error: found.append(None), limit):
        found.append((event.event, event.data))  # noqa: PERF401  # the callback appends in between
    return found


def unexpected(error: TooLarge) -> None:
    raise AssertionError(error)


def byte_by_byte(stream: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in stream]


def reference(
    stream: bytes, limit: int = sse.MAX_EVENT_BYTES, max_lines: int = sse.MAX_EVENT_LINES
) -> list[Outcome]:
    """The rules of the WHATWG standard one by one, over a whole stream, plus the limits."""
    stream = stream.removeprefix(codecs.BOM_UTF8)
    texts = re.split("\r\n|\r|\n", stream.decode("utf-8", "replace"))
    sizes = [len(line) for line in re.split(rb"\r\n|\r|\n", stream)]
    found: list[Outcome] = []
    event = data = ""
    size = lines = 0
    for text, length in list(zip(texts, sizes, strict=True))[:-1]:
        if text == "":
            if size > limit or lines > max_lines:
                found.append(None)
            elif data != "":
                found.append((event or "message", data[:-1]))
            event = data = ""
            size = lines = 0
        elif not text.startswith(":"):
            size += length + 1
            lines += 1
            field, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                event = value
            elif field == "data":
                data += value + "\n"
    # The last line has no end, so it makes no event; but one already too large is known to be.
    if size + (0 if texts[-1].startswith(":") else sizes[-1]) > limit:
        found.append(None)
    return found


@pytest.mark.parametrize("feed", ["as given", "whole", "byte by byte"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_published_framing_case(case: dict[str, Any], feed: str) -> None:
    """Every case of the published suites gives its events, however the bytes are split."""
    chunks = case_chunks(case)
    stream = b"".join(chunks)
    pipelines = {"as given": chunks, "whole": [stream], "byte by byte": byte_by_byte(stream)}
    assert outcomes(pipelines[feed]) == [(event["event"], event["data"]) for event in case["expected"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_reference_agrees_with_the_published_cases(case: dict[str, Any]) -> None:
    """The reference parser that the random tests trust passes the same published cases."""
    expected = [(event["event"], event["data"]) for event in case["expected"]]
    assert reference(b"".join(case_chunks(case))) == expected


NEWLINES = [b"\n", b"\r", b"\r\n"]
FIELDS = [b"data", b"event", b"id", b"retry", b"colour", b"Data", b"", b" data", b"\xef\xbb\xbfdata"]
SEPARATORS = [b":", b": ", b":  ", b":\t", b""]
VALUES = st.one_of(
    st.binary(max_size=12),
    st.text(max_size=6).map(lambda text: text.encode()),
    st.sampled_from([b"\0", "\u2028\x85\x0b\x1c".encode(), b"\xe2\x82", b"\xf0\x9f\x98", b"\xff", b":"]),
)
LINE = st.builds(
    lambda field, separator, value, newlines: field + separator + value + b"".join(newlines),
    st.sampled_from(FIELDS),
    st.sampled_from(SEPARATORS),
    VALUES,
    st.lists(st.sampled_from(NEWLINES), max_size=4),
)
STREAM = st.builds(
    lambda bom, lines, rest: bom + b"".join(lines) + rest,
    st.sampled_from([b"", b"", codecs.BOM_UTF8, codecs.BOM_UTF8[:2], codecs.BOM_UTF8 * 2]),
    st.lists(LINE, max_size=12),
    VALUES,
)


@st.composite
def cut_streams(draw: st.DrawFn) -> list[bytes]:
    stream = draw(STREAM)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@settings(max_examples=400)
@given(cut_streams())
def test_random_streams_match_the_reference(chunks: list[bytes]) -> None:
    """Any mixture of lines, newlines and broken UTF-8, split anywhere, means what the standard says."""
    assert outcomes(chunks) == reference(b"".join(chunks))


@settings(max_examples=400)
@given(cut_streams(), st.integers(len(codecs.BOM_UTF8), 60), st.integers(2, 5))
def test_random_streams_match_the_reference_at_the_limits(
    chunks: list[bytes], limit: int, max_lines: int
) -> None:
    """What is too large depends on the event, never on the splits, and is reported once, in order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sse, "MAX_EVENT_LINES", max_lines)
        assert outcomes(chunks, limit) == reference(b"".join(chunks), limit, max_lines)


WHOLE_EVENTS = [
    b"event: a\ndata: {}\n\n",
    b"event: a\r\ndata: {}\n\n",
    b"event: a\ndata: {\rdata: }\n\n",
    b"data: {}\n\n",
    codecs.BOM_UTF8 + b"event: b\ndata: {}\n\n",
]
PARTS = [
    b"data: 1\n",
    b"data: 1\r",
    b": comment\n",
    b"event: b\ndata: 1",
    b"\n",
    b"\n\n",
    b"\r\n\r\n",
    b"\r\r",
    b"",
]


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(WHOLE_EVENTS + PARTS), max_size=6),
    st.sampled_from([10, 12, 18, 19, 20, 24, sse.MAX_EVENT_BYTES]),
)
def test_random_chunks_match_the_reference(chunks: list[bytes], limit: int) -> None:
    """What looks like a whole event is one only where an event can begin, in any number of chunks."""
    stream = b"".join(chunks)
    expected = reference(stream, limit)
    assert (
        outcomes(chunks, limit)
        == outcomes([stream], limit)
        == outcomes(byte_by_byte(stream), limit)
        == expected
    )


@pytest.mark.parametrize("first", [*PARTS, *WHOLE_EVENTS])
@pytest.mark.parametrize("second", WHOLE_EVENTS)
def test_event_after_any_chunk(first: bytes, second: bytes) -> None:
    """What a chunk of a whole event means depends on what came before it."""
    for limit in (len(first) - 1, len(second), sse.MAX_EVENT_BYTES):
        if limit >= len(codecs.BOM_UTF8):
            assert outcomes([second, first, second], limit) == reference(second + first + second, limit)
            assert outcomes([first, second], limit) == reference(first + second, limit)


def test_split_at_every_byte() -> None:
    """An event is the same wherever the network splits it, with every kind of newline."""
    stream = "\ufeff: hello\n\nevent: optical\n: why\ndata: {\ndata: é€😀}\n\ndata: next\n\n".encode()
    for newline in NEWLINES:
        styled = stream.replace(b"\n", newline)
        for cut in range(len(styled) + 1):
            found = outcomes([styled[:cut], styled[cut:]])
            assert found == [("optical", "{\né€😀}"), ("message", "next")]


@pytest.mark.parametrize(
    ("newline", "spare"), [(b"\n", 0), (b"\r\n", 1), (b"\r", 0)], ids=["LF", "CRLF", "CR"]
)
def test_event_is_emitted_at_its_last_byte(newline: bytes, spare: int) -> None:
    """An event is emitted at the byte that ends it; of CRLF the CR is enough, and the LF adds nothing."""
    event = newline.join([b"event: optical", b"data: {}", b"", b""])
    sent = 0

    def source() -> Iterator[bytes]:
        nonlocal sent
        for byte in byte_by_byte(event * 3):
            sent += 1
            yield byte

    out_at = [sent for _ in sse.read_events(source(), unexpected)]
    assert out_at == [len(event) * number - spare for number in (1, 2, 3)]


@pytest.mark.parametrize("newline", NEWLINES, ids=["LF", "CRLF", "CR"])
def test_event_is_emitted_with_its_chunk(newline: bytes) -> None:
    """With one event per chunk, as the API sends them, each is emitted before the next chunk is read."""
    sent = 0

    def source() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(3):
            sent += 1
            yield newline.join([b"data: {}", b"", b""])

    assert [sent for _ in sse.read_events(source(), unexpected)] == [1, 2, 3]


def test_nothing_is_read_before_the_first_event() -> None:
    """Creating the iterator does no work, so that the caller decides where waits and errors happen."""

    started = False

    def source() -> Iterator[bytes]:
        nonlocal started
        started = True
        yield b"data: one\n\n"

    events = sse.read_events(source(), unexpected)
    assert started is False
    assert next(events).data == "one"


def test_error_of_the_source() -> None:
    """An error of the chunks comes through after the whole events before it; a cut event is dropped."""

    def source() -> Iterator[bytes]:
        yield b"data: one\n\ndata: cut"
        raise ConnectionError

    events = sse.read_events(source(), unexpected)
    assert next(events).data == "one"
    with pytest.raises(ConnectionError):
        next(events)


CHUNK_SIZES = [1, 7, 4096, 1 << 20]


def cut_every(stream: bytes, size: int) -> Iterator[bytes]:
    return (stream[start : start + size] for start in range(0, len(stream), size))


@pytest.mark.parametrize("size", CHUNK_SIZES)
@pytest.mark.parametrize(
    "large",
    [
        b"data: " + b"x" * 20_000 + b"\n\n",
        b"data: xxxxxxxxx\n" * 2_000 + b"\n",
        b"data\n" * (sse.MAX_EVENT_LINES + 1) + b"\n",
    ],
    ids=["one long line", "many lines", "more lines than allowed"],
)
def test_event_above_the_limit(large: bytes, size: int) -> None:
    """An event that is too large is reported once, and its neighbours come through."""
    stream = b"data: before\n\n" + large + b"event: x\ndata: after\n\n"
    assert outcomes(cut_every(stream, size), limit=10_000) == [("message", "before"), None, ("x", "after")]


def test_the_limits_are_the_largest_size_allowed() -> None:
    """An event of exactly the limit passes and one byte or one line more does not."""
    assert outcomes([b"data: xxx\n\n", b"data: xxxx\n\n"], limit=10) == [("message", "xxx"), None]
    lines = b"data\n" * sse.MAX_EVENT_LINES
    assert outcomes([lines, b"\n", lines, b"data\n\n"]) == [
        ("message", "\n" * (sse.MAX_EVENT_LINES - 1)),
        None,
    ]


def test_rejection_quotes_nothing() -> None:
    """The error names the limits and repeats no byte that was received."""
    errors: list[TooLarge] = []
    assert list(sse.read_events([b"data: secret\n\n"], errors.append, limit=5)) == []
    assert [str(error) for error in errors] == [f"an event above 5 bytes or {sse.MAX_EVENT_LINES} lines"]


def test_comments_do_not_count_towards_the_limit() -> None:
    """An event is not too large because of heartbeats in the middle of it, whole or split."""
    stream = b"event: x\n" + b": heartbeat\n" * 5_000 + b"data: y\n" + b": z" * 5_000 + b"\n\n"
    for size in CHUNK_SIZES:
        assert outcomes(cut_every(stream, size), limit=100) == [("x", "y")]


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: xxxxxxxxx\n:", b" heartbeat\n\n"],
        [b"data: xxxxxxxxx\n: heart", b"beat\n\n"],
        [b"data: xxxxxxxxxx\n:"],
        [b"data: xxxxxxxxx\n", b"\n: a comment above the limit\ndata: y", b"\n\n"],
        [b"data: x\ndata: above", b" the limit\n\n: a comment above", b" the limit\ndata: y\n\n"],
        [b"data: above the limit\n", b"\ndata: y\n", b"\n"],
    ],
    ids=[
        "in an event of the limit",
        "split",
        "in an event above the limit",
        "after an event",
        "after a rejected event",
        "none",
    ],
)
def test_split_comment_at_the_limit(chunks: list[bytes]) -> None:
    """At the limit, a comment that the network splits, or what came before it, changes nothing."""
    assert outcomes(chunks, limit=16) == reference(b"".join(chunks), limit=16)


def test_empty_chunks() -> None:
    """A chunk without bytes, even within CRLF or a byte order mark, is neither a newline nor an end."""
    stream = "\ufeffdata: a\r\ndata: b\r\n\r\n".encode()
    chunks = [chunk for byte in byte_by_byte(stream) for chunk in (b"", byte)]
    assert outcomes(chunks) == [("message", "a\nb")]


def peak_memory(chunks: Iterable[bytes], limit: int) -> tuple[int, list[Outcome]]:
    tracemalloc.start()
    try:
        found = outcomes(chunks, limit)
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


def endless(piece: bytes, times: int, start: bytes = b"") -> Iterator[bytes]:
    yield start
    for _ in range(times):
        yield piece
    yield b"\n\ndata: after\n\n"


@pytest.mark.parametrize(
    ("start", "piece", "rejections"),
    [
        (b"data: ", b"x" * 1024, 1),
        (b"", b"data: 890123456\n" * 64, 1),
        (b"", b"\xff" * 1024, 1),
        (b": ", b"x" * 1024, 0),
        (b"", b":\n" * 512, 0),
        (b"", b"\n" * 1024, 0),
        (b"", b"\r\n" * 512, 0),
    ],
    ids=["a line", "lines", "no text", "a comment", "comments", "blank lines", "CRLF"],
)
def test_endless_input_needs_bounded_memory(start: bytes, piece: bytes, rejections: int) -> None:
    """Two MiB without an event need little more memory than the limit, and the stream continues."""
    limit = 1 << 14
    peak, found = peak_memory(endless(piece, 1 << 11, start), limit)
    assert found == [None] * rejections + [("message", "after")]
    assert peak < 5 * limit


@pytest.mark.no_cover
def test_heartbeats_without_blank_lines_do_not_pile_up() -> None:
    """200,000 heartbeats, each a chunk and without a blank line in between, leave nothing in memory."""
    peak, found = peak_memory(endless(b":\n", 200_000, b"data: before\n"), limit=1 << 16)
    assert found == [("message", "before"), ("message", "after")]
    assert peak < 1 << 16


class Recorder(sseclient.SSEClient):
    """sseclient-py, noting what it is given."""

    blocks: ClassVar[list[bytes]] = []

    def __init__(self, source: Iterable[bytes]) -> None:
        def noted() -> Iterator[bytes]:
            for block in source:
                self.blocks.append(block)
                yield block

        super().__init__(noted())


@pytest.mark.no_cover
@pytest.mark.parametrize("size", CHUNK_SIZES)
def test_library_gets_bounded_input(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """sseclient-py copies an event for each of its lines, so it gets only events within the limits."""
    monkeypatch.setattr(sseclient, "SSEClient", Recorder)
    Recorder.blocks.clear()
    normal = b"data: {}\n:\nevent: x\n\n"
    stream = (normal * 9 + b"data\n" * 5_000 + b"\n" + b"x" * 50_000 + b"\n\n" + b":\n" * 5_000 + b"\n") * 3
    assert outcomes(cut_every(stream, size), limit=20_000) == ([("x", "{}")] * 9 + [None, None]) * 3
    assert len(Recorder.blocks) >= 27
    assert all(block.endswith(b"\n\n") for block in Recorder.blocks)
    assert max(map(len, Recorder.blocks)) <= 20_001
    assert max(block.count(b"\n") for block in Recorder.blocks) <= sse.MAX_EVENT_LINES + 1
    assert sum(map(len, Recorder.blocks)) <= len(stream)


@pytest.mark.parametrize("chunks_at_once", [1, 3])
def test_plain_form_does_not_need_the_library(monkeypatch: pytest.MonkeyPatch, chunks_at_once: int) -> None:
    """Events in the API's form are not passed to sseclient-py, which takes longer."""
    monkeypatch.setattr(sseclient, "SSEClient", Recorder)
    Recorder.blocks.clear()
    plain = b"event: port|metrics\ndata: {}\n\n"
    assert outcomes([plain * chunks_at_once] * 3) == [("port|metrics", "{}")] * 3 * chunks_at_once
    assert Recorder.blocks == []


@given(st.text(), st.text())
def test_plain_form_is_parsed_as_the_standard_says(name: str, data: str) -> None:
    """An event in the API's form is what the standard makes of it, with any name and data."""
    raw = f"event: {name}\ndata: {data}\n\n".encode(errors="surrogatepass")
    assert outcomes([raw]) == reference(raw)


def test_received_text_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Even with the root logger at debug level, sseclient-py logs nothing of the stream."""
    caplog.set_level(logging.DEBUG)
    for name, level in LIBRARY_LEVELS.items():
        caplog.set_level(level, name)
    assert outcomes([b"secret: 1\ndata: secret\n\n"]) == [("message", "secret")]
    assert caplog.records == []
