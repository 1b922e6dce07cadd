"""HTTP with one server: limited in time and size, aborted from any thread, foreign exceptions translated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pf_exporter.config import Proxy
from pf_exporter.errors import ConfigError, Unavailable
from pf_exporter.packetfabric.abort import Abort
from pf_exporter.packetfabric.request import Headers, Request

if TYPE_CHECKING:
    from pf_exporter.packetfabric.connection import AbortableConnection
    from pf_exporter.packetfabric.response import StreamingResponse

_STOPPING = Abort("the exporter is stopping")


class Response(NamedTuple):
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    """By name, in any case."""
    body: bytes


class Transport:
    """Requests to one server. Any thread may call its methods."""

    def __init__(
        self,
        base_url: str,
        headers: Headers,
        *,
        ca_file: str | None = None,
        find_proxy: Callable[[], Proxy | None] = lambda: None,
    ) -> None:
        self._base_url = base_url
        self.server = urlsplit(base_url).netloc.rpartition("@")[2]  # without credentials
        """HOST:PORT, for messages."""
        self._headers = headers
        self._ca_file = ca_file
        self._find_proxy = find_proxy
        self._lock = threading.Lock()
        self._connections: set[AbortableConnection] = set()
        self._stopping = False

    def abort(self) -> None:
        """Abort all requests, and refuse new ones unless they have ``allow_after_abort``."""
        with self._lock:
            self._stopping = True
            for connection in self._connections:
                connection.abort(_STOPPING)

    def _new_response(self, request: Request) -> StreamingResponse:
        # The pages are served before the first request; importing requests would delay them by a third.
        from pf_exporter.packetfabric.connection import AbortableConnection, HttpSession
        from pf_exporter.packetfabric.response import StreamingResponse

        # Each request has its own connection and session of requests, so that aborting one aborts no other.
        if self._ca_file is not None:
            try:
                open(self._ca_file, "rb").close()
            except OSError as exc:
                raise Unavailable(
                    f"{request.operation}: {self._ca_file} (ca_file) cannot be read: {exc.strerror}"
                ) from None
        try:
            connection = AbortableConnection(self._find_proxy())
        except ConfigError as exc:
            raise Unavailable(f"{request.operation}: {exc}") from None
        with self._lock:
            if self._stopping and not request.allow_after_abort:
                raise Unavailable(f"{request.operation}: {self.server}: {_STOPPING.message}")
            self._connections.add(connection)
        http = HttpSession(connection, self._headers, self._ca_file or True)
        return StreamingResponse(request, self.server, http, connection, closed=self._forget)

    def _forget(self, connection: AbortableConnection) -> None:
        with self._lock:
            self._connections.discard(connection)

    def open(self, request: Request) -> StreamingResponse:
        """Send a request, and return its response as soon as the headers are there.

        The caller closes the response. Raises :class:`Rejected` or :class:`Unavailable`.
        """
        response = self._new_response(request)
        try:
            response.send(self._base_url)
        except BaseException:
            response.close()
            raise
        return response

    def call(self, request: Request) -> Response:
        """Send a request, and return its whole response; of an error response only the start."""
        response = self.open(request)
        try:
            body = response.body() if response.status < 300 else response.error_body()
        finally:
            response.close()
        return Response(response.status, response.headers, body)
