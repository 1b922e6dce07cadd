"""The thread that sends the batches of one endpoint, one request at a time and in order."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Backoff, failure_cause
from pf_exporter.remote_write.batch import Batch, split_batch
from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.outcome import Outcome, Verdict, judge
from pf_exporter.remote_write.receiver import Receiver
from pf_exporter.remote_write.stats import EndpointStats

BACKOFF = Backoff(0.1, 30.0)
MAX_SPLITS = 200
"""Most times that one batch is split: a receiver that refuses everything must not cause endless requests."""


class BatchSource(Protocol):
    """Where batches wait."""

    def take(self) -> Batch | None:
        """Wait for the oldest batch; None if there will be no more."""

    def done(self) -> None:
        """Note that the batch that was taken is sent or lost."""

    def put_back(self, batch: Batch) -> None:
        """Keep the batch that was taken, because the exporter stops."""


class Sender:
    """Sends batches until the source has no more.

    ``headers`` reads the secrets for each request, or raises :class:`ConfigError`. ``max_age`` is in seconds;
    older batches are dropped.
    """

    def __init__(
        self,
        source: BatchSource,
        receiver: Receiver,
        headers: Callable[[], Mapping[str, str]],
        stats: EndpointStats,
        *,
        max_age: float,
        backoff: Backoff = BACKOFF,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._receiver = receiver
        self._headers = headers
        self._stats = stats
        self._max_age = max_age
        self._backoff = backoff
        self._wall = wall
        self._log = Logger(__name__)
        self._stopping = threading.Event()
        self.in_flight = 0
        """Samples of the batch that is being sent."""

    def run(self) -> None:
        """Send until the source has no more, or :meth:`stop`."""
        while not self._stopping.is_set():
            batch = self._source.take()
            if batch is None:
                break
            self.in_flight = batch.samples
            if self._deliver(batch):
                self._source.done()
            else:
                self._source.put_back(batch)
            self.in_flight = 0
        self._receiver.close()

    def stop(self) -> None:
        """End at once; what was not sent stays in the source."""
        self._stopping.set()
        self._receiver.abort()

    def _deliver(self, batch: Batch) -> bool:
        """Send a batch or what the receiver takes of it; return whether that is over."""
        pieces = deque([batch])
        splits = 0
        while pieces:
            piece = pieces.popleft()
            outcome = self._send(piece)
            if outcome is None:
                return False
            if outcome.verdict is Verdict.SPLIT:
                if piece.samples > 1 and splits < MAX_SPLITS:
                    splits += 1
                    pieces.extendleft(reversed(split_batch(piece)))
                else:
                    self._reject(piece, outcome)
        return True

    def _reject(self, piece: Batch, outcome: Outcome) -> None:
        self._stats.lost(Loss.REJECTED, piece.samples)
        self._log.warning_throttled(
            "rejected",
            "samples rejected by the receiver",
            endpoint=self._stats.endpoint,
            samples=piece.samples,
            error=outcome.problem,
        )

    def _send(self, piece: Batch) -> Outcome | None:
        """Send until it is clear what happens to the samples; None if the exporter stops first."""
        backoff = self._backoff
        while True:
            if piece.newest_ms < (self._wall() - self._max_age) * 1000:
                self._stats.lost(Loss.TOO_OLD, piece.samples)
                return Outcome(Verdict.DELIVERED)
            outcome = self._attempt(piece)
            if outcome.verdict is Verdict.DELIVERED:
                if self._stats.failure is not None:
                    self._log.info("remote write works again", endpoint=self._stats.endpoint)
                self._stats.sent(piece.samples, len(piece.body), piece.newest_ms)
                return outcome
            if outcome.verdict is Verdict.SPLIT:
                return outcome
            if self._stopping.is_set():
                return None
            self._stats.request_failed(outcome.problem)
            self._log.warning_throttled(
                "failed",
                "remote write failed",
                endpoint=self._stats.endpoint,
                error=f"{self._receiver.address}: {outcome.problem}",
                remedy="Start the receiver, or correct the endpoint; `pf-exporter check` tests it.",
            )
            delay = backoff.delay(random.random()) if outcome.wait is None else outcome.wait
            backoff = backoff.next()
            if self._stopping.wait(delay):
                return None

    def _attempt(self, piece: Batch) -> Outcome:
        try:
            response = self._receiver.post(piece.body, self._headers())
        except (OSError, http.client.HTTPException) as exc:
            return Outcome(Verdict.RETRY, failure_cause(exc))
        except ConfigError as exc:
            return Outcome(Verdict.RETRY, str(exc))
        return judge(response)
