"""The endpoints of remote write: one or a list, groups of keys, and combinations that do not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from pf_exporter.config import RemoteWriteSettings, find_endpoint_proxy
from pf_exporter.config.proxy import parse_proxy_url
from pf_exporter.config.secrets import Secret
from tests.config.helpers import CANARY, TOKEN, load_text, problems_of

URL = "http://127.0.0.1:9090/api/v1/write"


def test_off_by_default(tmp_path: Path) -> None:
    """Without a URL there is no endpoint, whatever else is set."""
    assert load_text(tmp_path, "").endpoints == ()
    assert load_text(tmp_path, "remote_write: {username: a}").endpoints == ()
    assert load_text(tmp_path, "remote_write: []").endpoints == ()


def test_one_endpoint_by_flags_and_environment(tmp_path: Path) -> None:
    """Flags and variables describe one endpoint."""
    environ = {**TOKEN, "PF_EXPORTER_REMOTE_WRITE_SPOOL_PATH": "/spool"}
    config = load_text(tmp_path, "", f"--remote-write.url={URL}", "--remote-write.send=own", environ=environ)
    assert config.endpoints == (RemoteWriteSettings(url=URL, spool_path="/spool", send=("own",)),)


def test_list(tmp_path: Path) -> None:
    """A list in the file has any number of endpoints; flags are then ignored with a warning."""
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / "secret").chmod(0o600)
    text = f"""
remote_write:
  - {{url: "{URL}", queue: {{bytes: 1MiB}}, headers: {{X-Scope-OrgID: a}}}}
  - {{name: b, url: "{URL}", authorization: {{credentials_file: secret}}, spool: {{path: spool}}}}
"""
    config = load_text(tmp_path, text, "--remote-write.name=c")
    assert config.endpoints == (
        RemoteWriteSettings(url=URL, queue_bytes=1 << 20, headers=(("X-Scope-OrgID", "a"),)),
        RemoteWriteSettings(
            name="b",
            url=URL,
            bearer_token_file=str(tmp_path / "secret"),
            spool_path=str(tmp_path / "spool"),
        ),
    )
    assert config.warnings == (
        f"--remote-write.name: ignored, because {tmp_path / 'pf.yml'} lists endpoints",
    )


def test_clear_text(tmp_path: Path) -> None:
    """Credentials over http to another machine cause a warning."""
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    secret.chmod(0o604)
    text = f"remote_write: [{{url: 'http://mimir/', authorization: {{credentials_file: {secret}}}}}]"
    first, second = load_text(tmp_path, text).warnings
    assert "remote_write[0].url: http sends the credentials in clear text; use https" in first
    assert "the file is world-readable; run chmod o-r on it" in second


PROBLEMS = {
    "[{name: a}]": "remote_write[0].url: missing; set it to the URL of a receiver",
    "[{url: 'http://a..b/'}]": "remote_write[0].url: expected a URL,"
    " such as https://prometheus.example.com/api/v1/write",
    "[{url: mimir}]": "remote_write[0].url: expected a URL,"
    " such as https://prometheus.example.com/api/v1/write",
    "[{url: 'http://u:p@a/'}]": "remote_write[0].url: expected a URL without user, password or fragment",
    "[{url: 'http://a/'}, {url: 'http://b/'}]": "remote_write[1].name: duplicate name;"
    " give each endpoint its own",
    "[{url: 'http://a/', spool: {path: s}}, "
    "{name: b, url: 'http://b/', spool: {path: s}}]": "remote_write[1].spool_path: duplicate"
    " path; give each endpoint its own",
    "[{url: 'http://a/', basic_auth: {username: u}}]": "remote_write[0].username: needs password_file too",
    "[{url: 'http://a/', tls: {cert_file: pf.yml}}]": "remote_write[0].cert_file: needs key_file too",
    "[{url: 'http://a/', tls: {ca_fil: x}}]": "remote_write[0].tls.ca_fil: unknown key;"
    " did you mean ca_file?",
    "[{url: 'http://a/', ulr: x}]": "remote_write[0].ulr: unknown key; did you mean url?",
    "[{url: 'http://a/', external_labels: {__x: a}}]": "remote_write[0].external_labels: expected the name"
    " of a label, such as env",
    "[{url: 'http://a/', external_labels: a}]": "remote_write[0].external_labels: expected LABEL=VALUE",
    "[{url: 'http://a/', headers: {Host: a}}]": "remote_write[0].headers: expected none of the headers that"
    " the exporter sets itself",
    "[{url: 'http://a/', headers: {Authorization: a}}]": "remote_write[0].headers: expected no header with"
    " credentials; put its value into a file, see header_files",
    "[{url: 'http://a/', proxy_url: 'http://p:3128'}]": "remote_write[0].proxy_url: the proxy would see the"
    " samples; use it with an https URL only",
    "[{url: 'https://a/', proxy_url: 'http://u:p@p:3128'}]": "remote_write[0].proxy_url: expected a URL"
    " without user and password; put it into a file, and set proxy_url_file",
    "[{url: 'https://a/', proxy_url: 'socks5://p'}]": "remote_write[0].proxy_url: expected the URL of an HTTP"
    " proxy, such as http://proxy.example.com:3128",
    "[{url: 'http://a/', send: [streams]}]": "remote_write[0].send: expected one of stream, own, inventory;"
    " did you mean stream?",
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items(), ids=list(PROBLEMS))
def test_problem(text: str, problem: str, tmp_path: Path) -> None:
    """A bad endpoint gives exactly one line."""
    assert problems_of(tmp_path, f"remote_write: {text}") == [f"pf.yml: {problem}"]


def test_missing_files(tmp_path: Path) -> None:
    """Files that cannot be read are reported, with their path."""
    problems = problems_of(
        tmp_path,
        f"remote_write: {{url: '{URL}', authorization: {{credentials_file: s}}, tls: {{ca_file: c}}}}",
    )
    assert problems == [
        "pf.yml: remote_write.bearer_token_file: s: the file cannot be read: No such file or directory",
        "pf.yml: remote_write.ca_file: c: the file cannot be read; check the path",
    ]


def test_a_scheme_in_capitals(tmp_path: Path) -> None:
    """``HTTPS://`` is https: the endpoint may have a proxy."""
    (endpoint,) = load_text(tmp_path, "remote_write: {url: 'HTTPS://a/', proxy_url: 'http://p:1'}").endpoints
    assert find_endpoint_proxy(endpoint) == parse_proxy_url("http://p:1")


def test_file_of_the_proxy(tmp_path: Path) -> None:
    """The file is read with its user and password, and a bad one is reported without them."""
    file = tmp_path / "proxy"
    file.touch(0o600)
    text = "remote_write: {url: 'https://a/', proxy_url_file: proxy}"
    file.write_text("http://u:p%20w@proxy:3128\n")
    (endpoint,) = load_text(tmp_path, text).endpoints
    proxy = find_endpoint_proxy(endpoint)
    assert proxy is not None
    assert (proxy.address, proxy.credentials) == ("proxy:3128", Secret("u:p w"))
    file.write_text(f"https://u:{CANARY}@proxy")
    place = "pf.yml: remote_write.proxy_url_file"
    (problem,) = problems_of(tmp_path, text)
    assert CANARY not in problem
    assert problem.endswith("expected the URL of an HTTP proxy, such as http://proxy.example.com:3128")
    file.write_text("http://proxy:3128")
    both = text.replace("}", ", proxy_url: 'http://p'}")
    assert problems_of(tmp_path, both) == [f"{place}: proxy_url is set too; keep only one of them"]
    file.unlink()
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith(f"{place}: proxy: the file cannot be read")
