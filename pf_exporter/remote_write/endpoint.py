"""One endpoint: its queue or spool, its two threads, and its numbers."""

from __future__ import annotations

import base64
import platform
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from pf_exporter import __version__
from pf_exporter.config import RemoteWriteSettings, SecretFile, find_endpoint_proxy
from pf_exporter.log import Logger
from pf_exporter.remote_write.batch_queue import BatchQueue
from pf_exporter.remote_write.batcher import Batcher
from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.receiver import Receiver, TlsOptions
from pf_exporter.remote_write.sender import Sender
from pf_exporter.remote_write.series import SeriesEncoder
from pf_exporter.remote_write.spool import Spool
from pf_exporter.remote_write.stats import EndpointStats
from pf_exporter.supervised_thread import SupervisedThread

DRAIN_TIMEOUT = 5.0
"""Seconds to send what waits when the exporter stops, if the receiver takes it."""
ROW_BYTES = 1024
"""Memory of a row that waits to be encoded, at most."""
SAMPLES_PER_ROW = 10
"""Roughly; for the number of samples that wait."""

log = Logger(__name__)

_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": f"pf_exporter/{__version__} python/{platform.python_version()}",
}


def request_headers(settings: RemoteWriteSettings) -> Mapping[str, str]:
    """Return the headers of a request; reads the secrets, and raises :class:`ConfigError` if it cannot."""
    headers = {**dict(settings.headers), **_HEADERS}
    for name, path in settings.header_files:
        headers[name] = SecretFile(path, f"header_files {name}: {path}").read().reveal()
    if settings.bearer_token_file:
        path = settings.bearer_token_file
        token = SecretFile(path, f"bearer_token_file: {path}").read().reveal()
        headers["Authorization"] = f"Bearer {token}"
    elif settings.username:
        path = settings.password_file
        password = SecretFile(path, f"password_file: {path}").read().reveal()
        credentials = f"{settings.username}:{password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
    return headers


def create_receiver(settings: RemoteWriteSettings) -> Receiver:
    """Create the HTTP side of an endpoint; nothing is connected yet."""
    tls = TlsOptions(settings.ca_file, settings.cert_file, settings.key_file, settings.server_name)
    return Receiver(settings.url, tls, lambda: find_endpoint_proxy(settings))


class Endpoint:
    """Sends samples to one receiver.

    ``instance`` is the label of that name if the settings have none; ``on_failure`` is called if a thread
    dies. Raises :class:`ConfigError` if the spool cannot be used.
    """

    def __init__(
        self,
        settings: RemoteWriteSettings,
        instance: str,
        on_failure: Callable[[BaseException], None],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.host = urlsplit(settings.url).netloc
        """HOST:PORT of the receiver, for messages."""
        self.stats = EndpointStats(settings.name)
        lost = self.stats.lost
        queue = BatchQueue(settings.queue_bytes * 3 // 4, lost)
        self._spool = (
            Spool(settings.spool_path, settings.spool_bytes, lost, queue) if settings.spool_path else None
        )
        self._source = self._spool or queue
        labels = {
            "job": settings.job,
            "instance": settings.instance or instance,
            **dict(settings.external_labels),
        }
        receiver = create_receiver(settings)
        self._batcher = Batcher(
            settings.name,
            SeriesEncoder(labels, settings.max_age),
            self._source.put,
            lost,
            limit=settings.queue_bytes // 4 // ROW_BYTES,
            tick=receiver.enforce_deadline,
            wall=wall,
        )
        self._sender = Sender(
            self._source,
            receiver,
            lambda: request_headers(settings),
            self.stats,
            max_age=settings.max_age,
            wall=wall,
        )
        self._threads = [
            SupervisedThread(work, name=f"{name} {self.name}", on_failure=on_failure, endpoint=self.name)
            for name, work in (("encode", self._batcher.run), ("send", self._sender.run))
        ]
        self.offer = self._batcher.offer
        """Takes a row or collected samples; never waits."""

    @property
    def pending(self) -> int:
        """Samples that wait or are being sent; those that are not encoded yet are estimated."""
        waiting = self._source.samples + self._batcher.waiting * SAMPLES_PER_ROW
        return waiting if self._spool is not None else waiting + self._sender.in_flight

    @property
    def is_encoding(self) -> bool:
        """Whether there are rows that are not in a finished request yet."""
        return self._batcher.is_busy

    @property
    def spool_bytes(self) -> int | None:
        """Bytes on disk; None without a spool."""
        return None if self._spool is None else self._spool.size

    @property
    def spool_problem(self) -> str:
        """Why the spool cannot be written; empty if it can, or if there is none."""
        return "" if self._spool is None else self._spool.problem

    def start(self) -> None:
        """Start to encode and to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send what waits and stale markers, if the receiver takes them; the rest stays in the spool."""
        encode, send = self._threads
        deadline = time.monotonic() + DRAIN_TIMEOUT
        self._batcher.stop()
        encode.join(DRAIN_TIMEOUT)
        self._source.close()
        while not send.join(0.05) and self.stats.failure is None and time.monotonic() < deadline:
            pass
        self._sender.stop()
        send.join(1.0)
        self._source.dispose()
        # The pages are down: no scrape reads the counter any more.
        lost = self.stats.dropped[Loss.STOPPED]
        if lost:
            log.warning(
                "samples lost, because the exporter stops before the receiver takes them",
                endpoint=self.name,
                samples=lost,
                remedy="With spool.path, they are sent after the next start.",
            )
