"""Requests to the API's lists and histories: paced, and retried if that can help."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

from pf_exporter.backfill.time_range import GRANULARITY, TimeSpan
from pf_exporter.errors import (
    ExporterError,
    Forbidden,
    ListIncomplete,
    Unauthorized,
    Unavailable,
)
from pf_exporter.packetfabric import Backoff, Client, Session, SessionManager
from pf_exporter.schema import Resource

ATTEMPTS = 6
"""Attempts of a request that the server cannot answer; they take about two minutes."""
RETRY = Backoff(1.0, 60.0)

T = TypeVar("T")


class Interrupted(Exception):
    """The user has ended the command."""


class Pace:
    """Lets one request pass per interval; :meth:`stop` ends every wait."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 60.0 / per_minute
        self._clock = clock
        self._next = clock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End every wait; any thread may call."""
        self._stopping.set()

    def wait(self, at_least: float = 0.0) -> None:
        """Wait until a request may be sent. Raises :class:`Interrupted` after :meth:`stop`."""
        delay = max(self._next - self._clock(), at_least)
        if self._stopping.wait(max(delay, 0.0)):
            raise Interrupted
        self._next = self._clock() + self._interval


class HistoryReader:
    """The lists and histories of one account."""

    def __init__(
        self, client: Client, session_manager: SessionManager, pace: Pace, retry: Backoff = RETRY
    ) -> None:
        self._client = client
        self._session_manager = session_manager
        self._pace = pace
        self._retry = retry

    def read_list(self, resource: Resource) -> list[Mapping[str, Any]]:
        """Return the objects of a list. Raises :class:`~pf_exporter.errors.ExporterError`."""

        def read(session: Session) -> list[Mapping[str, Any]]:
            pages = self._client.pages(session, resource.path, key=resource.key, query=resource.query)
            return [item for page in pages for item in page if isinstance(item, dict)]

        return self._retried(read)

    def read_history(self, path: str, span: TimeSpan) -> Any:
        """Return the rows of a history, as JSON. Raises :class:`~pf_exporter.errors.ApiError`."""
        query = {
            "start": _timestamp(span.start),
            "end": _timestamp(span.end - 1),
            "interval": str(round(GRANULARITY)),
        }
        return self._retried(lambda session: self._client.get(session, "history", path, query))

    def close(self) -> None:
        """Abort an open request, and log out if it has logged in; any thread may call."""
        self._client.abort()
        self._session_manager.close()

    def _retried(self, request: Callable[[Session], T]) -> T:
        backoff, delay = self._retry, 0.0
        while True:
            self._pace.wait(delay)
            session = None
            try:
                session = self._session_manager.get()
                result = request(session)
                self._session_manager.verified(session)
                return result
            except ExporterError as exc:
                backoff = backoff.next()
                is_refused = isinstance(exc, Unauthorized) and not isinstance(exc, Forbidden)
                if is_refused and session is not None and session.from_login and backoff.attempt == 1:
                    self._session_manager.discard(session)
                elif not isinstance(exc, Unavailable | ListIncomplete) or backoff.attempt >= ATTEMPTS:
                    raise
                delay = max(backoff.delay(1.0), getattr(exc, "retry_after", None) or 0.0)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
