"""``health``: the health of the running exporter, for a container's health check."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from pf_exporter.command_line import add_settings
from pf_exporter.config import load, reachable_address
from pf_exporter.process import ExitCode, echo, echo_error
from pf_exporter.server import HEALTH_PATH, HEALTHY

if TYPE_CHECKING:
    import ssl  # Imported where it is used: the command runs every 30 seconds, and ssl doubles its memory.

TIMEOUT = 5.0
"""Seconds for the connection and for each read."""

HEAD_LIMIT, BODY_LIMIT = 4096, 200
"""Bytes of the head of a response, and of its body, that are read."""

OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404

_NOT_RUNNING = "check that the exporter runs, and listens on this address (--web.listen-address)"
_NOT_AN_EXPORTER = "another program listens on this address; change --web.listen-address"
_SEE_LOG = "see the log of the exporter"
_WRONG_CONFIGURATION = "check that --web.config.file is that of the running exporter"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Ask the exporter on the listen addresses of this configuration whether it is healthy:\n"
        "exit code 0 if it is, 1 if not. For the HEALTHCHECK of a container."
    )
    add_settings(parser)


class _UnusableError(ConnectionError):
    """The answer is not one of a server with this configuration."""


def _unverified_tls() -> ssl.SSLContext:
    import ssl

    # No certificate proves the name "this machine", and nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def get_health(connection: socket.socket, host: str) -> tuple[int, str]:
    """Request the health over a connection; return the status and the start of the body.

    HTTP/1.0 needs no more than this, and importing http.client takes as long as the rest of the command.
    """
    connection.sendall(f"GET {HEALTH_PATH} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    response = b""
    while len(response) < HEAD_LIMIT + BODY_LIMIT and (block := connection.recv(HEAD_LIMIT)):
        response += block
    if not response:
        raise ConnectionResetError("the server closed the connection")
    head, _, body = response.partition(b"\r\n\r\n")
    version, status, *_ = [*head.split(maxsplit=2), b"", b""]
    if not version.startswith(b"HTTP/") or not status.isdigit():
        raise _UnusableError("the response is not HTTP")
    return int(status), body[:BODY_LIMIT].decode(errors="replace").strip()


def _request(listen_address: str, *, tls: bool) -> tuple[int, str]:
    address = urlsplit(f"//{reachable_address(listen_address)}")
    host, port = address.hostname or "", address.port or 0
    # As text, the name would be encoded by the codec of IDNA, whose tables take a megabyte. It is ASCII.
    destination = cast(str, host.encode("ascii"))
    with socket.create_connection((destination, port), timeout=TIMEOUT) as connection:
        if not tls:
            return get_health(connection, host)
        with _unverified_tls().wrap_socket(connection, server_hostname=host) as encrypted:
            return get_health(encrypted, host)


def _request_tls(listen_address: str) -> tuple[int, str] | None:
    """As :func:`_request`, with TLS; None if the server is up, but requires a client certificate."""
    import ssl

    try:
        return _request(listen_address, tls=True)
    except ssl.SSLError as exc:
        # Such a server sends an alert, or closes the connection.
        if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "ALERT" in (exc.reason or ""):
            return None
        raise _UnusableError(f"TLS failed: {exc.reason or exc}") from None
    except (BrokenPipeError, ConnectionResetError):
        # In TLS 1.3 the alert follows the handshake, and may be lost with the connection, which may close
        # before the request is sent.
        return None


def probe(listen_address: str, *, tls: bool) -> str:
    """Ask the exporter on a listen address for its health; return what is wrong, or an empty text."""
    try:
        response = _request_tls(listen_address) if tls else _request(listen_address, tls=False)
    except (BrokenPipeError, ConnectionResetError, _UnusableError) as exc:
        return f"{exc.strerror or exc}; {_WRONG_CONFIGURATION}"
    except OSError as exc:
        return f"{exc.strerror or exc}; {_NOT_RUNNING}"
    # A server that requires a user is up, and shows nothing more without one.
    if response is None or response[0] == UNAUTHORIZED or response == (OK, HEALTHY):
        return ""
    status, body = response
    return f"HTTP {status}: {body}; {_NOT_AN_EXPORTER if status in (OK, NOT_FOUND) else _SEE_LOG}"


def _has_tls(web_config_file: str) -> bool:
    if not web_config_file:
        return False
    from pf_exporter.server import WebConfigReloader

    return WebConfigReloader(web_config_file).has_tls


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Ask every listen address; healthy if all are."""
    web = load(arguments, environ, need_account=False).web
    tls = _has_tls(web.config_file)
    healthy = True
    for address in web.listen_address:
        problem = probe(address, tls=tls)
        if problem:
            echo_error(f"{address}: {problem}")
        else:
            echo(f"{address}: healthy")
        healthy = healthy and not problem
    return ExitCode.OK if healthy else ExitCode.FAILED
