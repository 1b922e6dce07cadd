"""TLS: which clients are accepted, and how that changes while the server runs."""

from __future__ import annotations

import contextlib
import gc
import ssl
import sys
import tempfile
import warnings
from collections.abc import Iterator
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.server.reloader import WebConfigReloader
from tests.conftest import until
from tests.server.authority import Authority
from tests.server.conftest import Serve, Timers, WebServer, connected, is_disconnected

TLS = "cert_file: server.pem, key_file: server.key"
MUTUAL = f"{TLS}, client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert"
REFUSED = (ssl.SSLError, RemoteDisconnected, ConnectionError)
"""What a refused client gets: with TLS 1.3 its certificate is verified after its handshake."""


# Python 3.10 does not close the transport of a failed handshake.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


@pytest.fixture(autouse=True)
def server_certificate(authority: Authority) -> Iterator[None]:
    authority.sign("server", "127.0.0.1", "::1", "localhost")
    yield
    if sys.version_info < (3, 11):
        gc.collect()


def mutual(more: str = "") -> str:
    return f"tls_server_config: {{{MUTUAL}{more}}}"


@contextlib.contextmanager
def connected_over_tls(server: WebServer, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """A new connection after its handshake."""
    connection = server.connection(context)
    connection.connect()
    try:
        assert isinstance(connection.sock, ssl.SSLSocket)
        yield connection.sock
    finally:
        connection.close()


def assert_served(server: WebServer, context: ssl.SSLContext, *, passes: bool) -> None:
    """A client gets a page, or else is refused in the handshake."""
    if passes:
        assert server.get(context=context)[0] == 200
    else:
        with pytest.raises(REFUSED):
            server.get(context=context)


def presented_certificate(server: WebServer, context: ssl.SSLContext) -> bytes:
    """The certificate the server presents now, in DER form."""
    with connected_over_tls(server, context) as sock:
        certificate = sock.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_https(serve: Serve, authority: Authority, host: str) -> None:
    """A client that trusts the authority gets the page, over IPv4 and IPv6."""
    server = serve(f"tls_server_config: {{{TLS}}}", host=host)
    assert server.get(context=authority.trusting())[::2] == (200, "hello")


def test_another_authority(serve: Serve, tmp_path: Path) -> None:
    """A client that trusts another authority does not trust the server."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        server.get(context=stranger.trusting())


def test_an_expired_certificate_is_not_trusted(serve: Serve, authority: Authority) -> None:
    """An expired certificate is served, so that it can be inspected, and clients refuse it."""
    authority.sign("server", "127.0.0.1", days=-1)
    server = serve(f"tls_server_config: {{{TLS}}}")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        server.get(context=authority.trusting())


def test_plain_http_on_a_tls_port(serve: Serve) -> None:
    """A client that speaks plain HTTP to a TLS port is disconnected."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        server.get()


@pytest.mark.parametrize(("version", "passes"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_versions(serve: Serve, authority: Authority, version: str, passes: bool) -> None:
    """TLS 1.2 and 1.3 are accepted, TLS 1.1 is not."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's of TLS 1.1
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if passes:
        assert server.get(context=context)[0] == 200
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            server.get(context=context)


AES128, AES256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.mark.parametrize(("prefer_server", "cipher"), [("true", AES128), ("false", AES256)])
def test_cipher_suites_of_the_file(
    serve: Serve, authority: Authority, prefer_server: str, cipher: str
) -> None:
    """The suite is the first of the file that the client supports, or the client's first of the file."""
    suites = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    server = serve(
        f"tls_server_config: {{{TLS}, max_version: TLS12, cipher_suites: [{suites}],"
        f" prefer_server_cipher_suites: {prefer_server}}}"
    )
    context = authority.trusting()
    context.set_ciphers(f"ECDHE-ECDSA-CHACHA20-POLY1305:{AES256}:{AES128}")
    with connected_over_tls(server, context) as sock:
        negotiated = sock.cipher()
    assert negotiated is not None
    assert negotiated[:2] == (cipher, "TLSv1.2")


@pytest.mark.parametrize(("curve", "passes"), [("secp384r1", True), ("prime256v1", False)])
def test_the_curve_of_the_file(serve: Serve, authority: Authority, curve: str, *, passes: bool) -> None:
    """Only clients that support the curve of the file are accepted."""
    server = serve(f"tls_server_config: {{{TLS}, curve_preferences: [CurveP384]}}")
    context = authority.trusting()
    context.set_ecdh_curve(curve)
    assert_served(server, context, passes=passes)


def test_http_2_is_not_offered(serve: Serve, authority: Authority) -> None:
    """A client that supports HTTP/2 and HTTP/1.1 learns in the handshake that HTTP/1.1 is spoken."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connected_over_tls(server, context) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"


def test_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem of the system is reported with its reason, and without a path."""
    (tmp_path / "web.yml").write_text(f"tls_server_config: {{{TLS}}}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match=r"cannot be used: No such file or directory$"):
        WebConfigReloader(str(tmp_path / "web.yml"))


def test_a_client_certificate_is_required(
    serve: Serve,
    authority: Authority,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No certificate, a foreign one and an expired one are refused and logged; a valid one is accepted."""
    # A logger that has not throttled these warnings yet.
    monkeypatch.setattr("pf_exporter.server.tls.log", Logger("pf_exporter.server.tls"))
    server = serve(mutual())
    (tmp_path / "other").mkdir()
    foreign = Authority(tmp_path / "other", "stranger").sign("client", "prometheus")
    expired = authority.sign("late", "prometheus", days=-1)
    for pair in ((), foreign, expired):
        with pytest.raises(REFUSED):
            server.get(context=authority.trusting(*pair))
    until(lambda: len(caplog.records) >= 2, "the log")
    reasons = [getattr(record, "fields", {}).get("reason") for record in caplog.records]
    assert reasons == ["peer did not return a certificate", "certificate verify failed"]
    good = authority.trusting(*authority.sign("client", "prometheus"))
    assert server.get(context=good)[0] == 200


@pytest.mark.parametrize(
    ("names", "passes"),
    [
        (["prometheus"], True),
        (["other", "10.1.2.3"], True),
        (["fd00::1"], True),
        (["scraper@example.org"], True),
        (["spiffe://example.org/prometheus"], True),
        (["prometheus.example.org"], False),
        (["10.1.2.30"], False),
        (["other"], False),
        ([], False),
    ],
)
def test_allowed_sans(serve: Serve, authority: Authority, names: list[str], passes: bool) -> None:
    """A client certificate must have one of the names exactly: DNS, IP, e-mail or URI."""
    allowed = "prometheus, 10.1.2.3, 'fd00::1', scraper@example.org, 'spiffe://example.org/prometheus'"
    server = serve(mutual(f", client_allowed_sans: [{allowed}]"))
    context = authority.trusting(*authority.sign("client", *names))
    assert_served(server, context, passes=passes)


def test_certificate_is_reloaded(serve: Serve, authority: Authority) -> None:
    """A certificate replaced on disk is presented to the next client; open connections stay open."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    before = presented_certificate(server, context)
    assert presented_certificate(server, context) == before
    connected = server.connection(context)
    connected.request("GET", "/metrics")
    connected.getresponse().read()
    authority.sign("server", "127.0.0.1")
    assert presented_certificate(server, context) != before
    connected.request("GET", "/metrics")
    assert connected.getresponse().read() == b"hello"
    connected.close()


def test_client_auth_is_reloaded(serve: Serve, authority: Authority) -> None:
    """Whether clients need a certificate changes with the file, too."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    assert server.get(context=authority.trusting())[0] == 200
    server.file.write_text(mutual())
    with pytest.raises(REFUSED):
        server.get(context=authority.trusting())
    good = authority.trusting(*authority.sign("client", "prometheus"))
    assert server.get(context=good)[0] == 200


def test_a_bad_certificate_keeps_the_old_one(
    serve: Serve, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """A new certificate whose key is not there yet is not used until the key is."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    before = presented_certificate(server, context)
    certificate, key = authority.sign("next", "127.0.0.1")
    (server.file.parent / "server.pem").write_bytes(certificate.read_bytes())
    assert presented_certificate(server, context) == before
    assert server.status.problems == (
        f"{server.file}: tls_server_config: cert and key: cannot be used: key values mismatch",
    )
    assert "web configuration not reloaded" in caplog.text
    (server.file.parent / "server.key").write_bytes(key.read_bytes())
    assert presented_certificate(server, context) != before
    assert not server.status.problems


def test_tls_is_not_turned_off(serve: Serve, authority: Authority) -> None:
    """A file that loses its TLS section leaves TLS on until a restart."""
    server = serve(f"tls_server_config: {{{TLS}}}")
    server.file.write_text("")
    assert server.get(context=authority.trusting())[0] == 200
    assert server.status.problems == (
        f"{server.file}: tls_server_config: only a restart turns TLS on or off",
    )


def test_handshake_timeout(
    serve: Serve, authority: Authority, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that never finish the handshake do not delay others, and are disconnected."""
    timeout = 1001  # No other timer has it.
    monkeypatch.setattr("pf_exporter.server.listener.HANDSHAKE_TIMEOUT", timeout)
    server = serve(f"tls_server_config: {{{TLS}}}")
    silent = [connected(server) for _ in range(50)]
    silent[0].sendall(b"\x16\x03\x01")  # the first bytes of a handshake
    assert server.get(context=authority.trusting())[0] == 200
    until(lambda: len(timers.active(timeout)) == len(silent), "their deadlines")
    timers.end(timeout)
    for client in silent:
        with client:
            assert is_disconnected(client)
