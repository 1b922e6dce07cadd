"""BGP sessions of cloud router connections: their states and the changes between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from pf_exporter.simulator.traffic import START, Outage

# While a session comes up again: the share of the time that passed, the state that the list of connections
# has from then on, and the state in the log of the router.
_PHASES = (
    (0.0, "idle", "Idle"),
    (0.5, "configuring", "Connect"),
    (0.75, "fetching", "OpenSent"),
    (0.9, "fetching", "OpenConfirm"),
)


class Change(NamedTuple):
    """A change of state in the log of the router."""

    at: float
    before: str
    after: str


class Session(NamedTuple):
    """One BGP session of a connection."""

    connection: str
    key: str
    """Identifies the session; its UUID depends on it."""
    family: str
    peer: str
    is_disabled: bool = False
    flaps: Outage | None = None

    def is_established(self, at: float) -> bool:
        """Return whether routes are exchanged."""
        return not self.is_disabled and (self.flaps is None or self.flaps.up(at))

    def state(self, at: float) -> str:
        """Return the state in the list of connections; some are transitional."""
        if self.is_established(at):
            return "established"
        flaps = self.flaps
        if self.is_disabled or flaps is None:
            return "idle"
        elapsed = at - (flaps.last_recovery(at) + flaps.period - flaps.down)
        return [state for share, state, _ in _PHASES if elapsed >= share * flaps.down][-1]

    def changes(self, start: float, end: float) -> Iterator[Change]:
        """Yield the changes of state from ``start`` to ``end``, both included."""
        flaps = self.flaps
        if flaps is None:
            return
        names = [name for _, _, name in _PHASES]
        steps = [*zip((share for share, _, _ in _PHASES), ["Established", *names[:-1]], names, strict=True)]
        steps.append((1.0, names[-1], "Established"))
        first = START + flaps.offset + flaps.period - flaps.down
        for cycle in range(
            max(0, math.floor((start - first) / flaps.period)), math.floor((end - first) / flaps.period) + 1
        ):
            for share, before, after in steps:
                at = first + cycle * flaps.period + share * flaps.down
                if start <= at <= end:
                    yield Change(at, before, after)


SESSIONS = (
    Session("PF-L3-CON-4000001", "bgp 0", "v4", "192.0.2.1"),
    Session("PF-L3-CON-4000001", "bgp 0 v6", "v6", "2001:db8::1", is_disabled=True),
    Session(
        "PF-L3-CON-4000002", "bgp 1", "v4", "192.0.2.5", flaps=Outage(period=3600, down=200, offset=2700)
    ),
)
"""One that stays up, one that is disabled, and one that goes down every hour."""


def sessions_of(connection: str) -> list[Session]:
    """Return the sessions of one connection."""
    return [session for session in SESSIONS if session.connection == connection]
