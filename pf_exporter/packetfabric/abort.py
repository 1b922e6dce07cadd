"""Why a connection was aborted."""

from __future__ import annotations

from typing import NamedTuple

from pf_exporter.errors import StreamEnded, StreamError


class Abort(NamedTuple):
    """Why a connection was aborted, for error messages; and the error that the reader of a stream gets."""

    message: str
    stream_error: type[StreamError] = StreamEnded


CLOSED = Abort("closed")
