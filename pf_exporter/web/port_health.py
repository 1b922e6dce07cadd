"""Errors and optical power of ports, from the events that carry them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pf_exporter.schema import EVENTS
from pf_exporter.state import Row, Store

PortKey = tuple[str, str]
"""Account and ID in the spelling of the stream."""
Pair = tuple["float | None", "float | None"]
"""Received and transmitted."""

_ERROR_FIELDS = ("rx_unspecified", "tx_unspecified")
"""The router's own sums of all errors."""
_POWER_FIELDS = ("lane_N_rx_dbm", "lane_N_tx_dbm")


class PortHealth(NamedTuple):
    """Errors and optical power in both directions, by port."""

    errors: Mapping[PortKey, Pair]
    """Counted since the router started."""
    light: Mapping[PortKey, Pair]
    """dBm, of the lane with the lowest power."""


def port_health(store: Store) -> PortHealth:
    """Errors and optical power of all ports that have recent events of them."""
    return PortHealth(dict(_errors(store)), dict(_light(store)))


def _rows(store: Store, event: str) -> Iterator[tuple[PortKey, Row]]:
    for account, circuits in store.rows(event).items():
        for circuit, row in circuits:
            if row.values:
                yield (account, circuit[0]), row


def _errors(store: Store) -> Iterator[tuple[PortKey, Pair]]:
    receive, transmit = EVENTS["port|errors"].columns(*_ERROR_FIELDS)
    for key, row in _rows(store, "port|errors"):
        yield key, (row.values[receive], row.values[transmit])


def _light(store: Store) -> Iterator[tuple[PortKey, Pair]]:
    event = EVENTS["port|optical"]
    columns, width = event.columns(*_POWER_FIELDS), len(event.fields)
    for key, row in _rows(store, "port|optical"):
        receive, transmit = (
            # A row has the fields of one lane after those of another.
            min((power for power in row.values[column::width] if power is not None), default=None)
            for column in columns
        )
        yield key, (receive, transmit)
