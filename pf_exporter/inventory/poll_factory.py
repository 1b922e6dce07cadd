"""Creates the polls of the resources beside the lists of circuits."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pf_exporter.config import InventorySettings, time_zone
from pf_exporter.inventory.memory import MaintenanceMemory, Memory, TransitionMemory
from pf_exporter.inventory.poll_context import PollContext
from pf_exporter.inventory.requester import Requester
from pf_exporter.inventory.resource_poll import ResourcePoll
from pf_exporter.inventory.resource_reader import ResourceReader
from pf_exporter.reason import Reason
from pf_exporter.schema import BGP_LOG, MAINTENANCE, POLLED, PolledResource


def enabled_polls(settings: InventorySettings) -> tuple[PolledResource, ...]:
    """Return the other resources to poll: all except those whose ``setting`` is off."""
    return tuple(
        resource for resource in POLLED if not resource.setting or getattr(settings, resource.setting)
    )


def create_reader(
    account: str, resource: PolledResource, settings: InventorySettings, requester: Requester
) -> ResourceReader:
    """Create the reader of a resource."""
    return ResourceReader(account, resource, requester, time_zone(settings.maintenance_timezone))


def create_polls(
    context: PollContext,
    resources: Iterable[PolledResource],
    settings: InventorySettings,
    requester: Requester,
    problem_of_lists: Callable[[], Reason | None],
) -> dict[str, ResourcePoll]:
    """Create the polls, by name of the resource; all share the requester's budget."""
    memories: dict[str, Memory] = {
        MAINTENANCE.name: MaintenanceMemory(),
        BGP_LOG.name: TransitionMemory(context.wall(), BGP_LOG.lookback),
    }

    def create(resource: PolledResource) -> ResourcePoll:
        reader = create_reader(context.account, resource, settings, requester)
        memory = memories.get(resource.name)
        return ResourcePoll(context, resource, reader, memory=memory, problem_of_lists=problem_of_lists)

    return {resource.name: create(resource) for resource in resources}
