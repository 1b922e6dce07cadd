"""Chunked bodies: what is yielded, and what is an error."""

from __future__ import annotations

import io
from http.client import HTTPException, IncompleteRead

import pytest

from pf_exporter.packetfabric.chunked import MAX_LINE_BYTES, read_chunks

END = b"0\r\n\r\n"


def chunks(body: bytes, limit: int = 100) -> list[bytes]:
    return list(read_chunks(io.BufferedReader(io.BytesIO(body)), limit))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (END, []),
        (b"3\r\nabc\r\n" + END, [b"abc"]),
        (b"3;name=value\r\nabc\r\n1\r\nd\r\n" + END, [b"abc", b"d"]),
        (b"1A\r\n" + b"x" * 26 + b"\r\n" + END, [b"x" * 26]),
        (b"1\nx\r\n0\n\n", [b"x"]),
        (b"1\r\nx\r\n0\r\nname: value\r\n\r\n", [b"x"]),
        (b"1\r\nx\r\n0\r\n", [b"x"]),
    ],
)
def test_valid_bodies(body: bytes, found: list[bytes]) -> None:
    """Each chunk is yielded; extensions and trailers are ignored."""
    assert chunks(body) == found


def test_large_chunks_are_divided() -> None:
    """A chunk above the limit is yielded in parts."""
    assert chunks(b"7\r\nabcdefg\r\n3\r\nhij\r\n" + END, limit=3) == [b"abc", b"def", b"g", b"hij"]


def test_nothing_is_read_after_the_body() -> None:
    """What follows the end of the trailers is left for the next response."""
    file = io.BufferedReader(io.BytesIO(b"1\r\nx\r\n0\r\nname: value\r\n\r\nHTTP/1.1"))
    assert list(read_chunks(file, 100)) == [b"x"]
    assert file.read() == b"HTTP/1.1"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", []),
        (b"3", []),
        (b"3\r\n", []),
        (b"-1\r\nx\r\n" + END, []),
        (b"x\r\n" + END, []),
        (b"3\r\nab", [b"ab"]),
        (b"2\r\nab", [b"ab"]),
        (b"2\r\nabc\r\n" + END, [b"ab"]),
    ],
)
def test_bodies_that_are_invalid_or_cut(body: bytes, found: list[bytes]) -> None:
    """What has arrived is yielded before the error."""
    yielded: list[bytes] = []
    with pytest.raises(IncompleteRead):
        yielded.extend(read_chunks(io.BufferedReader(io.BytesIO(body)), 100))
    assert yielded == found


@pytest.mark.parametrize("before", [b"", b"1\r\nx\r\n0\r\n"])
def test_lines_are_limited(before: bytes) -> None:
    """The lines of sizes and trailers may have 64 KiB, and no more."""
    fits = b"0;" + b"x" * (MAX_LINE_BYTES - 4) + b"\r\n"
    assert chunks(before + fits + b"\r\n") == [b"x"][: len(before)]
    with pytest.raises(HTTPException, match="line too long"):
        chunks(before + b"0;xx" + fits[2:] + b"\r\n")


def test_cut_line_of_the_greatest_length() -> None:
    """A line that ends at the limit because the connection does is cut, not too long."""
    with pytest.raises(IncompleteRead):
        chunks(b"0;".ljust(MAX_LINE_BYTES, b"x"))
