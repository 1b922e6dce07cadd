"""A simulated PacketFabric in a thread: start it, inspect it, stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from pf_exporter.server import Server
from pf_exporter.simulator.account import Account
from pf_exporter.simulator.api import Api
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.counters import Count, Counters
from pf_exporter.simulator.faults import Faults
from pf_exporter.simulator.maintenance import Maintenances
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.options import Options


class Simulator:
    """A simulated PacketFabric; listens as soon as it is created and answers after :meth:`start`.

    ``wall`` returns UNIX seconds. It decides the age of sessions and subscriptions, and the time of
    events; the pace of a stream, its heartbeats and its end follow the event loop's clock.
    """

    def __init__(self, options: Options | None = None, wall: Callable[[], float] = time.time) -> None:
        self.options = options or Options()
        self.network = Network(self.options.seed, self.options.ports, self.options.vcs, self.options.ordered)
        self.faults = Faults(self.options.faults)
        """Can be changed at any time."""
        self._counters = Counters()
        self._account = Account(self.options, wall)
        started = wall()
        self.maintenances = Maintenances(self.network, self.options.maintenances, started)
        """Can be changed at any time."""
        self._api = Api(
            Context(
                options=self.options,
                wall=wall,
                started=started,
                network=self.network,
                maintenances=self.maintenances,
                account=self._account,
                faults=self.faults,
                counters=self._counters,
            )
        )
        self._server = Server(self._api, [self.options.listen_address], name="simulator")

    @property
    def url(self) -> str:
        """The base URL, ``http://127.0.0.1:PORT``."""
        return f"http://{self._server.addresses[0]}"

    @property
    def login(self) -> str:
        """The login of the only user."""
        return self.options.login

    @property
    def password(self) -> str:
        """The password of the only user."""
        return self.options.password

    @property
    def api_key(self) -> str:
        """An API key; by default it never expires."""
        return self.options.api_key

    @property
    def logins(self) -> int:
        """Logins that succeeded."""
        return self._counters[Count.LOGINS]

    @property
    def login_attempts(self) -> int:
        """Login requests, successful or not."""
        return self._counters[Count.LOGIN_ATTEMPTS]

    @property
    def logouts(self) -> int:
        """Logout requests."""
        return self._counters[Count.LOGOUTS]

    @property
    def live_sessions(self) -> int:
        """Sessions that are valid now."""
        return len(self._account.sessions())

    @property
    def subscriptions(self) -> int:
        """Subscriptions created since the start."""
        return self._counters[Count.SUBSCRIPTIONS]

    @property
    def live_subscriptions(self) -> int:
        """Subscriptions that can be streamed now."""
        return len(self._account.subscriptions())

    @property
    def streams(self) -> int:
        """Streams opened since the start."""
        return self._counters[Count.STREAMS]

    @property
    def open_streams(self) -> int:
        """Streams that are open now."""
        return len(self._api.streams)

    @property
    def events_sent(self) -> int:
        """Events sent to all streams since the start, including those that faults add."""
        return self._counters[Count.EVENTS]

    @property
    def heartbeats_sent(self) -> int:
        """Heartbeats sent to all streams since the start."""
        return self._counters[Count.HEARTBEATS]

    def requests(self, method: str, path: str) -> int:
        """Return the number of requests for a path, such as ``"GET", "/v2/ports"``."""
        return self._counters[method, path]

    def wait(self, condition: Callable[[], bool], timeout: float = 60.0) -> bool:
        """Wait up to ``timeout`` seconds for ``condition``, checked after each increment; return its value.

        For tests: ``assert simulator.wait(lambda: simulator.open_streams == 1)``.
        """
        return self._counters.wait(condition, timeout)

    def end_streams(self) -> None:
        """End every open stream in an orderly way, as after ``max_connection``."""
        self._api.streams.end_all()

    def start(self) -> None:
        """Start to answer requests."""
        self._server.start()

    def stop(self) -> None:
        """End every stream and stop the server; a stopped simulator cannot be started again."""
        self.end_streams()
        self._server.stop()

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
