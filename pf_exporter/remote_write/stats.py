"""What happened at one endpoint: plain numbers, read by the metrics and the status page."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from pf_exporter.remote_write.loss import DROPPED, FAILED, Loss


class Failure(NamedTuple):
    """A request that failed."""

    message: str
    """One line for users."""
    at: float
    """UNIX seconds."""


class EndpointStats:
    """The counters of one endpoint; any thread may call."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._lock = threading.Lock()
        self.samples = 0
        """Samples that the receiver accepted."""
        self.failed: dict[str, int] = dict.fromkeys(map(str, FAILED), 0)
        self.dropped: dict[str, int] = dict.fromkeys(map(str, DROPPED), 0)
        self.bytes = 0
        """Compressed bytes of the requests that the receiver took."""
        self.highest_sent: float | None = None
        """The newest timestamp that the receiver took, in UNIX seconds; None before the first."""
        self.failure: Failure | None = None
        """The last failure, while requests fail; None while they succeed."""
        self.last_success: float | None = None
        """When the receiver last took a request, in UNIX seconds."""

    def sent(self, samples: int, size: int, newest_ms: int) -> None:
        """Count a request that the receiver took."""
        with self._lock:
            self.samples += samples
            self.bytes += size
            newest = newest_ms / 1000
            self.highest_sent = newest if self.highest_sent is None else max(self.highest_sent, newest)
            self.failure = None
            self.last_success = time.time()

    def lost(self, loss: Loss, samples: int) -> None:
        """Count lost samples."""
        if samples:
            counters = self.failed if loss in FAILED else self.dropped
            with self._lock:
                counters[str(loss)] += samples

    def request_failed(self, message: str) -> None:
        """Record a request that will be sent again, or whose samples are lost."""
        self.failure = Failure(message, time.time())
