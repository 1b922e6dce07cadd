"""``health``: whether the exporter on this machine is well, for a container's health check."""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from pf_exporter.commands import common
from pf_exporter.commands.common import DIED, OK, Commands, echo
from pf_exporter.config import load
from pf_exporter.server import WebConfigReloader
from pf_exporter.web import HEALTHY

TIMEOUT = 5.0
"""Seconds for the connection and for the answer."""
PATH = "/-/healthy"


def _host(listen_address: str) -> str:
    """Where to ask whoever listens on an address: every address includes the loopback one."""
    host = urlsplit(f"//{listen_address}").hostname or "127.0.0.1"
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host
    return ("::1" if ":" in host else "127.0.0.1") if everywhere else host


def probe(listen_address: str, *, tls: bool) -> str:
    """What is wrong with the exporter that listens there, or nothing."""
    host, port = _host(listen_address), int(listen_address.rpartition(":")[2])
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    if tls:
        # It is this machine that is asked, by whatever name: there is no name that a certificate could prove.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        said = answer.read(200).decode(errors="replace").strip()
    except ssl.SSLError as exc:
        # Whoever wants a certificate of us is there: it sends an alert, or ends the connection.
        closed = isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
        return "" if closed or "ALERT" in (exc.reason or "") else f"TLS failed: {exc.reason or exc}"
    except (BrokenPipeError, ConnectionResetError) as exc:
        # With TLS 1.3 the alert comes after the handshake, and may be lost with the connection, which may end
        # before the request is sent.
        return "" if tls else exc.strerror or str(exc)
    except (OSError, http.client.HTTPException) as exc:
        return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    finally:
        connection.close()
    # Whoever asks for a user is there, and says no more without one.
    well = answer.status == 401 or (answer.status, said) == (200, HEALTHY)
    return "" if well else f"HTTP {answer.status}: {said}"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Ask every listen address; healthy if all are."""
    web = load(arguments, environ, need_account=False).web
    tls = WebConfigReloader(web.config_file).has_tls
    well = True
    for address in web.listen_address:
        wrong = probe(address, tls=tls)
        echo(f"{address}: {wrong or 'healthy'}")
        well = well and not wrong
    return OK if well else DIED


def add(commands: Commands) -> None:
    """Describe the command."""
    common.add(
        commands,
        "health",
        run,
        help="ask the exporter on this machine whether it is well",
        description="Ask the exporter that listens where this configuration says whether it is well:\n"
        "exit code 0 if it is, 1 if not. For a container's HEALTHCHECK.",
        settings=True,
    )
