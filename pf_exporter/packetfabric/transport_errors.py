"""Exceptions of requests and urllib3, translated into errors of the exporter."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections import deque
from collections.abc import Iterator

import requests
import urllib3

from pf_exporter.errors import (
    ApiError,
    CertificateNotTrusted,
    Rejected,
    StreamBroken,
    StreamError,
    StreamIdle,
    Unavailable,
)

FOREIGN = (
    http.client.HTTPException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.HTTPWarning,
    urllib3.exceptions.ProxySchemeUnsupported,
    OSError,
)
"""Everything that http.client, requests and urllib3 raise."""

IDLE_MESSAGE = "no data within the idle timeout"

_TIMEOUTS = (TimeoutError, urllib3.exceptions.TimeoutError)
_CONNECTION_LOST = (
    http.client.HTTPException,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.ProtocolError,
)
# Requests that cannot even be sent, because the URL or a header is unusable.
_UNSENDABLE = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    urllib3.exceptions.LocationValueError,
)


def _nested(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all exceptions that it wraps or is chained to, each once, nearest first."""
    seen: set[int] = set()
    pending: deque[object] = deque([exc])
    while pending:
        current = pending.popleft()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            reason = getattr(current, "reason", None)
            pending.extend((*current.args, reason, current.__cause__, current.__context__))


def _describe(exc: BaseException) -> str | None:
    """Return what an operating system or TLS error means to a user; None for other exceptions."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        reason = getattr(exc, "reason", None)
        if reason == "WRONG_VERSION_NUMBER":
            return "TLS failed: the server does not speak TLS on this port; is it http instead of https?"
        return f"TLS failed: {reason or 'the server ended the handshake'}"
    if isinstance(exc, socket.gaierror):
        return f"the name cannot be resolved: {exc.strerror}"
    if isinstance(exc, OSError) and exc.errno is not None:
        return exc.strerror or os.strerror(exc.errno)
    return None


def failure_cause(exc: BaseException) -> str:
    """Return why a request failed, without a word of its URL, headers or body."""
    nested = list(_nested(exc))
    for description in map(_describe, nested):
        if description is not None:
            return description
    if any(isinstance(inner, _TIMEOUTS) for inner in nested):
        return "timed out"
    return (
        "connection closed by the server"
        if isinstance(exc, _CONNECTION_LOST)
        else "the connection failed, or the response is not HTTP"
    )


def unavailable(exc: BaseException, operation: str, server: str) -> ApiError:
    """Translate an exception of a request to ``server`` (HOST:PORT); nothing of the request is quoted."""
    # requests raises InvalidHeader for a header of the response, too: then the one of urllib3 is its context.
    is_of_response = isinstance(exc.__context__, urllib3.exceptions.InvalidHeader)
    if isinstance(exc, _UNSENDABLE) and not is_of_response:
        return Rejected(
            f"{operation}: {server}: the request cannot be sent: the URL is not valid, or the token contains"
            " characters that are not printable"
        )
    message = f"{operation}: {server}: {failure_cause(exc)}"
    if any(isinstance(inner, ssl.SSLCertVerificationError) for inner in _nested(exc)):
        return CertificateNotTrusted(message)
    return Unavailable(message)


def stream_error(exc: BaseException, subject: str) -> StreamError:
    """Translate an exception of an open stream; ``subject`` is the operation and the server."""
    # urllib3 raises its own timeout for a read; requests does not translate it.
    if isinstance(exc, urllib3.exceptions.ReadTimeoutError | TimeoutError):
        return StreamIdle(f"{subject}: {IDLE_MESSAGE}")
    return StreamBroken(f"{subject}: {failure_cause(exc)}")
