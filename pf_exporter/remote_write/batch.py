"""A finished request: compressed bytes, and what is counted about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cramjam import snappy

from pf_exporter.remote_write.encoder import split_series

MAX_SAMPLES = 2000
"""Most samples of one request."""


class Batch(NamedTuple):
    """The body of a request."""

    body: bytes
    """Compressed with snappy."""
    samples: int
    newest_ms: int
    """The newest timestamp, in UNIX milliseconds."""


def build_batch(series: Sequence[bytes], newest_ms: int) -> Batch:
    """Compress a request of encoded time series with one sample each."""
    return Batch(bytes(snappy.compress_raw(b"".join(series))), len(series), newest_ms)


def split_batch(batch: Batch) -> tuple[Batch, Batch]:
    """Return the halves of a batch, in order."""
    series = list(split_series(bytes(snappy.decompress_raw(batch.body))))
    middle = len(series) // 2
    return build_batch(series[:middle], batch.newest_ms), build_batch(series[middle:], batch.newest_ms)


EMPTY = Batch(b"\0", 0, 0)
"""A request without samples, which tests whether a receiver accepts requests at all."""
