"""The messages of Prometheus remote write 1.0 as bytes (protocol buffers, without a library).

A request is a sequence of time series, each with its labels, sorted by name, and one sample::

    message WriteRequest { repeated TimeSeries timeseries = 1; }
    message TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; }
    message Label        { string name = 1; string value = 2; }
    message Sample       { double value = 1; int64 timestamp = 2; }

The bytes are those that protobuf's own encoder writes, except that -0.0 becomes 0.0. A timestamp of six bytes
(see ``MIN_MS``) gives every sample the same length, so that all bytes of a series but the value and the
timestamp can be prepared once.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Iterator

MIN_MS, MAX_MS = 1 << 35, (1 << 42) - 1
"""The first and the last UNIX millisecond that take six bytes: from February 1971 to May 2109."""

pack_value = struct.Struct("<d").pack

STALE = struct.pack("<Q", 0x7FF0000000000002)
"""Prometheus' stale marker, which ends a series: the NaN with these bits; other NaNs are values."""

VALUE_SAMPLE = b"\x12\x10\x09"
"""The start of a sample, up to the eight bytes of its value."""
ZERO_SAMPLE = b"\x12\x07"
"""The start of a sample whose value is zero, which is left out."""
VALUE_SAMPLE_BYTES = 18
ZERO_SAMPLE_BYTES = 9


def varint(number: int) -> bytes:
    """Encode a number that is not negative, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _text(tag: bytes, text: str) -> bytes:
    encoded = text.encode(errors="replace")
    return tag + varint(len(encoded)) + encoded


def encode_labels(labels: Iterable[tuple[str, str]]) -> bytes:
    """Encode labels that are sorted by name; a label without a value is left out, as the protocol asks."""
    encoded = bytearray()
    for name, value in labels:
        if value:
            pair = _text(b"\x0a", name) + _text(b"\x12", value)
            encoded += b"\x0a" + varint(len(pair)) + pair
    return bytes(encoded)


@functools.lru_cache(maxsize=256)
def encode_timestamp(milliseconds: int) -> bytes:
    """Encode a timestamp between ``MIN_MS`` and ``MAX_MS``; the samples of an event share theirs."""
    return b"\x10" + varint(milliseconds)


def series_start(size: int) -> bytes:
    """Return the start of a time series whose labels and sample have ``size`` bytes."""
    return b"\x0a" + varint(size)


def encode_series(labels: bytes, value: bytes, timestamp: bytes) -> bytes:
    """Encode a time series with one sample; ``value`` is packed, and ``labels`` are encoded."""
    if not any(value):
        return series_start(len(labels) + ZERO_SAMPLE_BYTES) + labels + ZERO_SAMPLE + timestamp
    return series_start(len(labels) + VALUE_SAMPLE_BYTES) + labels + VALUE_SAMPLE + value + timestamp


def split_series(request: bytes) -> Iterator[bytes]:
    """Yield the time series of a request that this module encoded, each with its start."""
    start = 0
    while start < len(request):
        size = shift = 0
        position = start + 1
        while True:
            byte = request[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        end = position + size
        yield request[start:end]
        start = end
