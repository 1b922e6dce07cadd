"""A stream that is read ahead: what is held, how much of it, and how the reader takes it over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pf_exporter.config.secrets import Secret
from pf_exporter.errors import StreamBroken
from pf_exporter.packetfabric.client import Session
from pf_exporter.packetfabric.response import StreamingResponse
from pf_exporter.stream.held_stream import HeldStream
from pf_exporter.stream.subscription import OpenStream
from tests.conftest import PATIENCE, until
from tests.stream.events import entry


class Response:
    """A response whose last read ends, as broken, when the test or the reader ends it."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.pulled = 0
        self.waits = threading.Event()
        """Set inside of the last read."""
        self.end = threading.Event()
        self.closed = threading.Event()
        self.over = threading.Event()
        """Set when the last read is over."""
        self.was_closed_while_reading = False

    def chunks(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.pulled += 1
            yield chunk
        self.waits.set()
        assert self.end.wait(PATIENCE)
        self.was_closed_while_reading = self.closed.wait(0.2)
        self.over.set()
        raise StreamBroken("stream: reset")

    def end_reading(self) -> None:
        self.end.set()

    def close(self) -> None:
        self.closed.set()


def read_first(response: Response, **limits: Any) -> HeldStream:
    stream = HeldStream(cast(StreamingResponse, response), **limits)
    stream.read_first()
    return stream


def held(response: Response, **limits: Any) -> HeldStream:
    stream = read_first(response, **limits)
    threading.Thread(target=stream.run, daemon=True).start()
    return stream


def open_stream(response: Response, stream: HeldStream) -> OpenStream:
    session = Session(Secret("key"), None, from_login=False)
    return OpenStream(session, cast(StreamingResponse, response), 0.0, stream)


def test_the_first_bytes_are_waited_for() -> None:
    """A stream that ends before its first byte is an error; one chunk is enough, and the reader gets it."""
    empty = Response()
    empty.end.set()
    with pytest.raises(StreamBroken):
        read_first(empty)
    response = Response(entry(0), entry(1))
    stream = read_first(response)
    assert response.pulled == 1
    assert next(stream.take_over()) == entry(0)


def test_held_bytes_are_limited() -> None:
    """At the limit the next stream is not read."""
    response = Response(*[entry(number) for number in range(100)])
    stream = held(response, limit=3 * len(entry(1)))
    until(lambda: stream.is_paused, "the limit")
    assert response.pulled == 3
    taken = [*stream.take_over()]
    assert taken == [entry(0), entry(1), entry(2)]
    assert not stream.is_paused


def test_reading_goes_on_up_to_the_limit() -> None:
    """One byte below the limit, one more chunk is read."""
    response = Response(*[entry(number) for number in range(100)])
    stream = held(response, limit=2 * len(entry(1)) + 1)
    until(lambda: stream.is_paused, "the limit")
    assert response.pulled == 3
    stream.join()


def test_four_mebibytes_are_held() -> None:
    """The memory that a rotation takes is limited to 4 MiB for each account."""
    response = Response(*[b":" * (1 << 20)] * 10)
    stream = held(response)
    until(lambda: stream.is_paused or response.waits.is_set(), "the limit")
    assert response.pulled == 4
    stream.join()


def test_held_stream_that_breaks() -> None:
    """The reader gets what had arrived, then the error; keys of its events come in their order."""
    response = Response(entry(0), entry(1))
    stream = held(response)
    assert response.waits.wait(PATIENCE)
    response.end.set()
    taking = stream.take_over()
    assert [next(taking), next(taking)] == [entry(0), entry(1)]
    with pytest.raises(StreamBroken, match="reset"):
        next(taking)
    assert len(list(stream.take_keys())) == 2
    assert list(stream.take_keys()) == []
    stream.join()


def test_chunk_during_the_take_over() -> None:
    """The chunk that the thread waits for at the take-over is the last one that it reads, and is not lost."""
    response = Response(entry(0))
    arrival = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield entry(0)
        assert arrival.wait(PATIENCE)
        yield entry(1)
        raise AssertionError("read by the thread after the take-over")

    response.chunks = chunks  # type: ignore[method-assign]
    taking = held(response).take_over()
    assert next(taking) == entry(0)
    arrival.set()
    assert list(taking) == [entry(1)]


def test_close_ends_the_read_of_the_other_thread() -> None:
    """A stream that another thread still reads is closed only after that thread was woken and has ended."""
    response = Response(entry(0))
    stream = open_stream(response, held(response))
    assert response.waits.wait(PATIENCE)
    closing = threading.Thread(target=stream.close, daemon=True)
    closing.start()
    closing.join(PATIENCE)
    assert response.closed.is_set()
    assert response.over.wait(PATIENCE)
    assert not response.was_closed_while_reading


def test_close_at_the_limit() -> None:
    """A stream that is paused, because enough is held, can be closed as well."""
    response = Response(entry(0), entry(1))
    ahead = held(response, limit=1)
    stream = open_stream(response, ahead)
    until(lambda: ahead.is_paused, "the limit")
    closing = threading.Thread(target=stream.close, daemon=True)
    closing.start()
    closing.join(PATIENCE)
    assert response.closed.is_set()
    assert response.pulled == 1
