"""A tunnel through an HTTP proxy, by CONNECT: TLS begins behind the proxy, which sees no request."""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import re
import socket
from collections.abc import Iterator
from typing import Protocol

from pf_exporter.config import Proxy

MAX_HEAD_BYTES = 1 << 14
"""Bytes of the proxy's response."""

_MEANINGS = {
    403: "it does not allow this connection; ask for an exception for {target}",
    407: "it did not accept the user and password; check them in proxy_url_file",
    502: "it cannot reach {target}",
    503: "it cannot reach {target}",
    504: "it cannot reach {target}",
}
"""What a status means to users."""


class ProxyError(OSError):
    """The proxy cannot be reached or refuses the tunnel; the text is for users."""

    def __init__(self, proxy: Proxy, cause: str) -> None:
        super().__init__(errno.ECONNABORTED, f"proxy {proxy.address}: {cause}")


class Connect(Protocol):
    """Connects to a host and port."""

    def __call__(self, host: str, port: int) -> socket.socket:
        """Return a connected socket; raises ``OSError``."""


@contextlib.contextmanager
def _errors_name(proxy: Proxy) -> Iterator[None]:
    """Name the proxy in errors of the connection to it."""
    try:
        yield
    except ProxyError:
        raise
    except socket.gaierror as exc:
        raise ProxyError(proxy, f"the name cannot be resolved: {exc.strerror}") from None
    except TimeoutError:
        raise ProxyError(proxy, "timed out") from None
    except OSError as exc:
        raise ProxyError(proxy, os.strerror(exc.errno) if exc.errno else "connection failed") from None


def connect_through(proxy: Proxy, host: str, port: int, connect: Connect) -> socket.socket:
    """Connect to the proxy, and open a tunnel to a host and port; raises :class:`ProxyError`."""
    with _errors_name(proxy):
        sock = connect(proxy.host, proxy.port)
        try:
            _open_tunnel(sock, proxy, host, port)
        except BaseException:
            sock.close()
            raise
        return sock


def _open_tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.credentials is not None:
        encoded = base64.b64encode(proxy.credentials.reveal().encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {encoded}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    head = bytearray()
    # Byte by byte: what follows the head belongs to TLS.
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte or len(head) >= MAX_HEAD_BYTES:
            raise ProxyError(proxy, "closed the connection" if not byte else "the response is too long")
        head += byte
    match = re.match(rb"HTTP/1\.[01] (\d{3})[ \r]", head)
    if match is None:
        raise ProxyError(proxy, "the response is not HTTP; check proxy_url")
    status = int(match[1])
    if not 200 <= status < 300:
        meaning = _MEANINGS.get(status, "").format(target=target)
        raise ProxyError(proxy, f"HTTP {status}" + (f"; {meaning}" if meaning else ""))
