"""``health``: the health of the running exporter, for a container's health check."""

from __future__ import annotations

import argparse
import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from pf_exporter.command_line import add_settings
from pf_exporter.config import load, reachable_address
from pf_exporter.http_get import failure_text, http_get
from pf_exporter.process import ExitCode, echo, echo_error
from pf_exporter.server import HEALTH_PATH, HEALTHY

TIMEOUT = 5.0
"""Seconds for the connection and for each read."""

BODY_LIMIT = 200
"""Bytes of an answer that are read."""

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


def _unverified_tls() -> ssl.SSLContext:
    # No certificate proves the name "this machine", and nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def probe(listen_address: str, *, tls: bool) -> str:
    """Ask the exporter on a listen address for its health; return what is wrong, or an empty text."""
    address = urlsplit(f"//{reachable_address(listen_address)}")
    host, port = address.hostname or "", address.port or 0
    context = _unverified_tls() if tls else None
    try:
        page = http_get(host, port, HEALTH_PATH, context=context, timeout=TIMEOUT, limit=BODY_LIMIT)
    except ssl.SSLError as exc:
        # A server that requires a client certificate is up: it sends an alert, or closes the connection.
        closed = isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        is_up = closed or "ALERT" in (exc.reason or "")
        return "" if is_up else f"TLS failed: {exc.reason or exc}; {_WRONG_CONFIGURATION}"
    except (BrokenPipeError, ConnectionResetError) as exc:
        # In TLS 1.3 the alert follows the handshake, and may be lost with the connection, which may close
        # before the request is sent.
        return "" if tls else f"{exc.strerror or exc}; {_WRONG_CONFIGURATION}"
    except (OSError, http.client.HTTPException) as exc:
        return f"{failure_text(exc)}; {_NOT_RUNNING}"
    body = page.body.decode(errors="replace").strip()
    # A server that requires a user is up, and shows nothing more without one.
    if page.status == http.HTTPStatus.UNAUTHORIZED or (page.status, body) == (200, HEALTHY):
        return ""
    hint = _NOT_AN_EXPORTER if page.status == http.HTTPStatus.OK else _SEE_LOG
    return f"HTTP {page.status}: {body}; {hint}"


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
