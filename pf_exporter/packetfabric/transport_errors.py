"""Exceptions of requests and urllib3 as errors of ours."""

from __future__ import annotations

import socket
import ssl

import requests
import urllib3

from pf_exporter.errors import ExporterError, Rejected, StreamBroken, StreamIdle, Unavailable

_CUT = (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)


def _cause(exc: BaseException) -> str:
    """Why a request failed, in words that hold nothing of its URL, headers or body."""
    seen: set[int] = set()
    pending: list[object] = [exc]
    timed_out = False
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {current.verify_message}"
        if isinstance(current, ssl.SSLError) and getattr(current, "reason", "") == "WRONG_VERSION_NUMBER":
            return "TLS failed: the server speaks none on this port; is it http, not https?"
        if isinstance(current, ssl.SSLError):
            return f"TLS failed: {getattr(current, 'reason', None) or 'the server ended the handshake'}"
        if isinstance(current, socket.gaierror):
            return f"the name cannot be resolved: {current.strerror}"
        timed_out = timed_out or isinstance(current, TimeoutError | urllib3.exceptions.TimeoutError)
        if isinstance(current, OSError) and current.errno is not None:
            return current.strerror or type(current).__name__
        pending += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
    if timed_out:
        return "timed out"
    return "cut off by the server" if isinstance(exc, _CUT) else type(exc).__name__


# requests' words for requests that cannot even be made: an unusable URL or header. For one of the answer's
# headers it has the same word, out of urllib3's.
_UNSENDABLE = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    urllib3.exceptions.LocationValueError,
)
FOREIGN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.HTTPWarning,
    urllib3.exceptions.ProxySchemeUnsupported,
    OSError,
)
"""Everything that requests and urllib3 raise."""


def translate(exc: BaseException, operation: str, *, streaming: bool = False) -> ExporterError:
    """What an exception of requests or urllib3 means to us, without a word of the request in it."""
    why = f"{operation}: {_cause(exc)}"
    if streaming:
        # urllib3 reports silence as a timeout of its own; requests never gets to see it.
        idle = isinstance(exc, urllib3.exceptions.ReadTimeoutError | TimeoutError)
        return StreamIdle(f"{operation}: nothing was received for too long") if idle else StreamBroken(why)
    if isinstance(exc, _UNSENDABLE) and not isinstance(exc.__context__, urllib3.exceptions.InvalidHeader):
        return Rejected(
            f"{operation}: the request cannot be made ({type(exc).__name__}); check api_url and the token"
        )
    return Unavailable(why)
