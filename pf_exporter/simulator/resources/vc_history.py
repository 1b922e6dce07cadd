"""The history of a VC end: its rates."""

from __future__ import annotations

from pf_exporter.simulator.history import rate_rows
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource
from pf_exporter.simulator.traffic import Reading


def _rates(query: Query) -> object:
    circuit, end = query.circuit_end()

    def read(minute: int) -> tuple[Reading, Reading] | None:
        is_silent = circuit.is_silent or not end.port.reachable(minute)
        return None if is_silent else query.network.read_end(circuit, end, minute)

    return rate_rows(query.parameters, query.now, query.path["type"], read)


VC_RATES = Resource(
    ResourceName.VC_RATES, "/v2/metrics/virtual-circuits/{vc}/interfaces/{port}/rate/{type}", _rates
)
