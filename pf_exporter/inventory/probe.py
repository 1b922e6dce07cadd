"""One attempt to read a polled resource, for ``pf-exporter check``."""

from __future__ import annotations

from collections.abc import Callable

from pf_exporter.config import InventorySettings
from pf_exporter.errors import ExporterError
from pf_exporter.inventory.budget import RequestBudget
from pf_exporter.inventory.circuit_lists import enabled_resources
from pf_exporter.inventory.list_reader import ListReader
from pf_exporter.inventory.pause import Pause
from pf_exporter.inventory.poll_factory import create_reader, enabled_polls
from pf_exporter.inventory.poll_stats import PollStats
from pf_exporter.inventory.requester import Requester
from pf_exporter.inventory.snapshot import Circuits, Snapshot
from pf_exporter.inventory.targets import find_targets
from pf_exporter.packetfabric import Client, Session
from pf_exporter.schema import (
    CLOUD_ROUTER_CONNECTIONS,
    DEDICATED_CONNECTIONS,
    HOSTED_CONNECTIONS,
    LABELS,
    PORTS,
    RESOURCES,
    PolledResource,
    Reading,
    Scope,
)

_LISTS_OF = {
    Scope.PORT: (PORTS,),
    Scope.CLOUD_ROUTER_CONNECTION: (CLOUD_ROUTER_CONNECTIONS,),
    Scope.BILLING_ACCOUNT: RESOURCES,
}
"""The lists that give the targets, by scope."""


class ResourceProbe:
    """Reads each resource once, for its first target."""

    def __init__(
        self,
        account: str,
        client: Client,
        session: Session,
        settings: InventorySettings,
        *,
        wall: Callable[[], float],
    ) -> None:
        self._account = account
        self._session = session
        self._settings = settings
        self._wall = wall
        self.resources = enabled_polls(settings)
        lists = enabled_resources(settings)
        stats = PollStats([*lists, *self.resources])
        budget = RequestBudget(settings.requests_per_minute)
        self._requester = Requester(client, budget, Pause(), stats)
        self._list_reader = ListReader(account, self._requester, lists, ())
        self._lists = lists
        self._snapshot: Snapshot | None = None
        self._list_errors: dict[str, ExporterError] = {}
        """Why lists could not be read, by name of the resource."""
        self._ids: dict[str, tuple[str, ...]] = {}
        """By resource, the targets that it gives to others."""

    def read(self, resource: PolledResource) -> Reading | None:
        """Return what a resource gives, or None if there is nothing to request it for.

        Raises an :class:`ExporterError` if it cannot be read.
        """
        snapshot = Snapshot() if resource.scope is Scope.ACCOUNT else self._read_lists()
        connections = (
            connection
            for one in (HOSTED_CONNECTIONS, DEDICATED_CONNECTIONS)
            for connection in self._ids.get(one.name, ())
        )
        targets = find_targets(
            resource.scope,
            snapshot,
            billing_accounts=self._list_reader.billing_accounts,
            cloud_connections=connections,
            labels=self._ids.get(LABELS.name, ()),
        )
        target = next(targets, None)
        if target is None:
            for one in _LISTS_OF.get(resource.scope, ()):
                if one.name in self._list_errors:
                    raise self._list_errors[one.name]
            return None
        reader = create_reader(self._account, resource, self._settings, self._requester)
        now = self._wall()
        reading = reader.read(self._session, target, since=now, now=now)
        self._ids[resource.name] = reading.ids
        return reading

    def _read_lists(self) -> Snapshot:
        """Read the lists of circuits, once; those that cannot be read are empty."""
        if self._snapshot is None:
            found: dict[str, Circuits] = {}
            for one in self._lists:
                try:
                    found[one.name] = self._list_reader.read(one, self._session)
                except ExporterError as exc:
                    self._list_errors[one.name] = exc
            self._snapshot = Snapshot().updated(found, 10**9, self._wall())
        return self._snapshot
