"""The rates of cloud router connections: they are in no stream, so each is asked for, one after the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping

from pf_exporter.errors import Rejected
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Client, SessionManager
from pf_exporter.schema import RATE_PATH, RATES, Samples, latest_rates

# What becomes part of a URL that the token is sent to.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
log = Logger(__name__)


class RatePoller:
    """The latest rates of one account's connections. One thread looks, any may read.

    ``failures`` counts by reason; ``life`` is how old, in seconds and by its own time, a rate may be.
    """

    def __init__(
        self,
        account: str,
        client: Client,
        session_manager: SessionManager,
        failures: dict[str, int],
        *,
        life: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._client = client
        self._session_manager = session_manager
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
        path, since = RATE_PATH.format(connection, type_), {"since": "1 hour ago"}
        try:
            rows = self._client.get(self._session_manager.get(), f"rates in {type_}", path, since)
        except Rejected as exc:
            self._failures[exc.reason] += 1
            key = f"rejected {self._account}"
            log.warning_throttled(key, "no rates", account=self._account, circuit=connection, error=exc)
            return
        if (rate := latest_rates(rows, type_)) is not None:
            self._rates[connection, type_] = rate

    def samples(self, connection: str) -> dict[str, Samples]:
        """By family the rates that are not too old."""
        oldest = self._wall() - self._life
        found = (self._rates.get((connection, type_)) for type_ in RATES)
        return {name: rate for one in found if one and one[0] >= oldest for name, rate in one[1].items()}
