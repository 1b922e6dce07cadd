"""The circuits of an account, and which histories they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pf_exporter.backfill.history_reader import HistoryReader
from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.running_exporter import ExportedLabels
from pf_exporter.errors import Forbidden, Rejected
from pf_exporter.log import Logger
from pf_exporter.schema import (
    CLOUD_ROUTER_CONNECTIONS,
    CONNECTION_HISTORY,
    PORT_HISTORY,
    PORTS,
    SAFE_ID,
    VC_HISTORY,
    VIRTUAL_CIRCUITS,
    HistoryResource,
    circuit_ends,
    is_id,
)

log = Logger(__name__)


class CircuitHistory(NamedTuple):
    """One history of one circuit."""

    account: str
    resource: HistoryResource
    ids: tuple[str, ...]
    """As in the API's list, for the path."""
    circuit: tuple[str, ...]
    """The values of the circuit's labels, as exported."""

    @property
    def path(self) -> str:
        """The path of the request."""
        return self.resource.path.format(*self.ids)


def _connections(account: str, reader: HistoryReader) -> list[Mapping[str, Any]]:
    """Return the cloud router connections; none if the credential may not read them."""
    try:
        return reader.read_list(CLOUD_ROUTER_CONNECTIONS)
    except (Forbidden, Rejected) as exc:
        log.warning("cloud router connections not available", account=account, error=exc)
        return []


def _circuits(
    account: str, reader: HistoryReader, exported: ExportedLabels, *, with_connections: bool
) -> Iterator[tuple[tuple[HistoryResource, ...], tuple[str, ...], tuple[str, ...]]]:
    """Yield the histories, IDs and label values of each circuit."""
    for item in reader.read_list(PORTS):
        port = item.get(PORTS.key)
        if is_id(port):
            yield PORT_HISTORY, (port,), (exported.circuit_id(account, port),)
    for item in reader.read_list(VIRTUAL_CIRCUITS):
        for end in circuit_ends(item):
            yield VC_HISTORY, (end.vc_circuit_id, end.port_circuit_id), exported.end(account, end)
    for item in _connections(account, reader) if with_connections else ():
        connection = item.get(CLOUD_ROUTER_CONNECTIONS.key)
        if is_id(connection):
            yield CONNECTION_HISTORY, (connection,), (exported.circuit_id(account, connection),)


def find_histories(
    account: str,
    reader: HistoryReader,
    request: BackfillRequest,
    exported: ExportedLabels,
    *,
    with_connections: bool,
) -> list[CircuitHistory]:
    """Return the histories of the circuits of an account that match the request."""
    found = {}
    for resources, ids, circuit in _circuits(account, reader, exported, with_connections=with_connections):
        if request.matches(*ids) and all(map(SAFE_ID.fullmatch, ids)):
            for resource in resources:
                history = CircuitHistory(account, resource, ids, tuple(circuit))
                found[history.path] = history
    return list(found.values())
