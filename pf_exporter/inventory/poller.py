"""The poller of one account: one thread makes all requests beside the stream, one after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from pf_exporter.config import InventorySettings
from pf_exporter.inventory.budget import RequestBudget
from pf_exporter.inventory.circuit_lists import CircuitLists, enabled_resources
from pf_exporter.inventory.list_reader import ListReader
from pf_exporter.inventory.pause import Pause
from pf_exporter.inventory.poll_context import PollContext
from pf_exporter.inventory.poll_factory import create_polls, enabled_polls
from pf_exporter.inventory.poll_stats import PollStats
from pf_exporter.inventory.polled_samples import is_shown, limited, polled_samples
from pf_exporter.inventory.requester import Requester
from pf_exporter.inventory.resource_poll import poll_order
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.inventory.targets import find_targets
from pf_exporter.packetfabric import Client, SessionManager
from pf_exporter.schema import (
    DEDICATED_CONNECTIONS,
    HOSTED_CONNECTIONS,
    LABELS,
    MAINTENANCE,
    PORTS,
    VIRTUAL_CIRCUITS,
    Maintenance,
    PolledResource,
    Reading,
    Resource,
    Sample,
    Samples,
)
from pf_exporter.state import ErrorLog
from pf_exporter.supervised_thread import SupervisedThread

MIN_INTERVAL = 60.0
"""Shortest time in seconds between the starts of two polls of the lists, however often one is requested."""


ID_LISTS = (LABELS, HOSTED_CONNECTIONS, DEDICATED_CONNECTIONS)
"""Resources that give the targets of others."""


class InventoryPoller:
    """The polled resources of one account.

    It uses the session of the stream. ``limit`` is the greatest number of series of the lists, and again of
    everything else; ``polled`` are the resources beside the lists. ``on_failure`` is called if the thread
    dies, with the exception, ``on_update`` after each poll that has read a list, with the IDs of all
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
        polled: tuple[PolledResource, ...] | None,
        pause: Pause | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.account = account
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._limit = limit
        self._on_update = on_update
        self._pause = pause or Pause()
        self.resources = enabled_polls(settings) if polled is None else polled
        lists = enabled_resources(settings)
        self.stats = PollStats([*lists, *self.resources])
        budget = RequestBudget(settings.requests_per_minute, clock=clock)
        requester = Requester(client, budget, self._pause, self.stats)
        self._list_reader = ListReader(account, requester, lists, settings.description_tags)
        context = PollContext(
            account, session_manager, self.stats, lambda: self._pause.stopped, clock, wall, random
        )
        self.lists = CircuitLists(
            context,
            self._list_reader,
            settings,
            limit=limit,
            min_interval=min_interval,
            on_update=self._lists_updated,
        )
        self._polls = create_polls(context, self.resources, settings, requester, lambda: self.lists.problem)
        self._thread = SupervisedThread(
            self._run, name=f"inventory {account}", on_failure=on_failure, account=account
        )

    @property
    def snapshot(self) -> Snapshot:
        """The circuits of the last successful poll of each list."""
        return self.lists.snapshot

    @property
    def failures(self) -> Mapping[str, int]:
        """Failed polls of the lists, by reason."""
        return self.lists.failures

    @property
    def errors(self) -> ErrorLog:
        """The errors of failed polls of the lists."""
        return self.lists.errors

    @property
    def retry_at(self) -> float | None:
        """UNIX seconds of the next poll of a list that has failed; None if none has."""
        return self.lists.retry_at

    @property
    def rejected(self) -> Mapping[str, int]:
        """Unusable values, by field."""
        return {
            **self._list_reader.rejected,
            # Copies: the thread may add a field meanwhile.
            **{field: count for poll in self._polls.values() for field, count in dict(poll.rejected).items()},
        }

    def start(self) -> None:
        """Start to poll, unless the interval is 0."""
        if self._settings.interval:
            self._thread.start()

    def stop(self) -> None:
        """Request the end of the thread; the caller also aborts the client, which ends an open request."""
        self._pause.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended."""
        return self._thread.join(timeout)

    def refresh(self) -> None:
        """Request a poll of the lists as soon as the last one is a minute old; any thread may call."""
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
        """Yield the resource, the ID as received and the samples by family of every circuit in a list."""
        snapshot = self.snapshot
        for resource in self.lists.resources:
            for circuit in snapshot.of(resource).values():
                yield resource, circuit.id, circuit.samples

    def polled_samples(self) -> Iterator[Sample]:
        """Yield the samples of all other resources, at most ``limit``."""
        readings = chain.from_iterable(poll.readings() for poll in self._polls.values())
        samples = polled_samples(readings, self.snapshot, self._wall())
        return limited(samples, self._limit, self.account)

    def failing(self) -> list[str]:
        """Return the names of the other resources whose last request failed or was refused."""
        return [name for name, poll in self._polls.items() if poll.is_failing]

    def maintenances(self) -> list[Maintenance]:
        """Return the maintenances that are announced or in progress."""
        now = self._wall()
        return [
            maintenance
            for reading in self._readings(MAINTENANCE)
            for maintenance in reading.maintenances
            if is_shown(maintenance, now)
        ]

    def _readings(self, resource: PolledResource) -> list[Reading]:
        poll = self._polls.get(resource.name)
        return [] if poll is None else list(poll.readings())

    # The thread: whatever is due, the lists first; then wait.

    def _run(self) -> None:
        self._find_targets()
        while not self._pause.stopped:
            now = self._clock()
            is_requested = self._pause.refresh_requested
            if is_requested:
                self.lists.refresh()
            if self.lists.due <= now:
                self._pause.refreshed()
                self.lists.run()
            elif (poll := poll_order(self._polls.values(), now)) is not None:
                poll.run()
                if poll.resource in ID_LISTS:
                    self._find_targets()
            else:
                due = min([self.lists.due, *(poll.due for poll in self._polls.values())])
                self._pause.wait(due - now, is_requested=is_requested)

    def _lists_updated(self, snapshot: Snapshot) -> None:
        self._find_targets()
        self._on_update(self.circuits())

    def _find_targets(self) -> None:
        """Update what the resources are requested for."""
        labels, *connections = (
            [id for reading in self._readings(resource) for id in reading.ids] for resource in ID_LISTS
        )
        for poll in self._polls.values():
            poll.set_targets(
                find_targets(
                    poll.resource.scope,
                    self.snapshot,
                    billing_accounts=self._list_reader.billing_accounts,
                    cloud_connections=chain.from_iterable(connections),
                    labels=labels,
                )
            )
