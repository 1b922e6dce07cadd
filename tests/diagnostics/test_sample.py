from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.diagnostics.result import CheckFailed, FailureClass, Notice
from pf_exporter.diagnostics.sample import StreamSample
from pf_exporter.errors import ExporterError, NotAnEventStream, StreamBroken, StreamError
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from tests.recordings import Clock

HEARTBEAT = b": heartbeat\n\n"
DATA = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}


def metrics(circuit: str) -> bytes:
    data = {**DATA, "port_circuit_id": circuit}
    return f"event: port|metrics\ndata: {json.dumps(data)}\n\n".encode()


EVENT = metrics("PF-AP-1")


class ScriptedStream:
    """A stream of the given chunks, which then stays open until it is shut down, or breaks."""

    def __init__(self, chunks: Iterable[bytes], *, breaks: bool = False) -> None:
        self._pending = chunks
        self._breaks = breaks
        self._shutdown = threading.Event()
        self.is_closed = False

    @property
    def was_shut_down(self) -> bool:
        return self._shutdown.is_set()

    def chunks(self) -> Iterator[bytes]:
        yield from self._pending
        if self._breaks:
            raise StreamBroken("stream: connection reset")
        assert self._shutdown.wait(60)
        raise StreamError("stream: shut down")

    def wait_for_shutdown(self, seconds: float) -> bool:
        return self._shutdown.wait(seconds)

    def shutdown(self) -> None:
        self._shutdown.set()

    def close(self) -> None:
        self.is_closed = True


def sample_of(
    stream: ScriptedStream | ExporterError,
    *,
    within: float = 0.2,
    listen: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
) -> StreamSample:
    """A sample of a stream, or of one that cannot be opened."""

    def open_stream() -> ScriptedStream:
        if isinstance(stream, ExporterError):
            raise stream
        return stream

    account = Account(name="a", token=Secret("x"))
    store = Store(ttl=600.0, limit=1000)
    store.add_account("a")
    return StreamSample(
        open_stream,
        store,
        AccountStats(account, idle_timeout=60.0),
        within=within,
        listen=listen,
        clock=clock,
    )


@pytest.mark.parametrize(("chunk", "kind"), [(HEARTBEAT, "a heartbeat"), (EVENT, "an event")])
def test_the_first_byte(chunk: bytes, kind: str) -> None:
    """The message names what was received first, and after how long."""
    sample = sample_of(ScriptedStream([chunk]), clock=Clock(0.0))
    assert sample.receive_first_byte() == f"{kind} after 0.0 s"


def test_no_first_byte() -> None:
    """A silent stream is shut down in time, and fails."""
    stream = ScriptedStream([])
    with pytest.raises(CheckFailed, match=r"no data within 0\.1 s") as caught:
        sample_of(stream, within=0.1).receive_first_byte()
    assert caught.value.failure is FailureClass.NO_DATA
    assert stream.was_shut_down


def test_an_error_before_the_first_byte() -> None:
    """A stream that breaks, or cannot be opened, fails with its own error."""
    with pytest.raises(StreamBroken, match="connection reset"):
        sample_of(ScriptedStream([], breaks=True)).receive_first_byte()
    sample = sample_of(NotAnEventStream("stream: text/html"))
    with pytest.raises(NotAnEventStream):
        sample.receive_first_byte()
    sample.close()


def test_events_are_counted_by_name() -> None:
    """Every event is counted, those of the first chunk as well; then the stream is shut down."""
    stream = ScriptedStream([EVENT, HEARTBEAT, metrics("PF-AP-2") + metrics("PF-AP-3")])
    sample = sample_of(stream)
    sample.receive_first_byte()
    outcome = sample.receive_events()
    assert isinstance(outcome, str)
    assert re.fullmatch(r"first event after \d+\.\d s; port\|metrics 3", outcome)
    assert stream.was_shut_down
    assert not stream.is_closed
    sample.close()
    assert stream.is_closed


def test_heartbeats_alone_are_noted() -> None:
    """A stream without events works, and the network may be without active circuits."""
    sample = sample_of(ScriptedStream([HEARTBEAT, HEARTBEAT]))
    sample.receive_first_byte()
    outcome = sample.receive_events()
    assert isinstance(outcome, Notice)
    assert outcome.message == "heartbeats, but no event within 0.2 s"


def test_rejected_events_are_noted() -> None:
    """Events that cannot be decoded are counted by reason."""
    sample = sample_of(ScriptedStream([EVENT, b"event: port|metrics\ndata: {\n\n"]))
    sample.receive_first_byte()
    outcome = sample.receive_events()
    assert isinstance(outcome, Notice)
    assert outcome.message.endswith("; rejected: not_json 1")


def test_a_stream_that_breaks_fails() -> None:
    """A stream that ends before the time is over fails, whatever it sent."""
    sample = sample_of(ScriptedStream([EVENT], breaks=True), within=20.0)
    sample.receive_first_byte()
    with pytest.raises(StreamBroken):
        sample.receive_events()


def test_listening_takes_at_least_so_long() -> None:
    """With ``listen`` the stream is received for that time, even if there were events at once."""
    clock = Clock(0.0)

    def chunks() -> Iterator[bytes]:
        yield EVENT
        clock.now = 9.0
        assert not stream.wait_for_shutdown(0.5)
        clock.now = 10.0
        yield HEARTBEAT

    stream = ScriptedStream(chunks())
    sample = sample_of(stream, within=0.05, listen=10.0, clock=clock)
    sample.receive_first_byte()
    assert sample.receive_events() == "first event after 0.0 s; port|metrics 1"
    assert stream.was_shut_down
