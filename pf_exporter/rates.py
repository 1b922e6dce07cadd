"""The rates of cloud router connections: they are in no stream, so each is asked for, one after the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from pf_exporter.api import Client
from pf_exporter.circuits import Samples, count
from pf_exporter.errors import Rejected
from pf_exporter.families import Family
from pf_exporter.listings import CONNECTIONS
from pf_exporter.logs import Logger
from pf_exporter.session import SessionKeeper

PATH = "/v2/metrics/cloud-router-connections/{}/rate/{}"
"""Where they are, by connection and type."""

# What becomes part of a URL that the token is sent to.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
log = Logger(__name__)


def _family(direction: str, unit: str, type_: str, divisor: int) -> Family:
    return Family(
        f"packetfabric_cloud_router_connection_{direction}_{unit}_per_second",
        "gauge",
        f"Rate at which the connection {direction}s {unit}, the latest there is"
        f"{'; the API gives bits per second' * (divisor == 8)}; polled, not streamed",
        ("account", CONNECTIONS.key),
        PATH.format("{id}", type_),
        divisor,
    )


RATES: Mapping[str, tuple[Family, Family]] = MappingProxyType(
    {
        "bps": (_family("receive", "bytes", "bps", 8), _family("transmit", "bytes", "bps", 8)),
        "pps": (_family("receive", "packets", "pps", 1), _family("transmit", "packets", "pps", 1)),
    }
)
"""By type of rate the families of its two directions."""


def latest(rows: object, type_: str) -> tuple[float, Mapping[str, Samples]] | None:
    """When the newest row was taken (UNIX seconds), and its samples by family; None where no row can be used.

    A row is ``[time, rx average, rx min, rx max, tx average, tx min, tx max]``.
    """
    best: tuple[float, ...] = ()
    for row in rows if isinstance(rows, list) else ():
        try:
            if isinstance(row, list):
                best = max(best, tuple(count(row[column]) for column in (0, 1, 4)))
        except (ValueError, LookupError, OverflowError):
            continue
    if not best:
        return None
    directions = zip(RATES[type_], best[1:], strict=True)
    return best[0], {family.name: [((), number / family.divisor)] for family, number in directions}


class Rates:
    """The latest rates of one account's connections. One thread looks, any may read.

    ``failures`` counts by reason; ``life`` is how old, in seconds and by its own time, a rate may be.
    """

    def __init__(
        self,
        account: str,
        client: Client,
        keeper: SessionKeeper,
        failures: dict[str, int],
        *,
        life: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._client = client
        self._keeper = keeper
        self._failures = failures
        self._life = life
        self._wall = wall
        self._turns: dict[str, int] = {}
        """How often each connection was looked at: who has waited longest comes first."""
        self._rates: dict[tuple[str, str], tuple[float, Mapping[str, Samples]]] = {}

    def look(self, connections: Iterable[str], go_on: Callable[[], bool]) -> None:
        """Ask for the rates of these connections, and forget any other.

        ``go_on`` is asked before each request: it waits, and says whether there is time for one more. Raises
        :class:`ApiError`, except for connections that have no rates.
        """
        turn = max(self._turns.values(), default=0) + 1
        self._turns = {one: self._turns.get(one, 0) for one in connections if _SAFE.fullmatch(one)}
        self._rates = {key: rate for key, rate in self._rates.items() if key[0] in self._turns}
        for connection in sorted(self._turns, key=lambda one: self._turns[one]):
            for type_ in RATES:
                if not go_on():
                    return
                self._ask(connection, type_)
            self._turns[connection] = turn

    def _ask(self, connection: str, type_: str) -> None:
        path, since = PATH.format(connection, type_), {"since": "1 hour ago"}
        try:
            rows = self._client.get(self._keeper.get(), f"rates in {type_}", path, since)
        except Rejected as exc:
            self._failures[exc.reason] += 1
            key = f"rejected {self._account}"
            log.now_and_then(key, "no rates", account=self._account, circuit=connection, error=exc)
            return
        if (rate := latest(rows, type_)) is not None:
            self._rates[connection, type_] = rate

    def samples(self, connection: str) -> dict[str, Samples]:
        """By family the rates that are not too old."""
        oldest = self._wall() - self._life
        found = (self._rates.get((connection, type_)) for type_ in RATES)
        return {name: rate for one in found if one and one[0] >= oldest for name, rate in one[1].items()}
