"""The format of a recording: one line of JSON for each frame or mark of a stream.

A header line names the program at the start of each run. Every other line is a frame or a mark, with its time
and its account::

    {"recording": 1, "by": "pf_exporter 0.1.0", "started": 1700000000.0, "redacted": true}
    {"at": 1700000000.25, "account": "default", "mark": "opened"}
    {"at": 1700000001.5, "account": "default", "frame": "event: port|metrics\\ndata: {}\\n\\n"}

A frame that is not UTF-8 is stored in base64 as ``bytes``, not as ``frame``. A frame longer than
``MAX_FRAME_BYTES`` takes several lines.
"""

from __future__ import annotations

import base64
import enum
import json
import math
from typing import NamedTuple

from pf_exporter import __version__

MAX_FRAME_BYTES = 1 << 19
"""Bytes of a frame in one line."""
MAX_LINE_BYTES = 1 << 22
"""Longest line that is read; one byte of a frame takes up to six, as ``\\u0000``."""

VERSION = 1
START = b'{"recording": %d,' % VERSION
"""How every recording starts."""


class Mark(str, enum.Enum):
    """What happened to a stream, other than a frame."""

    OPENED = "opened"
    ENDED = "ended"
    ROTATION_STARTED = "rotation_started"
    ROTATION_SWITCHED = "rotation_switched"
    ROTATION_ABANDONED = "rotation_abandoned"
    GAP = "gap"
    """Lines are missing because they could not be written; has no account."""


# Recordings made before the first release.
_OLD_MARKS = {
    "two_streams": Mark.ROTATION_STARTED,
    "second_stream": Mark.ROTATION_SWITCHED,
    "one_stream": Mark.ROTATION_ABANDONED,
}


class Record(NamedTuple):
    """A frame or a mark, with its time."""

    at: float
    """UNIX seconds."""
    account: str
    frame: bytes = b""
    """The bytes as received or redacted; empty for a mark."""
    mark: Mark | None = None


def _line(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def encode_header(started: float, *, redacted: bool) -> bytes:
    """Return the header line of a run; ``started`` is in UNIX seconds."""
    return _line(
        recording=VERSION, by=f"pf_exporter {__version__}", started=round(started, 6), redacted=redacted
    )


def encode(record: Record) -> bytes:
    """Return the line of a record, or the lines of a long frame; nothing for an empty frame."""
    at, account = round(record.at, 6), record.account
    if record.mark is not None:
        return _line(at=at, account=account, mark=record.mark.value)
    lines = b""
    for start in range(0, len(record.frame), MAX_FRAME_BYTES):
        piece = record.frame[start : start + MAX_FRAME_BYTES]
        try:
            lines += _line(at=at, account=account, frame=piece.decode())
        except UnicodeDecodeError:
            lines += _line(at=at, account=account, bytes=base64.b64encode(piece).decode())
    return lines


def decode(line: bytes) -> Record | None:
    """Return the record of a line, or None for a header.

    Raises ``ValueError``, ``LookupError``, ``TypeError``, ``AttributeError``, ``OverflowError`` or
    ``RecursionError`` if it is not a line of a recording.
    """
    fields = json.loads(line)
    if "recording" in fields:
        if fields["recording"] != VERSION:
            raise ValueError
        return None
    at, account = float(fields["at"]), fields["account"]
    if not isinstance(account, str) or not math.isfinite(at):
        raise ValueError
    if "mark" in fields:
        return Record(at, account, mark=_OLD_MARKS.get(fields["mark"]) or Mark(fields["mark"]))
    if "bytes" in fields:
        return Record(at, account, base64.b64decode(fields["bytes"], validate=True))
    return Record(at, account, fields["frame"].encode())
