"""HTTP with one receiver: requests over a connection that is kept open, limited in time and size."""

from __future__ import annotations

import contextlib
import errno
import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pf_exporter.config import Proxy
from pf_exporter.packetfabric import connect_through

MAX_RESPONSE_BYTES = 1 << 14
"""Bytes of a response that are read; a receiver answers with one line."""
REQUEST_DEADLINE = 30.0
"""Seconds for a request and its whole response, a new connection included."""
CONNECT_TIMEOUT = 10.0


class TlsOptions(NamedTuple):
    """How to reach a receiver over TLS; empty values stand for the defaults."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    """The name that the certificate must have, instead of the host of the URL."""

    def context(self) -> ssl.SSLContext:
        """Read the files; raises ``OSError``, which includes ``ssl.SSLError``."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.cert_file:
            # A password callback that returns nothing: without it OpenSSL would ask on the terminal.
            context.load_cert_chain(self.cert_file, self.key_file or None, password=lambda: b"")
        return context


class Response(NamedTuple):
    """A response; of a long body only the start."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes


class _Connection(http.client.HTTPConnection):
    """A connection, with TLS if there is a context, whose socket another thread can shut down."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, server_name: str, proxy: Proxy | None
    ) -> None:
        super().__init__(host, port, timeout=CONNECT_TIMEOUT)
        if context is not None:
            self.default_port = http.client.HTTPS_PORT  # for the header Host
        self._context = context
        self._server_name = server_name
        self._proxy = proxy
        self.handle: socket.socket | None = None
        """A second descriptor of the same connection, which works below TLS."""

    def connect(self) -> None:
        if self._proxy is None:
            sock = self._open(self.host, self.port)
        else:
            sock = connect_through(self._proxy, self.host, self.port, self._open)
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_hostname=self._server_name or self.host)
            sock.settimeout(REQUEST_DEADLINE)
        except BaseException:
            sock.close()
            raise
        self.sock = sock

    def _open(self, host: str, port: int) -> socket.socket:
        sock = socket.create_connection((host, port), CONNECT_TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.handle = sock.dup()
        return sock

    def close(self) -> None:
        super().close()
        if self.handle is not None:
            self.handle.close()
            self.handle = None

    @property
    def is_dropped(self) -> bool:
        """Whether the server has closed the idle connection, or sent what nothing asked for."""
        if self.sock is None:
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


class Receiver:
    """The HTTP server at a URL. One thread calls :meth:`post`; any may call the other methods.

    ``find_proxy`` is called before each connection, and returns the proxy to use, if any, or raises
    :class:`ConfigError`.
    """

    def __init__(
        self, url: str, tls: TlsOptions, find_proxy: Callable[[], Proxy | None] = lambda: None
    ) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (http.client.HTTPS_PORT if self._is_tls else http.client.HTTP_PORT)
        self.address = parts.netloc
        """HOST:PORT, for messages."""
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._tls = tls
        self._find_proxy = find_proxy
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._deadline = float("inf")
        self._aborted = False

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send a request and read the response.

        Raises ``OSError`` (with ``TimeoutError`` and ``ssl.SSLError``), ``http.client.HTTPException``, or
        :class:`ConfigError` if the file with the proxy's URL cannot be used.
        """
        self._deadline = time.monotonic() + REQUEST_DEADLINE
        keep = False
        try:
            connection = self._connect()
            connection.request("POST", self._target, body, dict(headers))
            response = connection.getresponse()
            text = response.read(MAX_RESPONSE_BYTES)
            if time.monotonic() >= self._deadline:  # a header that was cut looks complete
                raise TimeoutError
            keep = response.isclosed() and not response.will_close
            return Response(
                response.status, {name.lower(): value for name, value in response.getheaders()}, text
            )
        except (OSError, http.client.HTTPException):
            if time.monotonic() >= self._deadline:
                raise TimeoutError(f"no complete response within {REQUEST_DEADLINE:g} seconds") from None
            raise
        except ValueError:  # a name that IDNA does not allow, or a character that no header can contain
            problem = "the request cannot be sent: url, server_name, a header or a secret is not valid"
            raise OSError(errno.EINVAL, problem) from None
        finally:
            self._deadline = float("inf")
            if not keep:
                self.close()

    def _connect(self) -> _Connection:
        with self._lock:
            connection = self._connection
        if connection is not None and not connection.is_dropped:
            return connection
        self.close()
        context = self._tls.context() if self._is_tls else None
        connection = _Connection(self._host, self._port, context, self._tls.server_name, self._find_proxy())
        with self._lock:
            if self._aborted:
                raise ConnectionAbortedError("the exporter is stopping")
            self._connection = connection
        connection.connect()
        return connection

    def enforce_deadline(self) -> None:
        """End a request that takes too long, such as one whose response drips; called once a second."""
        if time.monotonic() >= self._deadline:
            self._shutdown()

    def abort(self) -> None:
        """End the present request, and refuse new connections."""
        self._aborted = True
        self._shutdown()

    def _shutdown(self) -> None:
        with self._lock:
            connection = self._connection
            if connection is not None and connection.handle is not None:
                # close() would leave the thread that reads waiting; shutdown() wakes it.
                with contextlib.suppress(OSError):
                    connection.handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; only for the thread that calls :meth:`post`."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
