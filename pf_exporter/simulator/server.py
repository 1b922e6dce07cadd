"""A PacketFabric in a thread: started, looked at, and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from pf_exporter.server import Server
from pf_exporter.simulator.account import Account
from pf_exporter.simulator.api import Api
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.counters import Counters
from pf_exporter.simulator.faults import Faults
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.options import Options


class Simulator:
    """The whole of it; listens from the moment it is made and answers from :meth:`start` on.

    ``clock`` gives UNIX seconds: the age of sessions and bundles, and the time that events are about. The
    pace of a stream, its heartbeats and its end keep to the event loop's own clock.
    """

    def __init__(self, options: Options | None = None, clock: Callable[[], float] = time.time) -> None:
        self.options = options or Options()
        self.network = Network(self.options.seed, self.options.ports, self.options.vcs)
        self.faults = Faults(self.options.faults)
        """May be added to and discarded from at any time."""
        self._ledger = Counters()
        self._account = Account(self.options, clock)
        self._api = Api(Context(self.options, clock, self.network, self._account, self.faults, self._ledger))
        self._server = Server(self._api, [self.options.listen_address], name="simulator")

    @property
    def url(self) -> str:
        """The base URL, ``http://127.0.0.1:PORT``."""
        return f"http://{self._server.addresses[0]}"

    @property
    def login(self) -> str:
        """Who may log in."""
        return self.options.login

    @property
    def password(self) -> str:
        """With what."""
        return self.options.password

    @property
    def api_key(self) -> str:
        """A token that needs no login and never expires."""
        return self.options.api_key

    @property
    def logins(self) -> int:
        """Logins that succeeded."""
        return self._ledger["logins"]

    @property
    def login_attempts(self) -> int:
        """Logins that were tried."""
        return self._ledger["login attempts"]

    @property
    def logouts(self) -> int:
        """Logouts that were asked for."""
        return self._ledger["logouts"]

    @property
    def live_sessions(self) -> int:
        """Logins that still hold."""
        return len(self._account.sessions())

    @property
    def bundles(self) -> int:
        """Bundles made, ever."""
        return self._ledger["bundles"]

    @property
    def live_bundles(self) -> int:
        """Bundles that could be streamed now."""
        return len(self._account.bundles())

    @property
    def streams(self) -> int:
        """Streams opened, ever."""
        return self._ledger["streams"]

    @property
    def open_streams(self) -> int:
        """Streams that are open now."""
        return len(self._api.streams)

    @property
    def events_sent(self) -> int:
        """Events sent, ever, to all streams, with those that faults have added."""
        return self._ledger["events"]

    @property
    def heartbeats_sent(self) -> int:
        """Heartbeats sent, ever, to all streams."""
        return self._ledger["heartbeats"]

    def requests(self, method: str, path: str) -> int:
        """How often a path has been asked for, such as ``"GET", "/v2/ports"``."""
        return self._ledger[f"{method} {path}"]

    def wait(self, condition: Callable[[], bool], timeout: float = 10.0) -> bool:
        """Whether ``condition`` has come true within ``timeout`` seconds; asked whenever a count changes.

        For tests: ``assert simulator.wait(lambda: simulator.open_streams == 1)``.
        """
        return self._ledger.wait(condition, timeout)

    def end_streams(self) -> None:
        """End every open stream in an orderly way, as when their two hours are up."""
        for stream in list(self._api.streams):
            stream.end()

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """End every stream and stop answering; a stopped simulator stays stopped."""
        self.end_streams()
        self._server.stop()

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
