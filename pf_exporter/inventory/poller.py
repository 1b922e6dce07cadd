"""Polls one account's lists of ports, virtual circuits and cloud router connections."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from pf_exporter.config import InventorySettings
from pf_exporter.errors import (
    ApiError,
    ExporterError,
    Forbidden,
    ListIncomplete,
    LoginIncomplete,
    Rejected,
    Unauthorized,
    reasons,
)
from pf_exporter.inventory.list_reader import ListReader
from pf_exporter.inventory.pause import Pause
from pf_exporter.inventory.rates import RatePoller
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Backoff, Client, Session, SessionManager
from pf_exporter.schema import (
    CLOUD_ROUTER_CONNECTIONS,
    PORTS,
    RESOURCES,
    VIRTUAL_CIRCUITS,
    Resource,
    Samples,
)
from pf_exporter.state import ErrorLog
from pf_exporter.supervised_thread import SupervisedThread

MIN_INTERVAL = 60.0
"""Shortest time in seconds between the starts of two polls, however often a refresh is requested."""
FIRST_RETRY = 5.0
"""Shortest time in seconds from a failure to the next poll; it doubles with each failure in a row."""
REQUEST_SPACING = 1.0
"""Seconds between two requests for rates of cloud router connections."""
RATE_DELAY = 600.0
"""Seconds by which the API's newest rate may be behind when it is fetched."""

NOT_REFRESHED = "inventory not refreshed"
POLL_REASONS = reasons(ApiError, ListIncomplete)
"""Why a poll, or a request for rates, can fail."""

log = Logger(__name__)


def enabled_resources(
    settings: InventorySettings, resources: Iterable[Resource] = RESOURCES
) -> tuple[Resource, ...]:
    """Return the resources to poll: all except those whose ``opt_in_setting`` is off."""
    return tuple(
        resource
        for resource in resources
        if not resource.opt_in_setting or getattr(settings, resource.opt_in_setting)
    )


class InventoryPoller:
    """The polled resources of one account.

    It uses the session of the stream. ``limit`` is the greatest number of series; ``on_failure`` is called
    with the exception if the thread dies, ``on_update`` after each successful poll with the IDs of all
    circuits.
    """

    def __init__(
        self,
        account: str,
        client: Client,
        session_manager: SessionManager,
        settings: InventorySettings,
        *,
        limit: int,
        on_failure: Callable[[BaseException], None],
        on_update: Callable[[frozenset[str]], None] = lambda circuits: None,
        min_interval: float = MIN_INTERVAL,
        request_spacing: float = REQUEST_SPACING,
        pause: Pause | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.account = account
        self._client = client
        self._session_manager = session_manager
        self._interval = settings.interval
        self._resources = enabled_resources(settings)
        self._limit = limit
        self._on_update = on_update
        self._min_interval = min(min_interval, settings.interval)
        self._request_spacing = request_spacing
        self._clock = clock
        self._wall = wall
        self._random = random
        self._backoff = Backoff(min(FIRST_RETRY, settings.interval), settings.interval)
        self._accepted_session: Session | None = None
        """The session of the last successful poll."""
        self.snapshot = Snapshot()
        self.failures: dict[str, int] = dict.fromkeys(POLL_REASONS, 0)
        """Failed polls and requests for rates, by reason."""
        self.errors = ErrorLog()
        """The errors of failed polls."""
        self.retry_at: float | None = None
        """UNIX seconds of the next poll if the last one has failed, else None."""
        self._lists = ListReader(account, client, self._resources, settings.description_tags)
        self._rates = RatePoller(
            account,
            client,
            session_manager,
            self.failures,
            max_age=2 * settings.interval + RATE_DELAY,
            wall=wall,
        )
        self._pause = pause or Pause()
        self._thread = SupervisedThread(
            self._run, name=f"inventory {account}", failed=on_failure, account=account
        )

    @property
    def rejected(self) -> Mapping[str, int]:
        """Unusable values, by field."""
        return self._lists.rejected

    def start(self) -> None:
        """Start to poll, unless the interval is 0."""
        if self._interval:
            self._thread.start()

    def stop(self) -> None:
        """Request the end of the thread; the caller also aborts the client, which ends an open request."""
        self._pause.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended."""
        return self._thread.join(timeout)

    def refresh(self) -> None:
        """Request a poll as soon as the last one is a minute old; any thread may call."""
        self._pause.refresh()

    def circuits(self) -> frozenset[str]:
        """Return the IDs, as received, of everything that can be streamed: ports and virtual circuits."""
        snapshot = self.snapshot
        return frozenset(
            circuit.id for resource in (PORTS, VIRTUAL_CIRCUITS) for circuit in snapshot.of(resource).values()
        )

    def description(self, circuit_id: str) -> str:
        """Return the description of a circuit; empty if there is none."""
        return self.snapshot.description(circuit_id)

    def samples(self) -> Iterator[tuple[Resource, str, Mapping[str, Samples]]]:
        """Yield the resource, the ID as received and the samples by family of every circuit."""
        snapshot = self.snapshot
        for resource in self._resources:
            for circuit in snapshot.of(resource).values():
                rates = self._rates.samples(circuit.id) if resource is CLOUD_ROUTER_CONNECTIONS else {}
                yield resource, circuit.id, {**circuit.samples, **rates}

    # The thread: poll, wait for the interval, a refresh or the delay after an error, and again.

    def _run(self) -> None:
        while not self._pause.stopped:
            started = self._clock()
            try:
                self._poll()
                self._poll_rates(started)
            except ExporterError as exc:
                if not self._pause.stopped:
                    self._recover(exc)
            else:
                self._backoff = self._backoff.reset()
                self._session_manager.failures.resolved(NOT_REFRESHED)
                self.retry_at = None
                duration = self._clock() - started
                # With a slow API, polling takes at most half of the time.
                delay = max(self._interval - duration, min(duration, self._interval))
                self._pause.wait(min(max(self._min_interval - duration, 0.0), delay), delay)

    def _recover(self, exc: ExporterError) -> None:
        """Log and count the error, and wait until the next attempt."""
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
        self.retry_at = self._wall() + delay
        self._pause.wait(max(min(delay, self._min_interval), retry_after), delay)

    # A poll: the snapshot is replaced only if all lists have been read completely.

    def _poll(self) -> None:
        session = self._session_manager.get()
        try:
            found = {resource.name: self._lists.read(resource, session) for resource in self._resources}
        except Unauthorized as exc:
            # A session that has never been accepted here may still be good for the stream: leave it alone.
            if session is self._accepted_session and not isinstance(exc, Forbidden):
                self._session_manager.discard(session)
            raise
        self._accepted_session = session
        self._session_manager.verified(session)
        self.snapshot = snapshot = self.snapshot.updated(found, self._limit, self._wall())
        self._on_update(self.circuits())
        for name in snapshot.falls:
            log.warning(
                "most circuits are missing from the inventory; they stay until another poll confirms it",
                account=self.account,
                resource=name,
                missing=snapshot.count_missing()[name],
            )
        if snapshot.left_out:
            log.warning_throttled(
                f"left out {self.account}",
                "limit of series reached by the inventory",
                account=self.account,
                limit=self._limit,
                left_out=snapshot.left_out,
            )

    def _poll_rates(self, started: float) -> None:
        def may_continue() -> bool:
            if not self._pause.sleep(self._request_spacing):
                return False
            elapsed = self._clock() - started
            refresh_due = self._pause.refresh_requested and elapsed >= self._min_interval
            return not refresh_due and elapsed < self._interval / 2

        connections = self.snapshot.of(CLOUD_ROUTER_CONNECTIONS).values()
        self._rates.poll([connection.id for connection in connections], may_continue)
