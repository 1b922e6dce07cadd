"""Creates the polls of the resources beside the lists of circuits."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pf_exporter.config import InventorySettings, time_zone
from pf_exporter.inventory.memory import MaintenanceMemory, Memory, TransitionMemory
from pf_exporter.inventory.poll_stats import PollStats
from pf_exporter.inventory.requester import Requester
from pf_exporter.inventory.resource_poll import ResourcePoll
from pf_exporter.inventory.resource_reader import ResourceReader
from pf_exporter.packetfabric import Session, SessionManager
from pf_exporter.reason import Reason
from pf_exporter.schema import BGP_LOG, MAINTENANCE, POLLED, PolledResource


def enabled_polls(settings: InventorySettings) -> tuple[PolledResource, ...]:
    """Return the other resources to poll: all except those whose ``setting`` is off."""
    return tuple(
        resource for resource in POLLED if not resource.setting or getattr(settings, resource.setting)
    )


def is_own_key(session: Session, uuid: str) -> bool:
    """Return whether a session uses the API key with this UUID: a key's token contains its UUID."""
    return bool(uuid) and not session.from_login and uuid.lower() in session.token.reveal().lower()


def create_reader(
    account: str, resource: PolledResource, settings: InventorySettings, requester: Requester
) -> ResourceReader:
    """Create the reader of a resource."""
    zone = time_zone(settings.maintenance_timezone)
    return ResourceReader(account, resource, requester, zone=zone, is_own_key=is_own_key)


def create_polls(
    account: str,
    resources: Iterable[PolledResource],
    settings: InventorySettings,
    *,
    session_manager: SessionManager,
    requester: Requester,
    stats: PollStats,
    is_stopping: Callable[[], bool],
    problem_of_lists: Callable[[], Reason | None],
    clock: Callable[[], float],
    wall: Callable[[], float],
    random: Callable[[], float],
) -> dict[str, ResourcePoll]:
    """Create the polls, by name of the resource; all share the requester's budget."""
    memories: dict[str, Memory] = {
        MAINTENANCE.name: MaintenanceMemory(),
        BGP_LOG.name: TransitionMemory(wall(), BGP_LOG.lookback),
    }

    def create(resource: PolledResource) -> ResourcePoll:
        reader = create_reader(account, resource, settings, requester)
        return ResourcePoll(
            account,
            resource,
            session_manager,
            reader,
            stats,
            memory=memories.get(resource.name),
            is_stopping=is_stopping,
            problem_of_lists=problem_of_lists,
            clock=clock,
            wall=wall,
            random=random,
        )

    return {resource.name: create(resource) for resource in resources}
