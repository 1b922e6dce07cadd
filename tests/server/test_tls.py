"""TLS: which clients are accepted, and how that changes while the server runs."""

from __future__ import annotations

import gc
import ssl
import sys
import warnings
from collections.abc import Iterator
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from pf_exporter.log import Logger
from tests.server.authority import Authority
from tests.server.conftest import Serve, WebServer, connected, is_disconnected

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


def presented_certificate(server: WebServer, context: ssl.SSLContext) -> bytes:
    """The certificate the server presents now, in DER form."""
    connection = server.connection(context)
    connection.connect()
    try:
        assert isinstance(connection.sock, ssl.SSLSocket)
        certificate = connection.sock.getpeercert(binary_form=True)
        assert certificate is not None
        return certificate
    finally:
        connection.close()


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


def test_versions_and_cipher_suites_of_the_file(serve: Serve, authority: Authority) -> None:
    """The versions and cipher suites of the file are those negotiated."""
    only = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    server = serve(f"tls_server_config: {{{TLS}, max_version: TLS12, cipher_suites: [{only}]}}")
    connection = server.connection(authority.trusting())
    connection.connect()
    assert isinstance(connection.sock, ssl.SSLSocket)
    cipher = connection.sock.cipher()
    connection.close()
    assert cipher is not None
    assert cipher[:2] == ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2")


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
    if passes:
        assert server.get(context=context)[0] == 200
    else:
        with pytest.raises(REFUSED):
            server.get(context=context)


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


def test_handshake_timeout(serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that never finish the handshake do not delay others, and are disconnected."""
    monkeypatch.setattr("pf_exporter.server.listener.HANDSHAKE_TIMEOUT", 0.5)
    server = serve(f"tls_server_config: {{{TLS}}}")
    silent = [connected(server) for _ in range(50)]
    silent[0].sendall(b"\x16\x03\x01")  # the first bytes of a handshake
    assert server.get(context=authority.trusting())[0] == 200
    for client in silent:
        with client:
            assert is_disconnected(client)
