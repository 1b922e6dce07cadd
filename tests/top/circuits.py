"""Circuits and readings for tests."""

from __future__ import annotations

from typing import Any

from pf_exporter.top.circuit import STREAMING, Circuit, Kind, Reading

NOW = 1_790_000_000.0


def port(number: int, **values: Any) -> Circuit:
    """A port of 10 Gbit/s that is up and carries traffic."""
    return Circuit(
        Kind.PORTS,
        **{
            "account": "acme",
            "circuit": f"PF-AP-LAX1-{number}",
            "name": f"Los Angeles {number}",
            "up": 1.0,
            "enabled": 1.0,
            "speed": 10e9,
            "receive": 1e9 * number,
            "transmit": 2e9,
            "errors": 0.0,
            "light": -3.0 - number,
            "last_event": NOW - number,
            **values,
        },
    )


def vc(number: int, **values: Any) -> Circuit:
    """One end of a virtual circuit of 2 Gbit/s on a port of 10 Gbit/s."""
    return Circuit(
        Kind.VCS,
        **{
            "account": "acme",
            "circuit": f"PF-BC-LAX-NYC-{number}-PF",
            "port": "PF-AP-LAX1-1",
            "vlan": str(number),
            "name": f"LAX to NYC {number}",
            "up": 1.0,
            "speed": 10e9,
            "receive_limit": 2e9,
            "transmit_limit": 2e9,
            "receive": 1e9,
            "transmit": 1.9e9,
            "last_event": NOW - 4,
            **values,
        },
    )


def reading(*circuits: Circuit, serial: int = 1, **values: Any) -> Reading:
    """A reading of one account whose stream is good."""
    return Reading(circuits, **{"accounts": {"acme": STREAMING}, "at": NOW, "serial": serial, **values})
