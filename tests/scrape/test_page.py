"""Pages of an exporter, fetched over HTTP and HTTPS."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from pf_exporter.config.secrets import SecretFile
from pf_exporter.errors import ApiError, ConfigError
from pf_exporter.scrape.page import fetch_page
from pf_exporter.scrape.target import ScrapeTarget
from tests.fakes import dead_url
from tests.server.authority import Authority
from tests.server.conftest import Serve, authority, hashed, serve

__all__ = ["authority", "serve"]


def fetched(url: str, **target: object) -> str:
    """The text of a page."""
    scrape = ScrapeTarget(url, **target)  # type: ignore[arg-type]
    return fetch_page(scrape, scrape.path, scrape.context()).text


def refused(url: str, **target: object) -> str:
    """The line for a page that cannot be scraped."""
    with pytest.raises((ApiError, ConfigError)) as caught:
        fetched(url, **target)
    return str(caught.value)


@pytest.mark.parametrize(
    ("app", "line"),
    [
        (PlainTextResponse("no", status_code=404), "HTTP 404: not the page of metrics; check the URL"),
        (PlainTextResponse("no", status_code=503), "HTTP 503: the exporter cannot answer now"),
        (PlainTextResponse("no", status_code=403), "HTTP 403: access is refused"),
        (RedirectResponse("/elsewhere"), "HTTP 307: not the page of metrics; check the URL"),
        (Response(b"\xff"), "the page is not UTF-8 text"),
        (Response(b"x", headers={"Content-Encoding": "gzip"}), "damaged gzip data"),
    ],
)
def test_pages_that_are_none(serve: Serve, app: Response, line: str) -> None:
    """A page that cannot be used is one line: where, what, what to do."""
    url = f"http://{serve(app=app).address}/metrics"
    assert refused(url).startswith(f"{url}: {line}")


def test_an_exporter_that_does_not_run() -> None:
    """A refused connection is one line."""
    url = dead_url()
    assert refused(url) == f"{url}/metrics: Connection refused; is the exporter running?"


def test_compressed_pages(serve: Serve) -> None:
    """A compressed page is decompressed."""
    zipped = Response(gzip.compress(b"up 1\n"), headers={"Content-Encoding": "gzip"})
    assert fetched(f"http://{serve(app=zipped).address}") == "up 1\n"


def test_tls_and_user(serve: Serve, authority: Authority, tmp_path: Path) -> None:
    """With the CA, the user and the password file the page is read; each wrong one is one line."""
    authority.sign("server", "127.0.0.1")
    tls = "tls_server_config: {cert_file: server.pem, key_file: server.key}"
    site = serve(f"{tls}\nbasic_auth_users: {{ada: '{hashed('secret')}'}}\n", app=PlainTextResponse("up 1\n"))
    url = f"https://{site.address}/metrics"
    file = tmp_path / "password"
    file.write_text("secret\n")
    password, ca_file = SecretFile(str(file), "--password-file"), str(authority.path)
    good = {"user": "ada", "password": password, "ca_file": ca_file}
    assert fetched(url, **good) == "up 1\n"
    assert refused(url, ca_file=ca_file).endswith("HTTP 401: it requires --user and --password-file")
    assert "the certificate is not trusted" in refused(url)
    assert refused(url.replace("https", "http")).endswith(
        "the server closed the connection; does it require https, or a client certificate?"
    )
    file.write_text("wrong\n")
    assert refused(url, **good).endswith("HTTP 401: check --user and --password-file")
    file.unlink()
    assert refused(url, **good).startswith("--password-file: the file cannot be read")
    assert refused(url, ca_file=str(tmp_path / "web.yml")).endswith(
        "web.yml: it contains no certificate (PEM)"
    )
    assert refused(url, ca_file=str(tmp_path / "none")).endswith("none: No such file or directory")
