"""What a simulator can be told, and what it does untold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Settings of one simulator; all times are seconds.

    The credentials are fixed words for demonstrations, printed in the documentation: they open nothing else.
    """

    ports: int = 12
    """Rows in ``/v2/ports``: physical ports, LAGs and the members of LAGs."""
    vcs: int = 16
    """Rows in ``/v2/services``; each has two ends."""
    interval: float = 5.0
    """Between two samples of everything."""
    seed: int = 1
    """The same seed gives the same network, and the same traffic at the same time."""
    listen_address: str = "127.0.0.1:8080"
    heartbeat: float = 15.0
    """After so long without an event, a comment is sent."""
    max_connection: float = 7200.0
    """A stream is ended, in an orderly way, when it is this old."""
    bundle_ttl: float = 300.0
    """A bundle that nobody has streamed by then is forgotten."""
    session_lifetime: float = 30 * 86400.0
    login: str = "demo"
    password: str = "packets"  # noqa: S105 (a word for demonstrations, not a secret)
    api_key: str = "api-00000000-0000-4000-8000-000000000001-00000000-0000-4000-8000-000000000002"
    faults: tuple[str, ...] = ()
    """Names of :data:`pf_exporter.simulator.FAULTS`, each perhaps with ``:NUMBER``."""
