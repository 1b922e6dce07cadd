"""Exceptions of requests and urllib3: what they become, and what they never quote."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest
import requests.exceptions
import urllib3.exceptions

from pf_exporter.errors import (
    CertificateNotTrusted,
    ExporterError,
    Rejected,
    StreamBroken,
    StreamIdle,
    Unavailable,
)
from pf_exporter.packetfabric.transport_errors import FOREIGN, stream_error, unavailable
from tests.packetfabric.harness import CANARY


def foreign() -> list[type[BaseException]]:
    found = [*vars(requests.exceptions).values(), *vars(urllib3.exceptions).values()]
    return sorted(
        {
            cls
            for cls in found
            if isinstance(cls, type)
            and issubclass(cls, BaseException)
            and cls.__module__.startswith(("requests", "urllib3"))
        },
        key=str,
    )


def test_exceptions_are_found() -> None:
    """The search below finds the exceptions of both libraries."""
    assert {requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError} <= set(foreign())
    assert len(foreign()) > 50


@pytest.mark.parametrize("cls", foreign(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_exception_is_translated(cls: type[BaseException]) -> None:
    """Each exception of requests and urllib3 is caught and becomes an error that quotes nothing of it."""
    exc = cls.__new__(cls)
    exc.args = (f"https://user:{CANARY}@host/?q={CANARY}", {"Authorization": CANARY}, CANARY.encode())
    assert isinstance(exc, FOREIGN) or issubclass(cls, Warning)
    whole, streaming = unavailable(exc, "login", "api:443"), stream_error(exc, "stream")
    assert isinstance(whole, Rejected | Unavailable)
    assert isinstance(streaming, StreamBroken | StreamIdle)
    assert str(whole).startswith("login: ")
    for error in (whole, streaming):
        assert CANARY not in f"{error} {error!r}"
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("exc", "message"),
    [
        (ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)), "Connection reset by peer"),
        (socket.gaierror(socket.EAI_NONAME, "Name unknown"), "the name cannot be resolved: Name unknown"),
        (ssl.SSLError("x"), "TLS failed: the server ended the handshake"),
        (TimeoutError("timed out"), "timed out"),
        (OSError(CANARY), "the connection failed, or the response is not HTTP"),
    ],
)
def test_nested_cause(exc: BaseException, message: str) -> None:
    """The cause is found in any nesting, loops included."""
    inner = urllib3.exceptions.ProtocolError(CANARY, exc)
    outer = requests.exceptions.ConnectionError(inner)
    inner.__context__ = outer
    chained = requests.exceptions.ConnectionError(CANARY)
    chained.__cause__ = exc
    assert str(unavailable(exc, "login", "api:443")) == f"login: api:443: {message}"
    if not message.startswith("the connection failed"):
        assert (
            str(unavailable(outer, "login", "api:443"))
            == str(unavailable(chained, "login", "api:443"))
            == f"login: api:443: {message}"
        )


def tls_error(reason: str | None) -> ssl.SSLError:
    exc = ssl.SSLError(1, CANARY)
    exc.reason = reason  # type: ignore[assignment]
    return exc


def certificate_error() -> ssl.SSLCertVerificationError:
    exc = ssl.SSLCertVerificationError(1, CANARY)
    exc.verify_message = "certificate has expired"
    return exc


def unsendable(context: BaseException | None) -> requests.exceptions.InvalidHeader:
    exc = requests.exceptions.InvalidHeader(CANARY)
    exc.__context__ = context
    return exc


UNTRUSTED = "the server's certificate is not trusted: certificate has expired"
NO_TLS = "TLS failed: the server does not speak TLS on this port; is it http instead of https?"
NOT_SENT = "the request cannot be sent: the URL is not valid, or the token contains characters"
NOT_HTTP = "the connection failed, or the response is not HTTP"


@pytest.mark.parametrize(
    ("exc", "error", "message"),
    [
        (certificate_error(), CertificateNotTrusted, UNTRUSTED),
        (requests.exceptions.SSLError(certificate_error()), CertificateNotTrusted, UNTRUSTED),
        (tls_error("WRONG_VERSION_NUMBER"), Unavailable, NO_TLS),
        (tls_error("BAD_RECORD"), Unavailable, "TLS failed: BAD_RECORD"),
        (tls_error(None), Unavailable, "TLS failed: the server ended the handshake"),
        (OSError(errno.ECONNRESET, "proxy p: HTTP 407"), Unavailable, "proxy p: HTTP 407"),
        (OSError(errno.ECONNRESET, None), Unavailable, os.strerror(errno.ECONNRESET)),
        (unsendable(None), Rejected, NOT_SENT),
        (unsendable(urllib3.exceptions.InvalidHeader(CANARY)), Unavailable, NOT_HTTP),
    ],
)
def test_message(exc: BaseException, error: type[ExporterError], message: str) -> None:
    """Each kind of failure has its own error and text."""
    translated = unavailable(exc, "login", "api:443")
    assert type(translated) is error
    assert str(translated).startswith(f"login: api:443: {message}")


@pytest.mark.parametrize(
    ("exc", "error", "message"),
    [
        (TimeoutError(CANARY), StreamIdle, "no data within the idle timeout"),
        (
            urllib3.exceptions.ReadTimeoutError(None, CANARY, CANARY),  # type: ignore[arg-type]
            StreamIdle,
            "no data within the idle timeout",
        ),
        (urllib3.exceptions.ProtocolError(CANARY), StreamBroken, "connection closed by the server"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), StreamBroken, "reset"),
    ],
)
def test_end_of_a_stream(exc: BaseException, error: type[ExporterError], message: str) -> None:
    """Silence differs from a broken connection."""
    translated = stream_error(exc, "stream: api:443")
    assert (type(translated), str(translated)) == (error, f"stream: api:443: {message}")
