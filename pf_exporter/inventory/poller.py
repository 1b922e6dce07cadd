"""One account's inventory: its lists, fetched again and again in the session that the stream works in."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from pf_exporter.config import InventorySettings
from pf_exporter.errors import (
    ApiError,
    ExporterError,
    Forbidden,
    LoginIncomplete,
    Rejected,
    Unauthorized,
    reasons,
)
from pf_exporter.inventory.rates import RatePoller
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Backoff, Client, Session, SessionManager
from pf_exporter.schema import (
    CLOUD_ROUTER_CONNECTIONS,
    PORTS,
    RESOURCES,
    VIRTUAL_CIRCUITS,
    Circuit,
    Resource,
    Samples,
    canonical_id,
)

AGAIN = 60.0
"""Seconds between the beginnings of two looks at least, however often a refresh is asked for."""
RETRY = 5.0
"""Seconds after the first failure until the next look, about."""
SPACING = 1.0
"""Seconds between two requests for the rates of cloud router connections."""
RATES_LAG = 600.0
"""Seconds by which the newest of those rates may be old already when it is fetched."""

log = Logger(__name__)


class InventoryPoller:
    """What one account has, looked at on a thread of its own.

    It shares the stream's session and never delays the stream. ``limit`` is the number of series it may
    create; ``failed`` is called with the exception if the thread dies, ``on_update`` after each poll with the
    IDs of all circuits.
    """

    def __init__(
        self,
        account: str,
        client: Client,
        session_manager: SessionManager,
        settings: InventorySettings,
        *,
        limit: int,
        failed: Callable[[BaseException], None],
        on_update: Callable[[frozenset[str]], None] = lambda circuits: None,
        again: float = AGAIN,
        spacing: float = SPACING,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.account = account
        self._client = client
        self._session_manager = session_manager
        self._interval = settings.interval
        self._tags = settings.description_tags
        self._listings = RESOURCES if settings.cloud_router_connections else (PORTS, VIRTUAL_CIRCUITS)
        self._limit = limit
        self._failed = failed
        self._on_update = on_update
        self._again = min(again, settings.interval)
        self._spacing = spacing
        self._clock = clock
        self._wall = wall
        self._chance = chance
        self._backoff = Backoff(min(RETRY, settings.interval), settings.interval)
        self._proven: Session | None = None
        self.snapshot = Snapshot()
        self.failures: dict[str, int] = dict.fromkeys(reasons(ApiError), 0)
        """What failed of looking, by reason."""
        self.rejected = {field: 0 for listing in self._listings for field in listing.fields}
        """Values that could not be used, by field."""
        life = 2 * settings.interval + RATES_LAG
        self._rates = RatePoller(account, client, session_manager, self.failures, life=life, wall=wall)
        self._stopping = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name=f"inventory {account}", daemon=True)

    def start(self) -> None:
        """Begin to look, unless it is off."""
        if self._interval:
            self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end. Whoever calls also aborts the client, so that nothing is waited for."""
        self._stopping.set()
        self._asked.set()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, at most this many seconds; whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def refresh(self) -> None:
        """Ask for a look now, or as soon as the last is a minute old. Any thread may."""
        self._asked.set()

    def circuits(self) -> frozenset[str]:
        """The ids, as received, of all ports and virtual circuits: of what can be streamed."""
        known = self.snapshot.circuits
        return frozenset(
            one.id for noun in (PORTS.name, VIRTUAL_CIRCUITS.name) for one in known.get(noun, {}).values()
        )

    def description(self, circuit_id: str) -> str:
        """What people wrote about a circuit, or nothing."""
        for listing in self._listings:
            circuit = self.snapshot.circuits.get(listing.name, {}).get(canonical_id(circuit_id))
            if circuit is not None:
                ((values, _),) = circuit.samples[listing.info.name]
                return values[list(listing.labels).index("description")]
        return ""

    def samples(self) -> Iterator[tuple[Resource, str, Mapping[str, Samples]]]:
        """Of every circuit the id as received, and by family what there is to show."""
        known = self.snapshot.circuits
        for listing in self._listings:
            for circuit in known.get(listing.name, {}).values():
                rates = self._rates.samples(circuit.id) if listing is CLOUD_ROUTER_CONNECTIONS else {}
                yield listing, circuit.id, {**circuit.samples, **rates}

    # The thread's life: look, wait, look again; sooner when asked to, later when told to.

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as exc:  # a thread's top: whatever it is, it must be known
            log.exception("a thread has died of a bug", account=self.account, thread=self._thread.name)
            self._failed(exc)

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = self._clock()
            try:
                self._poll()
                self._look_at_rates(began)
            except ExporterError as exc:
                if not self._stopping.is_set():
                    self._recover(exc)
            else:
                self._backoff = self._backoff.reset()
                took = self._clock() - began
                # However slow the API is, it rests as long as it works.
                rest = max(self._interval - took, min(took, self._interval))
                self._wait(min(max(self._again - took, 0.0), rest), rest)

    def _wait(self, least: float, most: float) -> None:
        """Wait for ``most`` seconds, or until a refresh is asked for; ``least`` seconds in any case."""
        if not self._stopping.wait(least):
            self._asked.wait(most - least)
        self._asked.clear()

    def _recover(self, exc: ExporterError) -> None:
        """Count the error, and wait for as long as it asks."""
        self.failures[exc.reason] += 1
        delay = self._backoff.delay(self._chance())
        self._backoff = self._backoff.next()
        by_hand = isinstance(exc, Forbidden | LoginIncomplete | Rejected)
        if by_hand:
            delay = max(delay, self._interval)
        told = (exc.retry_after or 0.0) if isinstance(exc, ApiError) else 0.0
        delay = max(delay, told)
        say = log.error if by_hand else log.warning
        say(
            "inventory not refreshed",
            account=self.account,
            reason=exc.reason,
            error=exc,
            retry_in=round(delay, 1),
        )
        self._wait(max(min(delay, self._again), told), delay)

    # A look: all lists, and only if all come whole are they taken for what there is.

    def _poll(self) -> None:
        session = self._session_manager.get()
        try:
            found = {listing.name: dict(self._fetch(listing, session)) for listing in self._listings}
        except Unauthorized as exc:
            # A session that never was good for the lists may be good for the stream, which goes first.
            if session is self._proven and not isinstance(exc, Forbidden):
                self._session_manager.discard(session)
            raise
        self._proven = session
        self.snapshot = now = self.snapshot.updated(found, self._limit, self._wall())
        self._on_update(self.circuits())
        if now.left_out:
            key = f"left out {self.account}"
            said = "limit of series reached by the inventory"
            log.warning_throttled(key, said, account=self.account, limit=self._limit, left_out=now.left_out)

    def _fetch(self, listing: Resource, session: Session) -> Iterator[tuple[str, Circuit]]:
        """The circuits of one list by plain id."""
        for page in self._client.pages(session, listing.path):
            for item in page:
                circuit, rejected = listing.parse(item, self._tags)
                for field, value in rejected.items():
                    self._reject(field, value, circuit)
                if circuit is not None:
                    yield canonical_id(circuit.id), circuit

    def _reject(self, field: str, value: object, circuit: Circuit | None) -> None:
        self.rejected[field] += 1
        log.warning_throttled(
            f"{field} {self.account}",
            "value in the inventory cannot be used",
            every=float("inf"),
            account=self.account,
            circuit=circuit.id if circuit is not None else "",
            field=field,
            value=value if isinstance(value, str | int | float) else type(value).__name__,
        )

    def _look_at_rates(self, began: float) -> None:
        def has_time() -> bool:
            if self._stopping.wait(self._spacing):
                return False
            age = self._clock() - began
            due = self._asked.is_set() and age >= self._again
            return not due and age < self._interval / 2

        connections = self.snapshot.circuits.get(CLOUD_ROUTER_CONNECTIONS.name, {})
        self._rates.look([one.id for one in connections.values()], has_time)
