"""The one connection under a request: bound to it from its first packet on, and cut by any thread."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pf_exporter.errors import ExporterError

Headers = Mapping[str, "str | bytes"]

# Its warnings, of odd headers and the like, name the URL, and with it the subscription.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, option), value)
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, option)
    ),
]


class AbortableConnection:
    """The connection under one request, from its first packet on; any thread may cut it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._connection: Any = None
        self.why = ""
        """Why it was cut, if it was."""
        self.error: type[ExporterError] | None = None
        """What that is for whoever waits, where it is not for the waiting one to say."""

    def connect(self, connection: Any) -> socket.socket:
        """What one of urllib3's connections is to run over."""
        self._connection = connection
        try:
            return self._connected(connection.host, connection.port, connection.timeout)
        except OSError as exc:
            # urllib3 passes over some kinds of OSError and then trips over the missing socket.
            raise urllib3.exceptions.NewConnectionError(connection, "no connection") from exc

    def _connected(self, host: str, port: int, timeout: float) -> socket.socket:
        """A connection to the first of the host's addresses that accepts one."""
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise socket.gaierror(socket.EAI_NONAME, "no host can have this name") from None
        fault = OSError(errno.EADDRNOTAVAIL, "the name has no address")
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in _SOCKET_OPTIONS:
                    sock.setsockopt(*option)
                sock.settimeout(timeout)
                self._hold(sock)
                sock.connect(address)
            except OSError as exc:
                sock.close()
                fault = exc
            else:
                return sock
        raise fault

    def _hold(self, sock: socket.socket) -> None:
        # A second handle on the same connection, which nobody else closes: so a cut never meets a descriptor
        # that has become someone else's, and goes underneath TLS, whose state belongs to the reader.
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = sock.dup()
            if self.why:
                raise ConnectionAbortedError(errno.ECONNABORTED, self.why)

    def cut(self, why: str, error: type[ExporterError] | None = None) -> None:
        """End whatever waits on the connection, now and from now on. Only the first reason counts."""
        with self._lock:
            if not self.why:
                self.why, self.error = why, error
            if self._handle is not None:
                # shutdown(), because close() would leave a thread that reads waiting.
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut it and give it back; for the thread that reads."""
        self.cut("closed")
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None
        if self._connection is not None:
            # Neither requests nor urllib3 closes one that waits in a pool before that is collected.
            self._connection.close()


class _Adapter(HTTPAdapter):
    """requests' way to a server, over one wire."""

    def __init__(self, wire: AbortableConnection) -> None:
        self._wire = wire
        super().__init__(pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        pools: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": self._connecting(pool.ConnectionCls)})
            for scheme, pool in pools.items()
        }

    def _connecting(self, connection: type[Any]) -> type[Any]:
        wire = self._wire
        return type("Connection", (connection,), {"_new_conn": lambda self: wire.connect(self)})


class HttpSession(requests.Session):
    """A requests session that nothing from outside leads astray."""

    def __init__(self, wire: AbortableConnection, headers: Headers, verify: str | bool) -> None:
        super().__init__()
        # No .netrc, proxy or CA bundle out of the environment: each could carry the token elsewhere.
        self.trust_env = False
        self.verify = verify
        self.headers.update(headers)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(wire))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """No target: even where it does not follow one, requests reads its whole body and trips over it."""
        return
