"""Chunked bodies: what is yielded, and what is an error."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from http.client import HTTPException, IncompleteRead

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.errors import TooLarge
from pf_exporter.packetfabric.chunked import MAX_LINE_BYTES, read_chunks
from pf_exporter.packetfabric.sse import read_events

END = b"0\r\n\r\n"


class Arrivals:
    """A file in which the bytes arrive piece by piece, and then no more."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read1(self, size: int) -> bytes:
        return next(self._pieces, b"")


def unexpected(error: TooLarge) -> None:
    raise AssertionError(error)


def chunks(body: bytes, limit: int = 100) -> list[bytes]:
    return list(read_chunks(io.BufferedReader(io.BytesIO(body)), limit))


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("body", "content"),
    [
        (END, b""),
        (b"3\r\nabc\r\n" + END, b"abc"),
        (b"3;name=value\r\nabc\r\n1 ; name\r\nd\r\n" + END, b"abcd"),
        (b"1A\r\n" + b"x" * 26 + b"\r\n" + END, b"x" * 26),
        (b"01a\r\n" + b"x" * 26 + b"\r\n" + END, b"x" * 26),
        (b"2\r\n\r\n\r\n4\r\n1\r\nx\r\n" + END, b"\r\n1\r\nx"),
        (b"1\nx\r\n0\n\n", b"x"),
        (b"1\r\nx\r\n0\r\nname: value\r\n\r\n", b"x"),
        (b"1\r\nx\r\n0\r\n", b"x"),
    ],
)
def test_valid_bodies(body: bytes, content: bytes, limit: int) -> None:
    """The content of all chunks is yielded; extensions and trailers are ignored."""
    found = chunks(body, limit)
    assert b"".join(found) == content
    assert all(0 < len(part) <= limit for part in found)


def test_chunks_that_arrived_together_are_yielded_together() -> None:
    """One read brings many chunks, because each step behind it costs as much for one as for many."""
    assert chunks(b"3\r\nabc\r\n1\r\nd\r\n1\r\ne\r\n" + END) == [b"abcde"]


def test_trailers_are_not_waited_for() -> None:
    """The body is over with the size of the last chunk."""

    def pieces() -> Iterator[bytes]:
        yield b"1\r\nx\r\n0\r\n"
        raise AssertionError("read after the last chunk")

    assert list(read_chunks(Arrivals(pieces()), 100)) == [b"x"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"", b""),
        (b"3", b""),
        (b"3\r\n", b""),
        (b"-1\r\nx\r\n" + END, b""),
        (b"x\r\n" + END, b""),
        (b"\r\n" + END, b""),
        (b"1x\r\nx\r\n" + END, b""),
        (b"f" * 16 + b"\r\nx\r\n" + END, b""),
        (b"3\r\nab", b"ab"),
        (b"2\r\nab", b"ab"),
        (b"2\r\nabc\r\n" + END, b"ab"),
        (b"2\r\nab\n" + END, b"ab"),
    ],
)
def test_bodies_that_are_invalid_or_cut(body: bytes, content: bytes, limit: int) -> None:
    """What has arrived is yielded before the error."""
    yielded: list[bytes] = []
    with pytest.raises(HTTPException):
        yielded.extend(read_chunks(io.BufferedReader(io.BytesIO(body)), limit))
    assert b"".join(yielded) == content


def test_an_invalid_line_is_an_error_at_once() -> None:
    """An error does not wait for more bytes."""

    def pieces() -> Iterator[bytes]:
        yield b"1\r\nx\r\nevent\n"
        raise AssertionError("read after the error")

    with pytest.raises(HTTPException, match="not the size of a chunk"):
        list(read_chunks(Arrivals(pieces()), 100))


@pytest.mark.parametrize("before", [b"", b"1\r\nx\r\n"])
def test_lines_are_limited(before: bytes) -> None:
    """While a line is not complete, 64 KiB of it are kept, and no more."""
    line = before + b"0;".ljust(MAX_LINE_BYTES - 2, b"x")
    assert list(read_chunks(Arrivals([line, b"\r\n"]), 100)) == [b"x"][: len(before)]
    with pytest.raises(IncompleteRead):
        list(read_chunks(Arrivals([line]), 100))
    with pytest.raises(HTTPException, match="line too long"):
        list(read_chunks(Arrivals([line, b"x", b"\r\n"]), 100))


LINES = st.sampled_from([b"%x\r\n", b"%X\r\n", b"%x\n", b"0%x\r\n", b"%x;name=value\r\n", b"%x \r\n"])
CHUNKS = st.lists(st.tuples(LINES, st.binary(min_size=1, max_size=20)), max_size=8)


@given(CHUNKS, st.lists(st.integers(1, 30)))
def test_content_is_yielded_as_it_arrives(body: list[tuple[bytes, bytes]], lengths: list[int]) -> None:
    """However the bytes are split, all content that has arrived is yielded before the next bytes are read."""
    arrived, is_content = b"", []
    for line, content in [*body, (b"%x\r\n", b"")]:
        size_line = line % len(content)
        arrived += size_line + content + b"\r\n"
        is_content += [False] * len(size_line) + [True] * len(content) + [False] * 2
    content = b"".join(content for _, content in body)
    yielded = b""

    def pieces() -> Iterator[bytes]:
        at = 0
        for length in [*lengths, len(arrived)]:
            yield arrived[at : at + length]
            at += length
            assert yielded == content[: sum(is_content[:at])]

    for part in read_chunks(Arrivals(pieces()), 100):
        yielded += part
    assert yielded == content


def test_events_wherever_the_network_splits() -> None:
    """Events are the same in one read and in two, split anywhere, and come as soon as they have arrived."""
    plain = 'event: optical\ndata: {"é": 1}\n\n'.encode()
    pieces = [plain, plain + b": heartbeat\n\n", plain[:9], plain[9:] + plain, b"data: other\r\n\r\n", plain]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + END
    expected = [("optical", '{"é": 1}')] * 4 + [("message", "other"), ("optical", '{"é": 1}')]

    def events(reads: list[bytes]) -> list[tuple[str, str]]:
        stream = read_events(read_chunks(Arrivals(reads), 1000), unexpected)
        return [(event.event, event.data) for event in stream]

    assert events([body]) == expected
    for cut in range(1, len(body)):
        assert events([body[:cut], body[cut:]]) == expected
