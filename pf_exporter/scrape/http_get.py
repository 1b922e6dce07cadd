"""One HTTP GET of a page of an exporter, with the standard library only."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from typing import NamedTuple


class Page(NamedTuple):
    """A response."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    """At most as many bytes as were asked for."""


def http_get(
    host: str,
    port: int,
    path: str,
    *,
    context: ssl.SSLContext | None,
    timeout: float,
    limit: int,
    headers: Mapping[str, str] | None = None,
) -> Page:
    """Request a page over a new connection, with TLS if there is a context; redirects are not followed.

    ``timeout`` is for the connection and each read, in seconds. Raises ``OSError``, which includes
    ``ssl.SSLError``, and ``http.client.HTTPException``.
    """
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    if context is not None:
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        body = response.read(limit)
        return Page(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
    finally:
        connection.close()


def failure_text(exc: OSError | http.client.HTTPException) -> str:
    """What went wrong, without a number and without the class."""
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
