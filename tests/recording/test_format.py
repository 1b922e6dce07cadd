from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.recording.format import MAX_FRAME_BYTES, START, Mark, Record, decode, encode, encode_header

EVENT = b"event: port|metrics\ndata: {}\n\n"


def test_lines_are_json() -> None:
    """Each kind of line is what the documentation says, with times in microseconds."""
    header = json.loads(encode_header(1_700_000_000.0000004, redacted=True))
    assert re.fullmatch(r"pf_exporter \d+\.\d+.*", header.pop("by"))
    assert header == {"recording": 1, "started": 1_700_000_000.0, "redacted": True}
    for record, line in (
        (Record(0.25, "prod", mark=Mark.OPENED), {"at": 0.25, "account": "prod", "mark": "opened"}),
        (Record(1.2500004, "é", EVENT), {"at": 1.25, "account": "é", "frame": EVENT.decode()}),
        (Record(2.0, "prod", b"\xff\n"), {"at": 2.0, "account": "prod", "bytes": "/wo="}),
    ):
        assert json.loads(encode(record)) == line


def test_a_header_starts_every_recording() -> None:
    """The reader and the writer know a recording by its first bytes."""
    assert encode_header(1.0, redacted=False).startswith(START)
    assert decode(encode_header(1.0, redacted=False)) is None


@given(st.binary(min_size=1) | st.text(min_size=1).map(lambda text: text.encode(errors="replace")), st.text())
def test_a_frame_survives(frame: bytes, account: str) -> None:
    """Any frame of any account comes back exactly."""
    account = account.encode(errors="replace").decode()
    assert decode(encode(Record(1.5, account, frame))) == Record(1.5, account, frame)


@pytest.mark.parametrize("mark", Mark)
def test_a_mark_survives(mark: Mark) -> None:
    """Every mark comes back."""
    assert decode(encode(Record(1.5, "a", mark=mark))) == Record(1.5, "a", mark=mark)


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        ("two_streams", Mark.ROTATION_STARTED),
        ("second_stream", Mark.ROTATION_SWITCHED),
        ("one_stream", Mark.ROTATION_ABANDONED),
    ],
)
def test_old_values_of_marks(value: str, mark: Mark) -> None:
    """Recordings made before the first release have other values for the rotation of a stream."""
    assert decode(b'{"at": 1, "account": "a", "mark": "%s"}' % value.encode()) == Record(1.0, "a", mark=mark)


@pytest.mark.parametrize(
    "frame",
    [
        b"\0" * (3 * MAX_FRAME_BYTES + 1),
        random.Random(1).randbytes(2 * MAX_FRAME_BYTES),
        "é".encode() * MAX_FRAME_BYTES,
    ],
    ids=["zeros", "noise", "text"],
)
def test_a_long_frame_takes_several_lines(frame: bytes) -> None:
    """A frame of any size comes back in pieces, none longer than the limit."""
    pieces = [decode(line) for line in encode(Record(1.0, "a", frame)).splitlines()]
    assert b"".join(piece.frame for piece in pieces if piece is not None) == frame
    assert max(len(piece.frame) for piece in pieces if piece is not None) == MAX_FRAME_BYTES


def test_an_empty_frame_takes_no_line() -> None:
    """An empty frame is not recorded."""
    assert encode(Record(1.0, "a")) == b""


LINE = '{"at": 1, "account": "a", "frame": "x"}'
NOT_LINES = {
    "text": "hello",
    "list": "[1]",
    "time is text": LINE.replace("1", '"x"'),
    "time is not finite": LINE.replace("1", "NaN"),
    "account is a number": LINE.replace('"a"', "5"),
    "frame is a number": LINE.replace('"x"', "5"),
    "no frame": LINE.replace("frame", "picture"),
    "not base64": LINE.replace("frame", "bytes"),
    "half a pair": LINE.replace('"x"', '"\\ud800"'),
    "unknown mark": LINE.replace("frame", "mark"),
    "too deep": "[" * 100_000,
    "empty": "",
    "version": '{"recording": 2}',
}


@pytest.mark.parametrize("line", NOT_LINES.values(), ids=NOT_LINES)
def test_what_is_not_a_line_is_refused(line: str) -> None:
    """A line from another program, or a changed one, raises an error that the reader expects."""
    assert decode(LINE.encode()) == Record(1.0, "a", b"x")
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError, RecursionError)):
        decode(line.encode())
