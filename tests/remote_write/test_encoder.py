"""The encoder against protobuf's own."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pf_exporter.remote_write.encoder import (
    MAX_MS,
    MIN_MS,
    STALE,
    encode_labels,
    encode_series,
    encode_timestamp,
    pack_value,
    split_series,
    varint,
)
from tests.remote_write.protocol import decode, encode_request

_LABELS = st.dictionaries(st.text(min_size=1), st.text(min_size=1), min_size=1)


def _encode(labels: dict[str, str], value: float, ms: int) -> bytes:
    return encode_series(encode_labels(sorted(labels.items())), pack_value(value), encode_timestamp(ms))


@given(st.lists(st.tuples(_LABELS, st.floats(), st.integers(MIN_MS, MAX_MS)), max_size=5))
@example([({"a": "b"}, 0.0, MIN_MS), ({"a": "x" * 300}, float("inf"), MAX_MS)])
def test_same_bytes_as_protobuf(samples: list[tuple[dict[str, str], float, int]]) -> None:
    """A request has the bytes of protobuf's encoder, for any labels, values and timestamps."""
    encoded = [_encode(*sample) for sample in samples]
    assert b"".join(encoded) == encode_request(*samples)
    assert list(split_series(b"".join(encoded))) == encoded


@pytest.mark.parametrize("number", [0, 1, 127, 128, 16_383, 16_384, 2**35 - 1, 2**63])
def test_varint(number: int) -> None:
    """A number takes one byte for each seven bits, the lowest first."""
    encoded = varint(number)
    assert sum((byte & 0x7F) << 7 * index for index, byte in enumerate(encoded)) == number
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]


def test_timestamps_have_one_length() -> None:
    """All timestamps in the range that is sent have the same length, and those outside have another."""
    lengths = {ms: len(encode_timestamp(ms)) for ms in (MIN_MS - 1, MIN_MS, MAX_MS, MAX_MS + 1)}
    assert lengths == {MIN_MS - 1: 6, MIN_MS: 7, MAX_MS: 7, MAX_MS + 1: 8}


def test_empty_labels_are_left_out() -> None:
    """A label without a value is not sent: for Prometheus it does not exist."""
    assert encode_labels([("a", ""), ("b", "c")]) == encode_labels([("b", "c")])


def test_lone_surrogates() -> None:
    """A label that is not valid Unicode does not stop the encoder."""
    (sample,) = decode(_encode({"a": "b\ud800"}, 1.0, MIN_MS))
    assert sample.labels == {"a": "b?"}


def test_stale_marker() -> None:
    """The stale marker is the NaN that Prometheus knows."""
    assert struct.unpack("<Q", STALE) == (0x7FF0000000000002,)
    (sample,) = decode(encode_series(encode_labels([("a", "b")]), STALE, encode_timestamp(MIN_MS)))
    assert sample.is_stale
