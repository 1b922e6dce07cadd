"""``health``: the health of the running exporter, for a container's health check."""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from pf_exporter.command_line import add_settings
from pf_exporter.config import load
from pf_exporter.http_get import failure_text, http_get
from pf_exporter.process import ExitCode, echo
from pf_exporter.web import HEALTH_PATH, HEALTHY

TIMEOUT = 5.0
"""Seconds for the connection and for each read."""

BODY_LIMIT = 200
"""Bytes of an answer that are read."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Ask the exporter on the listen addresses of this configuration whether it is healthy:\n"
        "exit code 0 if it is, 1 if not. For the HEALTHCHECK of a container."
    )
    add_settings(parser)


def _connect_host(listen_address: str) -> str:
    """The host to connect to: a server on the unspecified address also listens on loopback."""
    host = urlsplit(f"//{listen_address}").hostname or "127.0.0.1"
    try:
        unspecified = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host
    if not unspecified:
        return host
    return "::1" if ":" in host else "127.0.0.1"


def _unverified_tls() -> ssl.SSLContext:
    # No certificate proves the name "this machine", and nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def probe(listen_address: str, *, tls: bool) -> str:
    """Ask the exporter on a listen address for its health; return what is wrong, or an empty text."""
    host, port = _connect_host(listen_address), int(listen_address.rpartition(":")[2])
    context = _unverified_tls() if tls else None
    try:
        page = http_get(host, port, HEALTH_PATH, context=context, timeout=TIMEOUT, limit=BODY_LIMIT)
    except ssl.SSLError as exc:
        # A server that requires a client certificate is up: it sends an alert, or closes the connection.
        closed = isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        return "" if closed or "ALERT" in (exc.reason or "") else f"TLS failed: {exc.reason or exc}"
    except (BrokenPipeError, ConnectionResetError) as exc:
        # In TLS 1.3 the alert follows the handshake, and may be lost with the connection, which may close
        # before the request is sent.
        return "" if tls else exc.strerror or str(exc)
    except (OSError, http.client.HTTPException) as exc:
        return failure_text(exc)
    body = page.body.decode(errors="replace").strip()
    # A server that requires a user is up, and shows nothing more without one.
    if page.status == http.HTTPStatus.UNAUTHORIZED or (page.status, body) == (200, HEALTHY):
        return ""
    return f"HTTP {page.status}: {body}"


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
        echo(f"{address}: {problem or 'healthy'}")
        healthy = healthy and not problem
    return ExitCode.OK if healthy else ExitCode.FAILED
