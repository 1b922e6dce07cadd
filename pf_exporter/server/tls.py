"""TLS for the server: contexts made of a configuration, changed while it runs, and whom they let in."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Callable, Collection
from typing import Any

from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.server.web_config import TlsConfig

log = Logger(__name__)


def context(tls: TlsConfig) -> ssl.SSLContext:
    """A server's context; raises :class:`ConfigError` with the part that OpenSSL cannot use."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.sslobject_class = _Handshake
    made.minimum_version, made.maximum_version = tls.min_version, tls.max_version
    made.set_alpn_protocols(["http/1.1"])
    if not tls.prefer_server_ciphers:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    step = "cipher_suites"
    try:
        if tls.ciphers:
            made.set_ciphers(":".join(tls.ciphers))
        step = "curve_preferences"
        if tls.curve:
            made.set_ecdh_curve(tls.curve)
        step = "client_ca"
        if tls.client_ca:
            made.load_verify_locations(cadata=tls.client_ca)
        made.verify_mode = tls.client_auth
        step = "cert and key"
        _load(made, tls)
    except (OSError, ValueError) as exc:  # SSLError is an OSError
        said = exc.strerror if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) else None
        reason = (getattr(exc, "reason", None) or "").lower().replace("_", " ")
        why = said or reason or "not in PEM form"
    else:
        return made
    # Raised out here, where no traceback leads to the key.
    raise ConfigError([f"tls_server_config: {step}: cannot be used: {why}"])


def _load(made: ssl.SSLContext, tls: TlsConfig) -> None:
    # OpenSSL takes certificate and key only from a file; this one has no name, and is gone when closed.
    with tempfile.TemporaryFile() as file:
        file.write(f"{tls.cert}\n{tls.key.reveal()}\n".encode())
        file.flush()
        file.seek(0)
        # Without a password OpenSSL would ask the terminal for that of an encrypted key.
        made.load_cert_chain(f"/dev/fd/{file.fileno()}", password="")


class _Handshake(ssl.SSLObject):
    """Says in the log why a client did not get in; asyncio closes such a connection without a word."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as exc:
            reason = (exc.reason or "unknown").lower().replace("_", " ")
            log.warning_throttled(reason, "TLS handshake failed", reason=reason)
            raise


class ReloadableSSLContext(ssl.SSLContext):
    """A context that sends every new connection through the one that is current just then.

    So certificates, authorities and versions all change with no restart; a server name callback could
    exchange the certificate only. Connections that are open stay as they are.
    """

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def to(cls, current: Callable[[], ssl.SSLContext]) -> ReloadableSSLContext:
        """The turnstile to what ``current`` gives."""
        turnstile = cls(ssl.PROTOCOL_TLS_SERVER)
        turnstile._current = current
        return turnstile

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """What asyncio calls for each connection."""
        return self._current().wrap_bio(*arguments, **options)


def names(certificate: Any) -> frozenset[str]:
    """The subject alternative names in what ``getpeercert()`` gives: DNS, IP, e-mail and URI."""
    found = set()
    for kind, name in (certificate or {}).get("subjectAltName", ()):
        found.add(str(ipaddress.ip_address(name.strip())) if kind == "IP Address" else name)
    return frozenset(found)


def is_allowed(certificate: Any, sans: Collection[str]) -> bool:
    """Whether a client's certificate, verified already, has one of the names; any has if none are given."""
    return not sans or not names(certificate).isdisjoint(sans)
