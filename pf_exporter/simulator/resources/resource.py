"""A polled resource of the API: its name, path and answer, and values that several resources share."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import NamedTuple, TypeVar

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from pf_exporter.simulator.events import Event
from pf_exporter.simulator.maintenance import Notice
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.pagination import Row, is_filtered, page, select
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.topology import Circuit, End, Port

_Item = TypeVar("_Item")


@dataclass(frozen=True, eq=False)
class Query:
    """A request for a resource; times are UNIX seconds."""

    network: Network
    now: float
    started: float = 0.0
    """When the simulator was created."""
    log: Sequence[Event] = ()
    """The activity on this simulator."""
    maintenances: Sequence[Notice] = ()
    api_keys: Sequence[Row] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    """The values of the placeholders in the path."""
    parameters: QueryParams = field(default_factory=QueryParams)
    """The query parameters; as a mapping, the last value of one that is repeated."""

    def values(self, name: str) -> list[str]:
        """Return all values of a query parameter, which can be repeated or have several with commas."""
        return [value for text in self.parameters.getlist(name) for value in text.split(",")]

    def port(self) -> Port:
        """Return the port that the path names; raises 404."""
        port = self.network.port(self.path["port"])
        if port is None:
            raise HTTPException(404, "Port not found.")
        return port

    def circuit_end(self) -> tuple[Circuit, End]:
        """Return the virtual circuit and the end that the path names; raises 404."""
        circuit = self.network.circuit(self.path["vc"])
        for end in (circuit.a, circuit.z) if circuit else ():
            if circuit and end.port.circuit_id == self.path["port"]:
                return circuit, end
        raise HTTPException(404, "Logical interface not found.")


class Resource(NamedTuple):
    """A polled resource."""

    name: ResourceName
    path: str
    answer: Callable[[Query], object]
    """Makes the body of a response, a value for JSON; raises ``HTTPException`` and :class:`BadRequest`."""


def paged(
    name: ResourceName,
    path: str,
    items: Callable[[Query], Sequence[_Item]],
    row: Callable[[Query, _Item], Row],
) -> Resource:
    """Return a resource that is a list, which is filtered and paged; only requested rows are made."""

    def answer(query: Query) -> object:
        parameters = query.parameters
        if is_filtered(parameters):
            return page(select([row(query, item) for item in items(query)], parameters), parameters)
        return [row(query, item) for item in page(items(query), parameters)]

    return Resource(name, path, answer)


CUSTOMER_NAME = "Vandelay Industries"
CREATED = "2024-01-01T10:16:42.929389-0700"


@functools.lru_cache(maxsize=1024)
def resource_uuid(seed: int, name: str) -> str:
    """Return a UUID that depends only on the seed and the name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{name}"))


def format_microseconds(at: float) -> str:
    """Format UNIX seconds as ISO 8601 in UTC, with microseconds and without a zone."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


def format_log_time(at: float) -> str:
    """Format UNIX seconds as in the API's examples of logs: with microseconds, and ``+0000``."""
    return f"{format_microseconds(at)}+0000"


def device_name(port: Port) -> str:
    """Return the name of a port's router."""
    return f"cfr{'AB'.index(port.zone) + 1}.{port.pop.name.lower()}"


def is_up(port: Port, at: float) -> bool:
    """Return whether a port is up; a LAG is up if at least one member is."""
    return any(member.up(at) for member in port.members or [port])


def operational_status(port: Port, at: float) -> str:
    """Return ``operational_status`` of a port or a LAG."""
    return "up" if is_up(port, at) else "down"
