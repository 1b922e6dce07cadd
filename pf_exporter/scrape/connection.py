"""Connections to HTTP servers, with the standard library only."""

from __future__ import annotations

import http.client
import ssl


def open_connection(
    host: str, port: int | None, context: ssl.SSLContext | None, timeout: float
) -> http.client.HTTPConnection:
    """A connection that its first request opens, with TLS if there is a context.

    ``timeout`` is for the connection and each read, in seconds.
    """
    # Without a port, http.client would take the end of an IPv6 address for it.
    if context is None:
        return http.client.HTTPConnection(host, port or http.client.HTTP_PORT, timeout=timeout)
    return http.client.HTTPSConnection(host, port or http.client.HTTPS_PORT, timeout=timeout, context=context)


def failure_text(exc: OSError | http.client.HTTPException) -> str:
    """What went wrong, without a number and without the class."""
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
