"""How long to wait until the next stream, after an error that ended one or prevented it."""

from __future__ import annotations

from collections.abc import Callable

from pf_exporter.config import StreamSettings
from pf_exporter.errors import ApiError, ExporterError, Remedy, StreamBroken, StreamEnded
from pf_exporter.packetfabric import Backoff


class Retry:
    """Delays that grow with each failure in a row.

    A stream that lived for ``healthy_after`` seconds is a success; ``jitter`` returns numbers in [0, 1).
    """

    def __init__(
        self, settings: StreamSettings, *, healthy_after: float, jitter: Callable[[], float]
    ) -> None:
        self._backoff = Backoff(settings.backoff_min, settings.backoff_max)
        self._healthy_after = healthy_after
        self._jitter = jitter

    def delay(self, exc: ExporterError, lifetime: float | None, minimum: float) -> float:
        """Seconds to wait after an error.

        ``lifetime`` is how long the stream lived that the error ended, if there was one; ``minimum`` is what
        the session asks for after an error of the API.
        """
        was_healthy = lifetime is not None and lifetime >= self._healthy_after
        if was_healthy:
            self._backoff = self._backoff.reset()
        # A planned end, or an error that a new bundle or login resolves, needs no wait the first time.
        is_resolved = isinstance(exc, StreamEnded) or exc.remedy is Remedy.RENEW
        is_resolved = is_resolved or (was_healthy and isinstance(exc, StreamBroken))
        at_once = is_resolved and not self._backoff.attempt
        delay = 0.0 if at_once else self._backoff.delay(self._jitter())
        if isinstance(exc, ApiError):
            delay = max(delay, exc.retry_after or 0.0, minimum)
        if not (was_healthy and at_once):
            self._backoff = self._backoff.next()
        return delay
