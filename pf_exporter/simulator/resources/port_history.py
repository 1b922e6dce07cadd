"""The history of a port: its rates, errors and kinds of packets, and its optics."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from pf_exporter.simulator.history import MetricsRow, mean_rows, minutes, rate_rows
from pf_exporter.simulator.measurements import errors_data, etherstats_data
from pf_exporter.simulator.optics import module_temperature, module_voltage, optical_data
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource
from pf_exporter.simulator.topology import Port
from pf_exporter.simulator.traffic import Reading

_LANES = 4
_MAC_ERRORS = (
    "rx_code_violations",
    "rx_crc_errors",
    "rx_fifo_errors",
    "rx_fragment_frames",
    "rx_jabber_frames",
    "rx_oversized_frames",
    "tx_crc_errors",
    "tx_fifo_errors",
)
_CASTS = tuple(
    f"{direction}_{cast}" for direction in ("rx", "tx") for cast in ("broadcasts", "multicasts", "unicast")
)


def _rates(query: Query) -> object:
    port = query.port()

    def read(minute: int) -> tuple[Reading, Reading] | None:
        return query.network.read_port(port, minute) if port.reachable(minute) else None

    return rate_rows(query.parameters, query.now, query.path["type"], read)


def _rows(query: Query, values: Callable[[Port, int], list[float | None]]) -> list[MetricsRow]:
    """Return the rows of all minutes in which the router reports data."""
    port = query.port()
    rows = (
        (minute, values(port, minute))
        for minute in minutes(query.parameters, query.now)
        if port.reachable(minute)
    )
    return list(mean_rows(query.parameters, rows))


def _errors(query: Query) -> object:
    """Return the counters of ``port|errors``, then those of the MAC, all zero for a LAG."""

    def values(port: Port, minute: int) -> list[float | None]:
        physical = port.members or [port]
        tx = {member: query.network.read_port(member, minute)[1] for member in physical}
        mac = {} if port.members else _etherstats(query, port, minute)
        errors = errors_data(physical, tx, minute)
        return [_state_id(port), *_numbers(errors, *errors), *_numbers(mac, *_MAC_ERRORS)]

    return _rows(query, values)


def _whatcast(query: Query) -> object:
    def values(port: Port, minute: int) -> list[float | None]:
        mac = {} if port.members else _etherstats(query, port, minute)
        return [_state_id(port), *_numbers(mac, *_CASTS)]

    return _rows(query, values)


def _etherstats(query: Query, port: Port, minute: int) -> dict[str, object]:
    rx, tx = query.network.read_port(port, minute)
    # The number of tagged frames is in no row.
    return etherstats_data(port, rx, tx, 0, minute)


def _numbers(data: dict[str, object], *names: str) -> Iterator[float | None]:
    for name in names:
        value = data.get(name, 0)
        assert isinstance(value, (int, float))
        yield value


def _state_id(port: Port) -> int:
    """Return an internal ID that means nothing outside PacketFabric."""
    return 3_000_000 + zlib.crc32(port.circuit_id.encode()) % 1_000_000


def _temperature(query: Query) -> object:
    return (
        [] if query.port().members else _rows(query, lambda port, minute: [module_temperature(port, minute)])
    )


def _optic_data(query: Query) -> object:
    """Return temperature and voltage, then bias current, output power and received dBm of each lane.

    As in the API's example, the output power is null; so is everything of a lane that does not exist.
    """

    def values(port: Port, minute: int) -> list[float | None]:
        data = optical_data(port, minute)
        row: list[float | None] = [module_temperature(port, minute), module_voltage(port, minute)]
        for lane in range(_LANES):
            if lane < port.lanes:
                bias, power = _numbers(data, f"lane_{lane}_bias_current", f"lane_{lane}_rx_dbm")
                row += [bias, None, power]
            else:
                row += [None, None, None]
        return row

    return [] if query.port().members else _rows(query, values)


PORT_HISTORY = (
    Resource(ResourceName.PORT_RATES, "/v2/metrics/ifd/rate/{type}/{port}", _rates),
    Resource(ResourceName.PORT_ERRORS, "/v2/metrics/ifd/errors/{port}", _errors),
    Resource(ResourceName.WHATCAST, "/v2/metrics/ifd/whatcast/{port}", _whatcast),
    Resource(ResourceName.TEMPERATURE, "/v2/metrics/ifd/temperature/{port}", _temperature),
    Resource(ResourceName.OPTIC_DATA, "/v2/metrics/ifd/optic-data/{port}", _optic_data),
)
