"""Web configuration files, good and bad, with exact messages; promtool agrees about the good ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pf_exporter.config.files import read_file
from pf_exporter.errors import ConfigError
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.web_config import read
from tests.conftest import Program, tool
from tests.server.authority import Authority
from tests.server.conftest import hashed

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
TLS = "cert_file: server.pem, key_file: server.key"

GOOD = {
    "nothing": "",
    "an empty mapping": "{}",
    "empty sections": "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n",
    "TLS": f"tls_server_config: {{{TLS}}}",
    "TLS 1.3 only": f"tls_server_config: {{{TLS}, min_version: TLS13, max_version: TLS13}}",
    "ciphers": f"tls_server_config: {{{TLS}, cipher_suites:"
    " [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]}",
    "the client's preference": f"tls_server_config: {{{TLS}, prefer_server_cipher_suites: false}}",
    "a curve": f"tls_server_config: {{{TLS}, curve_preferences: [CurveP384]}}",
    "another curve": f"tls_server_config: {{{TLS}, curve_preferences: [CurveP256]}}",
    "no client certificates": f"tls_server_config: {{{TLS}, client_auth_type: NoClientCert}}",
    "client certificates for nothing": f"tls_server_config: {{{TLS}, client_auth_type: RequestClientCert}}",
    "client certificates if given": f"tls_server_config: {{{TLS}, client_ca_file: authority.pem,"
    " client_auth_type: VerifyClientCertIfGiven}",
    "client certificates": f"tls_server_config: {{{TLS}, client_ca_file: authority.pem,"
    " client_auth_type: RequireAndVerifyClientCert}",
    "HTTP/2": "http_server_config: {http2: false}",
    "headers": "http_server_config: {headers: {X-Frame-Options: deny, X-Content-Type-Options: nosniff,"
    " X-XSS-Protection: '0', Content-Security-Policy: \"default-src 'self'\","
    " Strict-Transport-Security: max-age=31536000}}",
    "users": f"basic_auth_users: {{alice: {HASH}, bob: {HASH.replace('$2y', '$2b')}}}",
}

GOOD_SINCE = {
    "SANs": f"tls_server_config: {{{TLS}, client_ca_file: authority.pem, client_allowed_sans: [prometheus],"
    " client_auth_type: RequireAndVerifyClientCert}",
    "a rate": "rate_limit: {interval: 1s, burst: 3}",
    "no rate": "rate_limit: {interval: 0, burst: 0}",
}
"""Keys that Debian's promtool is too old to know."""

BAD = {
    "not YAML": (
        "a: [",
        "web.yml:1:5: not valid YAML from here on; look for a missing quote, colon or space",
    ),
    "no mapping": ("[]", "web.yml: expected a mapping"),
    "an unknown section": (
        "tls_config: {}",
        "web.yml: tls_config: unknown key; known are tls_server_config, http_server_config,"
        " basic_auth_users, rate_limit",
    ),
    "an unknown key": (
        "http_server_config: {http3: true}",
        "web.yml: http_server_config.http3: unknown key; known are http2, headers",
    ),
    "a section that is a list": ("tls_server_config: [a]", "web.yml: tls_server_config: expected a mapping"),
    "a key twice": (
        "http_server_config: {http2: true, http2: true}",
        "web.yml:1:35: http2 is there already; keep one",
    ),
    "no key": (
        "tls_server_config: {cert_file: server.pem}",
        "web.yml: tls_server_config.key_file: missing; TLS needs a certificate and its key",
    ),
    "no certificate": (
        "tls_server_config: {key_file: server.key}",
        "web.yml: tls_server_config.cert_file: missing; TLS needs a certificate and its key",
    ),
    "a certificate twice": (
        f"tls_server_config: {{{TLS}, cert: x}}",
        "web.yml: tls_server_config.cert_file: cert is there as well; keep one of them",
    ),
    "a certificate that is not there": (
        "tls_server_config: {cert_file: no.pem, key_file: server.key}",
        "web.yml: tls_server_config.cert_file: the file cannot be read: No such file or directory",
    ),
    "a key of another certificate": (
        "tls_server_config: {cert_file: server.pem, key_file: other.key}",
        "web.yml: tls_server_config: cert and key: cannot be used: key values mismatch",
    ),
    "a key that is no key": (
        "tls_server_config: {cert_file: server.pem, key: secret-canary}",
        "web.yml: tls_server_config: cert and key: cannot be used: not in PEM form",
    ),
    "an old version": (
        f"tls_server_config: {{{TLS}, min_version: TLS11}}",
        "web.yml: tls_server_config.min_version: expected one of TLS12, TLS13",
    ),
    "versions the wrong way": (
        f"tls_server_config: {{{TLS}, min_version: TLS13, max_version: TLS12}}",
        "web.yml: tls_server_config.min_version: is above max_version",
    ),
    "client certificates that nobody verifies": (
        f"tls_server_config: {{{TLS}, client_auth_type: RequireAnyClientCert}}",
        "web.yml: tls_server_config.client_auth_type: expected one of NoClientCert, RequestClientCert,"
        " VerifyClientCertIfGiven, RequireAndVerifyClientCert",
    ),
    "an authority for nothing": (
        f"tls_server_config: {{{TLS}, client_ca_file: authority.pem}}",
        "web.yml: tls_server_config.client_auth_type: has to be RequireAndVerifyClientCert"
        " for client_ca to matter",
    ),
    "no authority": (
        f"tls_server_config: {{{TLS}, client_auth_type: RequireAndVerifyClientCert}}",
        "web.yml: tls_server_config.client_ca_file: missing; clients' certificates are verified with it",
    ),
    "an authority that is none": (
        f"tls_server_config: {{{TLS}, client_ca: x, client_auth_type: RequireAndVerifyClientCert}}",
        "web.yml: tls_server_config: client_ca: cannot be used: not in PEM form",
    ),
    "SANs of nobody": (
        f"tls_server_config: {{{TLS}, client_allowed_sans: [a]}}",
        "web.yml: tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert",
    ),
    "an unknown curve": (
        f"tls_server_config: {{{TLS}, curve_preferences: [P-256]}}",
        "web.yml: tls_server_config.curve_preferences: expected one of CurveP256, CurveP384, CurveP521,"
        " X25519",
    ),
    "several curves": (
        f"tls_server_config: {{{TLS}, curve_preferences: [X25519, CurveP256]}}",
        "web.yml: tls_server_config.curve_preferences: only one can be set here; keep one,"
        " or none for the usual",
    ),
    "a header of one's own": (
        "http_server_config: {headers: {X-Mine: a}}",
        "web.yml: http_server_config.headers.X-Mine: unknown key; known are Content-Security-Policy,"
        " Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection",
    ),
    "a header with another value": (
        "http_server_config: {headers: {X-Frame-Options: DENY}}",
        "web.yml: http_server_config.headers.X-Frame-Options: expected deny or sameorigin",
    ),
    "a header of two lines": (
        'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nSet-Cookie: b"}}',
        "web.yml: http_server_config.headers.Content-Security-Policy: expected one line of ASCII",
    ),
    "HTTP/2 perhaps": (
        "http_server_config: {http2: perhaps}",
        "web.yml: http_server_config.http2: expected true or false",
    ),
    "a password in clear": (
        "basic_auth_users: {alice: secret-canary}",
        "web.yml: basic_auth_users.alice: expected a bcrypt hash, such as `htpasswd -nBC 10 USER` prints",
    ),
    "a hash that takes for ever": (
        f"basic_auth_users: {{alice: {HASH.replace('$10$', '$31$')}}}",
        "web.yml: basic_auth_users.alice: expected a bcrypt hash of a cost from 4 to 16",
    ),
    "a name with a colon": (
        f"basic_auth_users: {{'a:b': {HASH}}}",
        "web.yml: basic_auth_users.(not a name): a user's name is not empty and has no colon",
    ),
    "a rate that lets nobody in": (
        "rate_limit: {interval: 1s}",
        "web.yml: rate_limit.burst: with less than 1 no request would ever be answered; give at least 1",
    ),
    "a rate that is none": (
        "rate_limit: {interval: often, burst: 1}",
        "web.yml: rate_limit.interval: expected a duration, such as 90s, 10m, 1h30m or 500ms",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with certificates, which is not the working directory."""
    authority.sign("server", "127.0.0.1")
    authority.sign("other", "127.0.0.1")
    monkeypatch.chdir("/")
    return tmp_path


@pytest.mark.parametrize("text", [*GOOD.values(), *GOOD_SINCE.values()], ids=[*GOOD, *GOOD_SINCE])
def test_good_files(folder: Path, text: str) -> None:
    """Every part of the format is read, files are found beside the one that names them, OpenSSL agrees."""
    (folder / "web.yml").write_text(text)
    WebConfigReloader(str(folder / "web.yml"))


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_promtool_accepts_the_same_files(folder: Path, text: str) -> None:
    """Debian's promtool finds nothing wrong in the files that we take, as far as it knows their keys."""
    (folder / "web.yml").write_text(text)
    done = subprocess.run(
        [tool("promtool"), "check", "web-config", "web.yml"],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_files(folder: Path, text: str, message: str) -> None:
    """Each mistake is one line that says where and what, and repeats no value."""
    (folder / "web.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        WebConfigReloader(str(folder / "web.yml"))
    assert [problem.removeprefix(f"{folder}/") for problem in caught.value.problems] == [message]
    assert "canary" not in str(caught.value)


def test_all_problems_at_once(folder: Path) -> None:
    """A file with three mistakes gives three lines."""
    (folder / "web.yml").write_text("a: 1\nrate_limit: {interval: x}\nhttp_server_config: {http2: x}\n")
    with pytest.raises(ConfigError) as caught:
        read(str(folder / "web.yml"), {})
    assert len(caught.value.problems) == 3


def test_certificates_inside_the_file(folder: Path) -> None:
    """Certificate, key and authority may stand in the file itself."""
    texts = {
        key: (folder / name).read_text().replace("\n", "\n    ")
        for key, name in (("cert", "server.pem"), ("key", "server.key"), ("client_ca", "authority.pem"))
    }
    lines = [f"  {key}: |\n    {text}" for key, text in texts.items()]
    auth = "  client_auth_type: RequireAndVerifyClientCert"
    (folder / "web.yml").write_text("\n".join(["tls_server_config:", auth, *lines]))
    assert WebConfigReloader(str(folder / "web.yml")).has_tls


def test_no_secret_is_shown(folder: Path) -> None:
    """Hashes and keys are masked wherever the configuration is printed."""
    password = hashed("x")
    (folder / "web.yml").write_text(
        f"tls_server_config: {{{TLS}}}\nbasic_auth_users: {{alice: {password}}}\n"
    )
    shown = repr(read(str(folder / "web.yml"), {}))
    assert password not in shown
    assert "PRIVATE KEY" not in shown


def test_a_change_while_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is written while it is read is read again, though its time and size say nothing of it."""
    file = folder / "web.yml"
    file.write_text(f"basic_auth_users: {{alice: {HASH}}}")
    policy = WebConfigReloader(str(file))

    def interrupted(path: str, limit: int) -> tuple[str, int]:
        found = read_file(path, limit)
        monkeypatch.undo()
        file.write_text(f"basic_auth_users: {{carol: {HASH}}}")
        return found

    file.write_text(f"basic_auth_users: {{bobby: {HASH}}}")
    monkeypatch.setattr("pf_exporter.server.web_config.read_file", interrupted)
    assert list(policy.config().users) == ["bobby"]
    assert list(policy.config().users) == ["carol"]


def test_what_has_not_changed_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again and again costs a look at the files, not a reading, be they good or bad."""
    file = folder / "web.yml"
    file.write_text("")
    policy = WebConfigReloader(str(file))
    for text in ("", "a: 1"):
        file.write_text(text)
        os.utime(file, (1, 1 + len(text)))
        policy.config()
        with monkeypatch.context() as patch:
            patch.setattr("pf_exporter.server.reloader.read", None)
            policy.config()
            policy.config()


def test_config_check_looks_at_it_too(folder: Path) -> None:
    """`--config.check` says what is wrong with the file of --web.config.file."""
    (folder / "web.yml").write_text("tls_config: {}")
    one = Program("--config.check", f"--web.config.file={folder}/web.yml", env={"PF_TOKEN": "x"})
    assert one.end() == 2
    assert "web.yml: tls_config: unknown key" in one.output
    assert one.process.stdout is not None
    one.process.stdout.close()
