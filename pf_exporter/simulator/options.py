"""The options of a simulator, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Options of one simulator; all times are in seconds.

    The default credentials are published in the documentation and work only on a simulator.
    """

    ports: int = 12
    """Rows in ``/v2/ports``: physical ports, LAGs and LAG members."""
    vcs: int = 16
    """Rows in ``/v2/services``; each virtual circuit has two ends."""
    ordered: int = 0
    """Further rows in both lists: ordered, not finished or switched off; no event is about them."""
    interval: float = 5.0
    """Time between two samples of all ports and circuits."""
    seed: int = 1
    """The same seed gives the same network, and the same traffic at the same time."""
    listen_address: str = "127.0.0.1:8080"
    heartbeat: float = 15.0
    """A comment is sent after this time without an event."""
    max_connection: float = 7200.0
    """A stream is ended in an orderly way at this age."""
    subscription_ttl: float = 300.0
    """A subscription that is not streamed within this time expires."""
    session_lifetime: float = 30 * 86400.0
    login: str = "demo"
    password: str = "packets"  # noqa: S105 (a published demo password, not a secret)
    api_key: str = "api-00000000-0000-4000-8000-000000000001-00000000-0000-4000-8000-000000000002"
    api_key_lifetime: float | None = None
    """The key expires this time after the simulator starts, None for never."""
    maintenances: tuple[str, ...] = ("running", "announced")
    """Names of :data:`pf_exporter.simulator.MAINTENANCES`, optionally with ``:PORT``."""
    faults: tuple[str, ...] = ()
    """Names of :data:`pf_exporter.simulator.FAULTS`, optionally with ``:NUMBER``."""
