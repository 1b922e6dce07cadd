"""HTTP with one server: bounded in time and size, ended from any thread, foreign exceptions translated."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from pf_exporter.errors import Unavailable
from pf_exporter.packetfabric.connection import AbortableConnection, Headers, HttpSession
from pf_exporter.packetfabric.response import Response, StreamingResponse

CONNECT_TIMEOUT = 10.0
"""Seconds for a TCP connection to one address, and again for each step of a TLS handshake."""
CALL_DEADLINE = 30.0
"""Seconds for a whole request and its answer, however slowly they drip, but for the look-up of the name."""
MAX_READ_TIMEOUT = 86_400.0
"""Seconds; a socket counts the milliseconds of its timeout in 32 bits, and 50 days become an instant."""


class Transport:
    """Requests to one server. Its methods may be called from any thread."""

    def __init__(self, base_url: str, headers: Headers, *, ca_file: str | None = None) -> None:
        self._base_url = base_url
        self._headers = headers
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._wires: set[AbortableConnection] = set()
        self._stopping = ""

    def abort(self) -> None:
        """End every request under way, and from now on every one but a farewell."""
        with self._lock:
            self._stopping = "this exporter stops"
            for wire in self._wires:
                wire.cut(self._stopping)

    def _begin(
        self, operation: str, *, deadline: float, read_timeout: float, allow_after_abort: bool
    ) -> StreamingResponse:
        """A requests session of its own for each request: whoever ends one ends no other."""
        if self._ca_file is not None:
            try:
                open(self._ca_file, "rb").close()
            except OSError as exc:
                raise Unavailable(f"{operation}: ca_file cannot be read: {exc.strerror}") from None
        wire = AbortableConnection()
        with self._lock:
            if self._stopping and not allow_after_abort:
                raise Unavailable(f"{operation}: {self._stopping}")
            self._wires.add(wire)
        http = HttpSession(wire, self._headers, self._ca_file or True)
        return StreamingResponse(
            operation, http, wire, deadline=deadline, read_timeout=read_timeout, closed=self._forget
        )

    def _forget(self, wire: AbortableConnection) -> None:
        with self._lock:
            self._wires.discard(wire)

    def open(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        headers: Headers,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        read_timeout: float = CALL_DEADLINE,
        deadline: float = CALL_DEADLINE,
        allow_after_abort: bool = False,
    ) -> StreamingResponse:
        """Send a request and give its answer once the headers are there.

        All of it takes at most ``deadline`` seconds, except chunks(), where ``read_timeout`` is how many
        seconds the body may pause. ``operation`` starts the text of every error.
        """
        read_timeout = min(read_timeout, MAX_READ_TIMEOUT)
        stream = self._begin(
            operation, deadline=deadline, read_timeout=read_timeout, allow_after_abort=allow_after_abort
        )
        try:
            stream._send(
                method,
                self._base_url + path,
                json=body,
                params=query,
                headers=headers,
                timeout=(CONNECT_TIMEOUT, read_timeout),
            )
        except BaseException:
            stream.close()
            raise
        return stream

    def call(self, operation: str, method: str, path: str, **options: Any) -> Response:
        """Send a request as :meth:`open` does and give its whole answer; of a refusal, what can be had."""
        stream = self.open(operation, method, path, **options)
        try:
            body = stream.body() if stream.status < 300 else stream.head()
        finally:
            stream.close()
        return Response(stream.status, stream.headers, body)
