"""TLS: who gets through, who does not, and how that changes while the server runs."""

from __future__ import annotations

import gc
import socket
import ssl
import sys
import warnings
from collections.abc import Iterator
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from pf_exporter.log import Logger
from tests.server.authority import Authority
from tests.server.conftest import Serve, Site, is_cut_off

TLS = "cert_file: server.pem, key_file: server.key"
MUTUAL = f"{TLS}, client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert"
REFUSED = (ssl.SSLError, RemoteDisconnected, ConnectionError)
"""How a client meets a refusal: TLS 1.3 tells it of its certificate only after the handshake."""


# Python 3.10 forgets to close what is left of a handshake that failed.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


@pytest.fixture(autouse=True)
def server_certificate(authority: Authority) -> Iterator[None]:
    authority.sign("server", "127.0.0.1", "::1", "localhost")
    yield
    if sys.version_info < (3, 11):
        gc.collect()


def mutual(more: str = "") -> str:
    return f"tls_server_config: {{{MUTUAL}{more}}}"


def served(site: Site, context: ssl.SSLContext) -> bytes:
    """The certificate the server shows now, in DER form."""
    connection = site.connection(context)
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
    site = serve(f"tls_server_config: {{{TLS}}}", host=host)
    assert site.get(context=authority.trusting())[::2] == (200, "hello")


def test_the_wrong_authority(serve: Serve, tmp_path: Path) -> None:
    """A client that trusts another authority does not trust the server; the server lives on."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        site.get(context=stranger.trusting())


def test_an_expired_certificate_is_not_trusted(serve: Serve, authority: Authority) -> None:
    """An expired certificate is served, so that it can be seen, and no client takes it."""
    authority.sign("server", "127.0.0.1", days=-1)
    site = serve(f"tls_server_config: {{{TLS}}}")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        site.get(context=authority.trusting())


def test_plain_http_to_tls(serve: Serve) -> None:
    """Who speaks HTTP where TLS is wanted gets nothing."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        site.get()


@pytest.mark.parametrize(("version", "passes"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_versions(serve: Serve, authority: Authority, version: str, passes: bool) -> None:
    """TLS 1.2 and 1.3 are spoken, TLS 1.1 is not."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's of TLS 1.1
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if passes:
        assert site.get(context=context)[0] == 200
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            site.get(context=context)


def test_min_version_and_ciphers_are_obeyed(serve: Serve, authority: Authority) -> None:
    """What the file says of versions and cipher suites is what is negotiated."""
    only = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    site = serve(f"tls_server_config: {{{TLS}, max_version: TLS12, cipher_suites: [{only}]}}")
    connection = site.connection(authority.trusting())
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
    """Without one, with a foreign or an expired one nobody gets in; with a good one a client does."""
    monkeypatch.setattr(
        "pf_exporter.server.tls.log", Logger("pf_exporter.server.tls")
    )  # that has not spoken yet
    site = serve(mutual())
    (tmp_path / "other").mkdir()
    foreign = Authority(tmp_path / "other", "stranger").sign("client", "prometheus")
    expired = authority.sign("late", "prometheus", days=-1)
    for pair in ((), foreign, expired):
        with pytest.raises(REFUSED):
            site.get(context=authority.trusting(*pair))
    reasons = [getattr(record, "fields", {}).get("reason") for record in caplog.records]
    assert reasons == ["peer did not return a certificate", "certificate verify failed"]
    good = authority.trusting(*authority.sign("client", "prometheus"))
    assert site.get(context=good)[0] == 200


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
    """A client's certificate must have one of the names, to the letter: DNS, IP, e-mail or URI."""
    allowed = "prometheus, 10.1.2.3, 'fd00::1', scraper@example.org, 'spiffe://example.org/prometheus'"
    site = serve(mutual(f", client_allowed_sans: [{allowed}]"))
    context = authority.trusting(*authority.sign("client", *names))
    if passes:
        assert site.get(context=context)[0] == 200
    else:
        with pytest.raises(REFUSED):
            site.get(context=context)


def test_certificates_rotate(serve: Serve, authority: Authority) -> None:
    """A certificate replaced on disk is shown to the next client; who is connected stays connected."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    before = served(site, context)
    assert served(site, context) == before
    connected = site.connection(context)
    connected.request("GET", "/metrics")
    connected.getresponse().read()
    authority.sign("server", "127.0.0.1")
    assert served(site, context) != before
    connected.request("GET", "/metrics")
    assert connected.getresponse().read() == b"hello"
    connected.close()


def test_client_rules_rotate(serve: Serve, authority: Authority) -> None:
    """Whether clients need a certificate changes with the file too, not the server's certificate alone."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    assert site.get(context=authority.trusting())[0] == 200
    site.file.write_text(mutual())
    with pytest.raises(REFUSED):
        site.get(context=authority.trusting())
    good = authority.trusting(*authority.sign("client", "prometheus"))
    assert site.get(context=good)[0] == 200


def test_a_bad_certificate_keeps_the_old_one(
    serve: Serve, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a rotation (a certificate whose key is not there yet) changes nothing until it is whole."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    context = authority.trusting()
    before = served(site, context)
    certificate, key = authority.sign("next", "127.0.0.1")
    (site.file.parent / "server.pem").write_bytes(certificate.read_bytes())
    assert served(site, context) == before
    assert site.policy.reading.problems == (
        f"{site.file}: tls_server_config: cert and key: cannot be used: key values mismatch",
    )
    assert "web configuration not read anew" in caplog.text
    (site.file.parent / "server.key").write_bytes(key.read_bytes())
    assert served(site, context) != before
    assert not site.policy.reading.problems


def test_tls_is_not_switched_off_by_accident(serve: Serve, authority: Authority) -> None:
    """A file that loses its TLS section, or is emptied, leaves TLS as it was."""
    site = serve(f"tls_server_config: {{{TLS}}}")
    site.file.write_text("")
    assert site.get(context=authority.trusting())[0] == 200
    assert site.policy.reading.problems == (
        f"{site.file}: tls_server_config: only a restart turns TLS on or off",
    )


def test_silence_in_the_handshake(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that connect and never shake hands block nobody, and are cut off."""
    monkeypatch.setattr("pf_exporter.server.server.HANDSHAKE_WITHIN", 0.5)
    site = serve(f"tls_server_config: {{{TLS}}}")
    host, port = site.address.rsplit(":", 1)
    silent = [socket.create_connection((host, int(port)), timeout=10) for _ in range(50)]
    silent[0].sendall(b"\x16\x03\x01")  # the first bytes of a handshake
    assert site.get(context=authority.trusting())[0] == 200
    for one in silent:
        with one:
            assert is_cut_off(one)
