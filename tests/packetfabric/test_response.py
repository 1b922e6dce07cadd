"""Responses: deadlines, limits of size, and how streams end."""

from __future__ import annotations

import itertools
import threading
import tracemalloc

import pytest

from pf_exporter.errors import (
    Rejected,
    StreamBroken,
    StreamEnded,
    StreamError,
    StreamIdle,
    Unavailable,
)
from tests.conftest import PATIENCE
from tests.fakes import (
    FIN,
    HEARTBEAT,
    LIVE,
    RST,
    SILENCE,
    STREAM,
    Answer,
    Fake,
    Step,
    bomb,
    dripped,
)
from tests.packetfabric.harness import BODY, LONG, PATH, call, end_of, open_stream

pytestmark = pytest.mark.usefixtures("nothing_left")


# Time


@pytest.mark.parametrize(
    "step",
    [
        SILENCE,
        LONG.but(drip=0.01),
        Answer(body=dripped([BODY], 0.01)),
        Answer(body=dripped([BODY], 0.01), framing="chunked"),
        Answer(body=dripped([BODY], 0.01), framing="close"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0.02) * 100,
        Answer(body=(b"[]",), framing="chunked", stop=SILENCE, at=b"0\r\n"),
    ],
    ids=["silence", "headers", "length", "chunked", "close", "continue", "trailer"],
)
def test_deadline_of_a_slow_response(fake: Fake, step: Step) -> None:
    """A call ends at its deadline although every single read is quick."""
    fake.script[PATH] = [step]
    with pytest.raises(Unavailable, match=r"^list: [0-9.:]+: no complete response within 0\.2 s"):
        call(fake.url, deadline=0.2)


def test_deadline_in_a_tls_handshake(fake: Fake) -> None:
    """A server that never completes the handshake cannot hold a call beyond its deadline."""
    fake.script["connect"] = [SILENCE]
    with pytest.raises(Unavailable, match=r"within 0.2 seconds"):
        call(fake.url.replace("http:", "https:"), deadline=0.2)


def test_deadline_while_connecting(dropping_url: str) -> None:
    """A host that drops packets cannot hold a call beyond its deadline."""
    with pytest.raises(Unavailable, match=r"within 0.2 seconds"):
        call(dropping_url, deadline=0.2)


def test_stream_outlives_the_deadline(fake: Fake) -> None:
    """Once a stream is read, the deadline of its opening does not apply."""
    fake.script[PATH] = [STREAM]
    others = set(threading.enumerate())
    stream = open_stream(fake.url, deadline=PATIENCE)
    (timer,) = (t for t in threading.enumerate() if isinstance(t, threading.Timer) and t not in others)
    assert next(stream.chunks()) == HEARTBEAT
    timer.join(PATIENCE / 2)
    assert not timer.is_alive()
    stream.close()


@pytest.mark.parametrize("read_timeout", [2**32 / 1000, 365 * 86_400.0])
def test_very_long_timeouts(fake: Fake, read_timeout: float) -> None:
    """A timeout beyond the range of a socket is a long one, not an immediate one."""
    fake.script[PATH] = [STREAM.but(body=(0.1, b"x"))]
    assert end_of(open_stream(fake.url, read_timeout=read_timeout))[0] == b"x"


# Size


@pytest.mark.parametrize("status", [200, 302, 500])
@pytest.mark.parametrize(
    "response",
    [
        Answer(body=bomb(256 << 20), headers={"Content-Encoding": "gzip"}),
        Answer(body=itertools.repeat(b"x" * (1 << 16)), framing="chunked"),
        Answer(body=itertools.repeat(b"x" * (1 << 16)), framing="close"),
        Answer(body=itertools.repeat(b"x" * (1 << 16))),
    ],
    ids=["bomb", "chunked", "close", "length"],
)
def test_body_limit(fake: Fake, monkeypatch: pytest.MonkeyPatch, response: Answer, status: int) -> None:
    """Neither an endless body nor a gzip bomb takes more memory than the limit explains."""
    monkeypatch.setattr("pf_exporter.packetfabric.response.MAX_BODY_BYTES", 1 << 20)
    location = {"Location": "/elsewhere"} if status == 302 else {}
    fake.script[PATH] = [response.but(status=status, headers={**response.headers, **location})]
    tracemalloc.start()
    try:
        if status == 200:
            with pytest.raises(Rejected, match=r"^list: [0-9.:]+: the response is larger than 1 MiB$"):
                call(fake.url)
        else:
            assert len(call(fake.url).body) == 1 << 16
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


def test_largest_body(fake: Fake) -> None:
    """A body of 32 MiB is read, and a larger one is refused."""
    compressed = Answer(headers={"Content-Encoding": "gzip"})
    fake.script[PATH] = [compressed.but(body=bomb(size << 20)) for size in (32, 33)]
    assert call(fake.url).body == bytes(32 << 20)
    with pytest.raises(Rejected, match=r"^list: [0-9.:]+: the response is larger than 32 MiB$"):
        call(fake.url)


# Streams


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_chunks_are_passed_on_at_once(fake: Fake, framing: str) -> None:
    """No bytes wait for the next ones, with any framing: each piece is sent after the last arrived."""
    fake.script[PATH] = [STREAM.but(framing=framing, body=(LIVE,))]
    stream = open_stream(fake.url)
    chunks = stream.chunks()
    fake.wait_for(lambda: fake.streams)
    for size in (1, 3, 1000, 60_000):
        piece, received = b"x" * size, b""
        fake.send(piece)
        while len(received) < size:
            received += next(chunks)
        assert received == piece
    stream.close()


def test_silence_is_idle(fake: Fake) -> None:
    """A stream without a byte within the timeout is StreamIdle."""
    fake.script[PATH] = [STREAM.but(body=(HEARTBEAT, SILENCE))]
    received, error = end_of(open_stream(fake.url, read_timeout=1.0))
    assert (received, type(error)) == (HEARTBEAT, StreamIdle)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_endless_framing_is_idle(fake: Fake) -> None:
    """Chunk framing without content is silence, although bytes arrive."""
    fake.script[PATH] = [(HEAD, *(b"0", 0.01) * 6000, FIN)]
    received, error = end_of(open_stream(fake.url, read_timeout=0.2))
    assert (received, type(error)) == (b"", StreamIdle)


TWO_READS = b"5\r\nfirst\r\n6\r\nsecond\r\n"


@pytest.fixture
def _short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one read bring the first of two chunks that have arrived."""
    monkeypatch.setattr("pf_exporter.packetfabric.response._CHUNK_BYTES", TWO_READS.index(b"6"))


@pytest.mark.usefixtures("_short_reads")
def test_a_pause_is_not_idle(fake: Fake) -> None:
    """While the reader is busy and does not read, the stream stays open, and nothing is lost."""
    # All bytes arrive with the headers, so that no read has to wait.
    fake.script[PATH] = itertools.repeat((HEAD + TWO_READS, SILENCE))
    stream = open_stream(fake.url, read_timeout=0.1)
    chunks = stream.chunks()
    assert next(chunks) == b"first"
    for _ in range(3):  # as long as it takes others, which are read, to become idle one after the other
        assert isinstance(end_of(open_stream(fake.url, read_timeout=0.1))[1], StreamIdle)
    assert next(chunks) == b"second"
    stream.close()


@pytest.mark.usefixtures("_short_reads")
def test_bytes_that_have_arrived_survive_a_shutdown(fake: Fake) -> None:
    """A shutdown ends a stream after the bytes that are there; other ends do not wait for them."""
    fake.script[PATH] = itertools.repeat((HEAD + TWO_READS, SILENCE))
    for end in ("shutdown", "end_reading"):
        stream = open_stream(fake.url)
        chunks = stream.chunks()
        assert next(chunks) == b"first"
        getattr(stream, end)()
        received, error = end_of(stream)
        assert received == (b"second" if end == "shutdown" else b"")
        assert type(error) is StreamEnded


def test_compressed_bytes_are_left_as_they_are(fake: Fake) -> None:
    """The bytes of a stream are not decoded: the client refuses a compressed stream before it reads one."""
    headers = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}
    fake.script[PATH] = [STREAM.but(headers=headers, body=(HEARTBEAT,), framing="close")]
    assert end_of(open_stream(fake.url))[0] == HEARTBEAT


def test_no_thread_keeps_the_process_alive(fake: Fake) -> None:
    """An open stream does not hold up the end of the process."""
    fake.script[PATH] = [STREAM]
    before = set(threading.enumerate())
    stream = open_stream(fake.url)
    (deadline,) = [thread for thread in set(threading.enumerate()) - before if thread.name != "fake"]
    next(stream.chunks())
    names = {thread.name for thread in threading.enumerate()}
    assert "stream watchdog" in names
    assert deadline.daemon
    assert not [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
    stream.close()


EVENT = 'event: x\ndata: {"é": 1}\n\n'.encode()


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (STREAM.but(body=(EVENT,)), StreamEnded),
        (STREAM.but(body=(EVENT,), framing="close"), StreamEnded),
        (
            STREAM.but(body=(EVENT,), framing="length", headers={"Content-Length": str(len(EVENT))}),
            StreamEnded,
        ),
        (STREAM.but(body=(EVENT, FIN)), StreamBroken),
        (STREAM.but(body=(EVENT, 0.1, RST)), StreamBroken),
        (STREAM.but(body=(EVENT, FIN), framing="length"), StreamBroken),
        (STREAM.but(body=(EVENT, 0.1, RST), framing="close"), StreamBroken),
        (STREAM.but(body=(EVENT, b"more"), stop=FIN, at=b"mo"), StreamBroken),
        (
            STREAM.but(body=(EVENT, EVENT), stop=FIN, at=EVENT + b"\r\n%x\r\n" % len(EVENT) + EVENT[:18]),
            StreamBroken,
        ),
    ],
)
def test_how_a_stream_ends(fake: Fake, response: Answer, error: type[StreamError]) -> None:
    """An orderly end differs from a broken connection, and the bytes before either are not lost."""
    fake.script[PATH] = [response]
    received, ended = end_of(open_stream(fake.url))
    assert (received[: len(EVENT)], type(ended)) == (EVENT, error)
