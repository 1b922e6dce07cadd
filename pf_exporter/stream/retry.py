"""How long the reader waits after an error before it opens the next stream."""

from __future__ import annotations

import random
from collections.abc import Callable

from pf_exporter.config import StreamSettings
from pf_exporter.errors import ApiError, ExporterError, NextStep, StreamBroken, StreamEnded
from pf_exporter.packetfabric import Backoff

HEALTHY_AFTER = 60.0
"""Seconds of life after which a stream counts as a success, and waits start again at their minimum."""


class RetrySchedule:
    """Exponential backoff that starts again after a healthy stream, with exceptions for planned ends."""

    def __init__(
        self,
        settings: StreamSettings,
        *,
        healthy_after: float = HEALTHY_AFTER,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._backoff = Backoff(settings.backoff_min, settings.backoff_max)
        self._healthy_after = healthy_after
        self._jitter = jitter

    def delay(self, exc: ExporterError, lifetime: float | None, login_delay: float) -> float:
        """Return the seconds to wait after an error, and count it.

        ``lifetime`` is how long the stream lived that the error ended, or None if it prevented one;
        ``login_delay`` is the time until the next login is allowed.
        """
        was_healthy = lifetime is not None and lifetime >= self._healthy_after
        if was_healthy:
            self._backoff = self._backoff.reset()
        # A planned end, or an error that a new subscription or login resolves, needs no wait the first time.
        is_resolved = isinstance(exc, StreamEnded) or exc.next_step is NextStep.RENEW
        is_resolved = is_resolved or (was_healthy and isinstance(exc, StreamBroken))
        at_once = is_resolved and not self._backoff.attempt
        delay = 0.0 if at_once else self._backoff.delay(self._jitter())
        if isinstance(exc, ApiError):
            delay = max(delay, exc.retry_after or 0.0, login_delay)
        if not (was_healthy and at_once):
            self._backoff = self._backoff.next()
        return delay
