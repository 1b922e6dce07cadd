"""The poll of one account's lists of ports, virtual circuits and cloud router connections."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable

from pf_exporter.config import InventorySettings
from pf_exporter.errors import ApiError, ExporterError, Forbidden, LoginIncomplete, Rejected, Unauthorized
from pf_exporter.inventory.list_reader import ListReader
from pf_exporter.inventory.poll_stats import POLL_REASONS, PollStats
from pf_exporter.inventory.snapshot import Circuits, Snapshot
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Backoff, Session, SessionManager
from pf_exporter.reason import Reason
from pf_exporter.schema import CLOUD_ROUTER_CONNECTIONS, RESOURCES, Resource
from pf_exporter.state import ErrorLog

FIRST_RETRY = 5.0
"""Shortest time in seconds from a failure to the next poll; it doubles with each failure in a row."""

NOT_REFRESHED = "inventory not refreshed"

log = Logger(__name__)


def enabled_resources(
    settings: InventorySettings, resources: Iterable[Resource] = RESOURCES
) -> tuple[Resource, ...]:
    """Return the lists to poll: all except those whose ``opt_in_setting`` is off.

    What is requested for each cloud router connection needs the list of those.
    """
    needs_connections = settings.bgp_routes or settings.bgp_log or settings.cloud_state
    return tuple(
        resource
        for resource in resources
        if not resource.opt_in_setting
        or getattr(settings, resource.opt_in_setting)
        or (resource is CLOUD_ROUTER_CONNECTIONS and needs_connections)
    )


class CircuitLists:
    """Polls the lists together: the snapshot is replaced only if all of them have been read completely.

    ``limit`` is the greatest number of series; ``on_update`` is called after each successful poll. One thread
    polls, any thread may read the attributes.
    """

    def __init__(
        self,
        account: str,
        session_manager: SessionManager,
        lists: ListReader,
        stats: PollStats,
        settings: InventorySettings,
        *,
        limit: int,
        min_interval: float,
        on_update: Callable[[Snapshot], None] = lambda snapshot: None,
        is_stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._account = account
        self._session_manager = session_manager
        self._lists = lists
        self._stats = stats
        self._interval = settings.interval
        self.resources = enabled_resources(settings)
        self._limit = limit
        self._on_update = on_update
        self._is_stopping = is_stopping
        self._min_interval = min(min_interval, settings.interval)
        self._clock = clock
        self._wall = wall
        self._random = random
        self._backoff = Backoff(min(FIRST_RETRY, settings.interval), settings.interval)
        self._accepted_session: Session | None = None
        """The session of the last successful poll."""
        self.snapshot = Snapshot()
        self.failures: dict[str, int] = dict.fromkeys(POLL_REASONS, 0)
        """Failed polls, by reason."""
        self.errors = ErrorLog()
        """The errors of failed polls."""
        self.retry_at: float | None = None
        """UNIX seconds of the next poll if the last one has failed, else None."""
        self.problem: Reason | None = None
        """Why the last poll has failed; None if it has not."""
        self.due = float("-inf")
        """The monotonic time of the next poll."""
        self._earliest = float("-inf")
        """The monotonic time of the next poll if one is requested."""

    def refresh(self) -> None:
        """Poll as soon as the minimum interval has passed since the last poll began."""
        self.due = min(self.due, self._earliest)

    def run(self) -> None:
        """Poll, and decide when to poll again."""
        started = self._clock()
        try:
            self._poll()
        except ExporterError as exc:
            if not self._is_stopping():
                self._recover(exc)
            return
        self._backoff = self._backoff.reset()
        self._session_manager.failures.resolved(NOT_REFRESHED)
        self.retry_at = None
        self.problem = None
        now = self._clock()
        duration = now - started
        # With a slow API, polling takes at most half of the time.
        delay = max(self._interval - duration, min(duration, self._interval))
        self.due = now + delay
        self._earliest = min(started + self._min_interval, self.due)

    def _recover(self, exc: ExporterError) -> None:
        """Log and count the error, and decide when to try again."""
        delay = self._backoff.delay(self._random())
        self._backoff = self._backoff.next()
        needs_user = isinstance(exc, Forbidden | LoginIncomplete | Rejected)
        if needs_user:
            delay = max(delay, self._interval)
        retry_after = (exc.retry_after or 0.0) if isinstance(exc, ApiError) else 0.0
        delay = max(delay, retry_after)
        self._session_manager.failures.failed(NOT_REFRESHED, exc, delay)
        self.failures[exc.reason] += 1
        self.errors.add(exc.reason, str(exc))
        self.problem = exc.reason
        self.retry_at = self._wall() + delay
        now = self._clock()
        self.due = now + delay
        self._earliest = now + max(min(delay, self._min_interval), retry_after)

    def _read(self, session: Session) -> dict[str, Circuits]:
        found: dict[str, Circuits] = {}
        for resource in self.resources:
            try:
                found[resource.name] = self._lists.read(resource, session)
            except ExporterError as exc:
                if not self._is_stopping():
                    self._stats.failed(resource.name, exc.reason)
                raise
            self._stats.last_success[resource.name] = self._wall()
        return found

    def _poll(self) -> None:
        session = self._session_manager.get()
        try:
            found = self._read(session)
        except Unauthorized as exc:
            # A session that has never been accepted here may still be good for the stream: leave it alone.
            if session is self._accepted_session and not isinstance(exc, Forbidden):
                self._session_manager.discard(session)
            raise
        self._accepted_session = session
        self._session_manager.verified(session)
        self.snapshot = snapshot = self.snapshot.updated(found, self._limit, self._wall())
        self._on_update(snapshot)
        self._warn(snapshot)

    def _warn(self, snapshot: Snapshot) -> None:
        for name in snapshot.falls:
            log.warning(
                "most circuits are missing from the inventory; they stay until another poll confirms it",
                account=self._account,
                resource=name,
                missing=snapshot.count_missing()[name],
            )
        if snapshot.left_out:
            log.warning_throttled(
                f"left out {self._account}",
                "limit of series reached by the inventory",
                account=self._account,
                limit=self._limit,
                left_out=snapshot.left_out,
            )
