"""Samples of a network by event and circuit, for the tests of its measurements."""

from __future__ import annotations

from typing import Any

from pf_exporter.simulator import Network

RATES = ("bytes_rx_bps", "bytes_tx_bps", "packets_rx_pps", "packets_tx_pps")

Sample = dict[tuple[str, str], dict[str, Any]]
"""Data by the name of the event and the circuit."""


def circuit_key(data: dict[str, Any]) -> str:
    """Return the circuit of an event; for an end of a virtual circuit, with its port."""
    return "&".join(data[name] for name in ("vc_circuit_id", "port_circuit_id") if name in data)


def take_sample(network: Network, at: float) -> Sample:
    return {(name, circuit_key(data)): data for name, data in network.measurements(at)}


def reboot_time(network: Network, now: float) -> float:
    """Return the next time after ``now`` when the third router comes up after a reboot."""
    return network.ports[6].booted_at(now) + 86400.0
