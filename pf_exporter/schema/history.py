"""The history of circuits that the API keeps, ``/v2/metrics``, and the families that it fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.family import FamilySpec
from pf_exporter.schema.polled_resource import number
from pf_exporter.schema.rate_unit import RateUnit
from pf_exporter.schema.resources.cloud_router_connection_rates import RATE_PATH, RATES
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.schema.values import is_id, parse_vlan

MAX_ENDS = 16
"""Most interfaces of one virtual circuit that are read; all sources have two."""
_RECEIVED, _TRANSMITTED = 1, 4
"""The columns of the averages in a row of rates; minimum and maximum follow each."""
_LANES = 4
_FIRST_LANE, _LANE_WIDTH = 3, 3
"""A row of optics: time, temperature and voltage, then for each lane bias current, output power, RX dBm."""


class HistoryColumn(NamedTuple):
    """A column of unnamed rows, and the series it fills."""

    place: int
    family: FamilySpec
    labels: tuple[str, ...] = ()
    """The values of the labels after those of the circuit."""
    reading: slice | None = None
    """The columns of one reading: if all of them are zero or null, there is none."""


class HistoryResource(NamedTuple):
    """The history of one kind of circuit: rows whose first column is the time in UNIX seconds."""

    path: str
    """With ``{}`` for each ID."""
    columns: tuple[HistoryColumn, ...]


class HistorySample(NamedTuple):
    """A value in the family's unit, and its time in UNIX seconds."""

    column: HistoryColumn
    at: float
    value: float


class CircuitEnd(NamedTuple):
    """One end of a virtual circuit."""

    vc_circuit_id: str
    port_circuit_id: str
    vlan: str


def _rates(event: str, path: str) -> tuple[HistoryResource, ...]:
    fields = EVENTS[event].fields
    return tuple(
        HistoryResource(
            path.replace("TYPE", unit),
            (
                HistoryColumn(_RECEIVED, fields[f"{quantity}_rx_{unit}"]),
                HistoryColumn(_TRANSMITTED, fields[f"{quantity}_tx_{unit}"]),
            ),
        )
        for unit, quantity in (("bps", "bytes"), ("pps", "packets"))
    )


def _lane_columns(lane: int) -> Iterator[HistoryColumn]:
    fields = EVENTS["port|optical"].fields
    first = _FIRST_LANE + lane * _LANE_WIDTH
    last = first + _LANE_WIDTH - 1
    reading = slice(first, last + 1)
    yield HistoryColumn(first, fields["lane_N_bias_current"], (str(lane),), reading)
    yield HistoryColumn(last, fields["lane_N_rx_dbm"], (str(lane),), reading)


PORT_HISTORY = (
    *_rates("port|metrics", "/v2/metrics/ifd/rate/TYPE/{}"),
    HistoryResource(
        "/v2/metrics/ifd/optic-data/{}",
        tuple(column for lane in range(_LANES) for column in _lane_columns(lane)),
    ),
)
VC_HISTORY = _rates("vc|metrics", "/v2/metrics/virtual-circuits/{}/interfaces/{}/rate/TYPE")
CONNECTION_HISTORY = tuple(
    HistoryResource(
        RATE_PATH.format("{}", type_),
        (HistoryColumn(_RECEIVED, received), HistoryColumn(_TRANSMITTED, transmitted)),
    )
    for type_, (received, transmitted) in RATES.items()
)


BPS_FAMILIES = frozenset(
    column.family
    for resource in (*PORT_HISTORY, *VC_HISTORY)
    if "/bps" in resource.path
    for column in resource.columns
)
"""The families whose values the API gives in the unit that is in doubt."""


def parse_history(
    resource: HistoryResource, rows: object, rate_unit: RateUnit = RateUnit.BITS
) -> Iterator[HistorySample]:
    """Yield the samples of the rows; what is null, not a finite number or not a row is left out.

    ``rate_unit`` is the unit of the stream's ``bps`` fields, which that of its history should be, too.
    """
    is_in_bytes = rate_unit is RateUnit.BYTES and resource not in CONNECTION_HISTORY
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, list) or not row or (at := number(row[0])) is None:
            continue
        for column in resource.columns:
            if column.place >= len(row) or (value := number(row[column.place])) is None:
                continue
            if column.reading is not None and not any(row[column.reading]):
                continue
            divisor = 1 if is_in_bytes and column.family in BPS_FAMILIES else column.family.divisor
            yield HistorySample(column, at, value / divisor)


def circuit_ends(item: Mapping[str, object]) -> Iterator[CircuitEnd]:
    """Yield the ends of a virtual circuit in the list of services, with the VLAN as the stream has it."""
    circuit = item.get(VIRTUAL_CIRCUITS.key)
    interfaces = item.get("interfaces")
    if not is_id(circuit) or not isinstance(interfaces, list):
        return
    for interface in interfaces[:MAX_ENDS]:
        if isinstance(interface, dict) and is_id(port := interface.get("port_circuit_id")):
            yield CircuitEnd(circuit, port, parse_vlan(interface.get("vlan"))[0])
