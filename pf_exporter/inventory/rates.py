"""Polls the rates of cloud router connections, which are not streamed, with one request per rate."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping

from pf_exporter.errors import Rejected
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Client, SessionManager
from pf_exporter.schema import RATE_PATH, RATES, Samples, latest_rates

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
"""IDs that may become part of the URL of a request, which carries the token."""

log = Logger(__name__)


class RatePoller:
    """The latest rates of one account's connections. One thread polls, any thread may read.

    ``failures`` counts failed requests by reason; ``max_age`` is the greatest age in seconds, by its own
    timestamp, at which a rate is shown.
    """

    def __init__(
        self,
        account: str,
        client: Client,
        session_manager: SessionManager,
        failures: dict[str, int],
        *,
        max_age: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._client = client
        self._session_manager = session_manager
        self._failures = failures
        self._max_age = max_age
        self._wall = wall
        self._last_round: dict[str, int] = {}
        """By connection, the last round in which its rates were fetched; 0 for never."""
        self._rates: dict[tuple[str, str], tuple[float, Mapping[str, Samples]]] = {}
        """By connection and type, UNIX seconds and samples."""

    def poll(self, connections: Iterable[str], may_continue: Callable[[], bool]) -> None:
        """Fetch the rates of these connections, least recently fetched first, and forget all others.

        ``may_continue`` is called before each request; it waits for the time between requests and returns
        whether there is time for another one. Raises :class:`ApiError`, except for connections without rates.
        """
        this_round = max(self._last_round.values(), default=0) + 1
        self._last_round = {
            connection: self._last_round.get(connection, 0)
            for connection in connections
            if _SAFE_ID.fullmatch(connection)
        }
        self._rates = {key: rate for key, rate in self._rates.items() if key[0] in self._last_round}
        for connection in sorted(self._last_round, key=self._last_round.__getitem__):
            for type_ in RATES:
                if not may_continue():
                    return
                self._fetch(connection, type_)
            self._last_round[connection] = this_round

    def _fetch(self, connection: str, type_: str) -> None:
        path = RATE_PATH.format(connection, type_)
        session = self._session_manager.get()
        try:
            rows = self._client.get(session, f"rates in {type_}", path, {"since": "1 hour ago"})
        except Rejected as exc:
            self._failures[exc.reason] += 1
            log.warning_throttled(
                f"rejected {self._account}", "no rates", account=self._account, circuit=connection, error=exc
            )
            return
        if (rate := latest_rates(rows, type_)) is not None:
            self._rates[connection, type_] = rate

    def samples(self, connection: str) -> dict[str, Samples]:
        """Return the rates that are recent enough, by family."""
        oldest = self._wall() - self._max_age
        rates = self._rates
        found: dict[str, Samples] = {}
        for type_ in RATES:
            timestamp, samples = rates.get((connection, type_), (0.0, {}))
            if timestamp >= oldest:
                found.update(samples)
        return found
