"""``pf-exporter health`` against servers in every state."""

from __future__ import annotations

import gc
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from pf_exporter.cli import main
from pf_exporter.server import HEALTHY
from tests.fakes import dead_url
from tests.server.authority import Authority
from tests.server.conftest import Serve, hashed

# Python 3.10 does not close the transport of a failed handshake.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


@pytest.fixture(autouse=True)
def collect_transports() -> Iterator[None]:
    yield
    if sys.version_info < (3, 11):
        gc.collect()


HEALTHY_PAGE = PlainTextResponse(f"{HEALTHY}\n")


def health(address: str, file: Path | None = None) -> int:
    flags = [f"--web.listen-address={address}"]
    return main(["health", *flags, *([f"--web.config.file={file}"] if file else [])])


def printed_error(capfd: pytest.CaptureFixture[str]) -> str:
    """The only line of the output, without the name of the program."""
    out, error = capfd.readouterr()
    assert out == ""
    (line,) = error.splitlines()
    assert line.startswith("pf-exporter: ")
    return line.removeprefix("pf-exporter: ")


def test_healthy(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    """A healthy exporter is exit code 0; the check needs no account."""
    site = serve(app=HEALTHY_PAGE)
    assert health(site.address) == 0
    assert capsys.readouterr().out == f"{site.address}: healthy\n"


@pytest.mark.parametrize(
    ("host", "listening"), [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")]
)
def test_an_unspecified_address_is_checked_on_loopback(serve: Serve, host: str, listening: str) -> None:
    """An exporter that listens on every address is asked on loopback."""
    port = serve(app=HEALTHY_PAGE, host=listening).address.rpartition(":")[2]
    assert health(f"{host}:{port}") == 0


def test_a_flag_may_stand_before_the_command(serve: Serve) -> None:
    """A setting before the command counts like one after it."""
    assert main([f"--web.listen-address={serve(app=HEALTHY_PAGE).address}", "health"]) == 0


def test_a_server_that_does_not_speak_http(capfd: pytest.CaptureFixture[str]) -> None:
    """A server of another protocol is not a healthy exporter."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)  # A close with unread bytes would reset the connection.
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        assert health(address) == 1
        thread.join()
    assert printed_error(capfd).startswith(f"{address}: the response is not HTTP; check that --web.config")


@pytest.mark.parametrize(("status", "body"), [(200, "Prometheus Server is Healthy."), (404, "Not Found")])
def test_another_program(serve: Serve, capfd: pytest.CaptureFixture[str], status: int, body: str) -> None:
    """Another healthy program on the port, such as Prometheus, is not a healthy exporter."""
    site = serve(app=PlainTextResponse(body, status))
    assert health(site.address) == 1
    problem = f"HTTP {status}: {body}; another program listens on this address"
    assert printed_error(capfd) == f"{site.address}: {problem}; change --web.listen-address"


def test_unhealthy(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    """An unhealthy exporter is exit code 1; the line repeats its answer."""
    site = serve(app=PlainTextResponse("a thread has died\n", status_code=503))
    assert health(site.address) == 1
    assert printed_error(capfd) == f"{site.address}: HTTP 503: a thread has died; see the log of the exporter"


def test_no_server(capfd: pytest.CaptureFixture[str]) -> None:
    """A port without a server is exit code 1, with the reason."""
    address = dead_url().removeprefix("http://")
    assert health(address) == 1
    assert printed_error(capfd).startswith(
        f"{address}: Connection refused; check that the exporter runs, and"
    )


def test_a_server_that_requires_a_user(serve: Serve, authority: Authority) -> None:
    """A server with TLS that requires a user is healthy: the command has no password to send."""
    authority.sign("server", "127.0.0.1")
    tls = "tls_server_config: {cert_file: server.pem, key_file: server.key}"
    site = serve(f"{tls}\nbasic_auth_users: {{ada: '{hashed('secret')}'}}\n")
    assert health(site.address, site.file) == 0


@pytest.mark.parametrize("version", ["TLS12", "TLS13"])
def test_a_server_that_requires_a_client_certificate(
    serve: Serve, authority: Authority, version: str
) -> None:
    """A server that requires a client certificate is healthy, in both versions of TLS."""
    authority.sign("server", "127.0.0.1")
    tls = f"cert_file: server.pem, key_file: server.key, client_ca_file: {authority.path.name}"
    more = f"client_auth_type: RequireAndVerifyClientCert, max_version: {version}"
    site = serve(f"tls_server_config: {{{tls}, {more}}}")
    assert health(site.address, site.file) == 0


ENDED = [BrokenPipeError, ConnectionResetError]
"""How a connection ends that the server closes while the request is sent."""


def failing(monkeypatch: pytest.MonkeyPatch, error: type[OSError]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("lost")

    monkeypatch.setattr("pf_exporter.commands.health.get_health", fail)


@pytest.mark.parametrize("error", [*ENDED, ssl.SSLEOFError, ssl.SSLZeroReturnError])
def test_a_connection_that_ends_without_an_alert(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """With TLS a server that wants a certificate is healthy however it ends the connection."""
    authority.sign("server", "127.0.0.1")
    site = serve("tls_server_config: {cert_file: server.pem, key_file: server.key}")
    failing(monkeypatch, error)
    assert health(site.address, site.file) == 0


@pytest.mark.parametrize("error", ENDED)
def test_a_connection_that_ends_without_tls(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: type[OSError]
) -> None:
    """Without TLS a server that ends the connection is not healthy."""
    site = serve()
    failing(monkeypatch, error)
    assert health(site.address) == 1
    assert printed_error(capfd).startswith(f"{site.address}: lost; check that --web.config.file is that of")


def test_a_server_without_tls(serve: Serve, authority: Authority, tmp_path: Path) -> None:
    """A server without TLS is not healthy if the configuration has TLS."""
    authority.sign("server", "127.0.0.1")
    site = serve()
    file = tmp_path / "tls.yml"
    file.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}")
    assert health(site.address, file) == 1


def test_bad_configuration(capfd: pytest.CaptureFixture[str]) -> None:
    """A setting that cannot be used is exit code 2."""
    assert main(["health", "--series.ttl=soon"]) == 2
    assert "--series.ttl" in capfd.readouterr().err
