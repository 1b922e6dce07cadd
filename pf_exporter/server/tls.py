"""TLS contexts made of a configuration, replaced while the server runs, and client certificate names."""

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


def create_context(tls: TlsConfig) -> ssl.SSLContext:
    """A server's TLS context; raises :class:`ConfigError` that names the key OpenSSL cannot use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _LoggedHandshake
    context.minimum_version, context.maximum_version = tls.min_version, tls.max_version
    context.set_alpn_protocols(["http/1.1"])
    if not tls.prefer_server_ciphers:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    key = "cipher_suites"
    try:
        if tls.ciphers:
            context.set_ciphers(":".join(tls.ciphers))
        key = "curve_preferences"
        if tls.curve:
            context.set_ecdh_curve(tls.curve)
        key = "client_ca"
        if tls.client_ca:
            context.load_verify_locations(cadata=tls.client_ca)
        context.verify_mode = tls.client_auth
        key = "cert and key"
        _load_cert_chain(context, tls)
    except ssl.SSLError as exc:
        reason = _reason(exc) or "not in PEM form"
    except OSError as exc:
        reason = exc.strerror or str(exc)
    except ValueError:
        reason = "not in PEM form"
    else:
        return context
    # Raised outside of the handlers, so that no traceback leads to the key.
    raise ConfigError([f"tls_server_config: {key}: cannot be used: {reason}"])


def _load_cert_chain(context: ssl.SSLContext, tls: TlsConfig) -> None:
    # OpenSSL reads certificate and key only from a file; this one has no name and vanishes when closed.
    with tempfile.TemporaryFile() as file:
        file.write(f"{tls.cert}\n{tls.key.reveal()}\n".encode())
        file.seek(0)  # Also writes what is buffered.
        # Without a password OpenSSL would ask for that of an encrypted key on the terminal.
        context.load_cert_chain(f"/dev/fd/{file.fileno()}", password="")


def _reason(exc: ssl.SSLError) -> str:
    """OpenSSL's reason in lower case, such as ``certificate verify failed``; empty if it gives none."""
    return (getattr(exc, "reason", None) or "").lower().replace("_", " ")


class _LoggedHandshake(ssl.SSLObject):
    """Logs why a handshake failed; asyncio closes the connection silently."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as exc:
            reason = _reason(exc) or "unknown"
            log.warning_throttled(reason, "TLS handshake failed", reason=reason)
            raise


class ReloadableSSLContext(ssl.SSLContext):
    """A context that hands every new connection to the context in force.

    So certificates, authorities and versions change without a restart; a server name callback could replace
    the certificate only. Open connections stay as they are.
    """

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def delegating_to(cls, current: Callable[[], ssl.SSLContext]) -> ReloadableSSLContext:
        """A context that asks ``current`` for the context of each new connection."""
        context = cls(ssl.PROTOCOL_TLS_SERVER)
        context._current = current
        return context

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Called by asyncio for each connection."""
        return self._current().wrap_bio(*arguments, **options)


def _alternative_names(certificate: Any) -> frozenset[str]:
    """The subject alternative names (DNS, IP, e-mail, URI) of what ``getpeercert()`` returns."""
    return frozenset(
        str(ipaddress.ip_address(name.strip())) if kind == "IP Address" else name
        for kind, name in (certificate or {}).get("subjectAltName", ())
    )


def is_allowed(certificate: Any, sans: Collection[str]) -> bool:
    """Whether a verified client certificate has one of the names; without names, every certificate does."""
    return not sans or not _alternative_names(certificate).isdisjoint(sans)
