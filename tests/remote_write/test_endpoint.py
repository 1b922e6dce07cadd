"""One endpoint with real threads against a receiver on loopback."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.errors import ConfigError
from pf_exporter.remote_write import endpoint as endpoint_module
from pf_exporter.remote_write.endpoint import Endpoint, request_headers
from tests.conftest import PATIENCE, until
from tests.remote_write.fake_receiver import FakeReceiver, Reply
from tests.remote_write.rows import METRICS, metrics_row

WIDTH = len(METRICS.fields)


def failed(exc: BaseException) -> None:
    raise AssertionError from exc


def create_endpoint(url: str, **settings: Any) -> Endpoint:
    return Endpoint(RemoteWriteSettings(url=url, **settings), "host:1", failed)


@contextmanager
def running(url: str, **settings: Any) -> Iterator[Endpoint]:
    endpoint = create_endpoint(url, **settings)
    endpoint.start()
    try:
        yield endpoint
    finally:
        endpoint.stop()


def offer(endpoint: Endpoint, rows: int, *, start: float | None = None) -> None:
    begin = time.time() - 100 if start is None else start
    for number in range(rows):
        endpoint.offer(metrics_row(at=begin + number / 100))


def test_every_sample_once() -> None:
    """Every row arrives once and in order; a clean stop sends what waits, then stale markers."""
    with FakeReceiver() as fake:
        with running(fake.url, external_labels=(("replica", "a"),)) as endpoint:
            offer(endpoint, 1000)
        samples = fake.samples
        taken = fake.requests[0]
    values = [sample for sample in samples if not sample.is_stale]
    assert len(values) == 1000 * WIDTH
    assert len({(sample.name, sample.ms) for sample in values}) == len(values)
    assert [sample.ms for sample in values] == sorted(sample.ms for sample in values)
    assert [sample.is_stale for sample in samples[-WIDTH:]] == [True] * WIDTH
    assert values[0].labels == {
        "__name__": values[0].name,
        "account": "east",
        "port_circuit_id": "PF-AP-LAX1-1",
        "job": "packetfabric",
        "instance": "host:1",
        "replica": "a",
    }
    assert taken.headers["content-encoding"] == "snappy"
    assert taken.headers["content-type"] == "application/x-protobuf"
    assert taken.headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert taken.headers["user-agent"].startswith("pf_exporter/")
    assert (endpoint.pending, endpoint.spool_bytes) == (0, None)


def test_stop_without_receiver(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the receiver fails, a stop does not wait for it, and counts and logs what is lost."""
    monkeypatch.setattr(endpoint_module, "DRAIN_TIMEOUT", 3600.0)
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(500)
        endpoint = create_endpoint(fake.url)
        endpoint.start()
        offer(endpoint, 1000)
        until(lambda: endpoint.stats.failure, "a failure")
        stop = threading.Thread(target=endpoint.stop, daemon=True)
        stop.start()
        stop.join(PATIENCE)
        assert not stop.is_alive()
    assert endpoint.stats.dropped["stopped"] == (1000 + 1) * WIDTH
    assert caplog.messages[-1].startswith("samples lost")


def test_queue_is_bounded() -> None:
    """A long outage drops the oldest samples within the bytes of the queue; the newest arrive later."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(500)
        with running(fake.url, queue_bytes=1 << 20) as endpoint:
            start = time.time() - 3000
            offer(endpoint, 15_000, start=start)
            until(lambda: endpoint.stats.dropped["queue_full"], "the queue is full")
            fake.answer = lambda samples: Reply()
            until(lambda: endpoint.pending == 0, "everything else is sent")
    stats = endpoint.stats
    assert stats.samples + stats.dropped["queue_full"] == (15_000 + 1) * WIDTH
    newest = max(sample.ms for sample in fake.samples if not sample.is_stale)
    assert newest == round((start + 149.99) * 1000)


def test_spool_survives(tmp_path: Path) -> None:
    """What was not sent when the exporter stopped is sent by the next one, in order, before new samples."""
    spool = str(tmp_path / "spool")
    start = time.time() - 100
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(500)
        with running(fake.url, spool_path=spool) as endpoint:
            offer(endpoint, 500, start=start)
            until(lambda: endpoint.stats.failure, "a failure")
        assert endpoint.pending == (500 + 1) * WIDTH
        assert endpoint.stats.dropped["stopped"] == 0
        fake.answer = lambda samples: Reply()
        with running(fake.url, spool_path=spool) as endpoint:
            offer(endpoint, 10, start=start + 50)
    values = [sample for sample in fake.samples if not sample.is_stale]
    assert len(values) == 510 * WIDTH
    assert [sample.ms for sample in values] == sorted(sample.ms for sample in values)


def test_two_processes_on_one_spool(tmp_path: Path) -> None:
    """A spool that is in use is refused in one line."""
    settings = RemoteWriteSettings(url="http://127.0.0.1:1/", spool_path=str(tmp_path))
    endpoint = Endpoint(settings, "host:1", failed)
    with pytest.raises(ConfigError, match="another process uses it; give each its own"):
        Endpoint(settings, "host:1", failed)
    endpoint.start()
    endpoint.stop()


def test_headers(tmp_path: Path) -> None:
    """Credentials come from files, which are read for each request."""
    secret = tmp_path / "secret"
    secret.write_text("canary\n")
    settings = RemoteWriteSettings(
        username="user",
        password_file=str(secret),
        headers=(("X-Scope-OrgID", "tenant"),),
        header_files=(("X-Key", str(secret)),),
    )
    headers = request_headers(settings)
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'user:canary').decode()}"
    assert (headers["X-Scope-OrgID"], headers["X-Key"]) == ("tenant", "canary")
    secret.write_text("rotated")
    settings = RemoteWriteSettings(bearer_token_file=str(secret))
    assert request_headers(settings)["Authorization"] == "Bearer rotated"
    secret.unlink()
    with pytest.raises(ConfigError, match=f"bearer_token_file: {secret}: the file cannot be read"):
        request_headers(settings)
