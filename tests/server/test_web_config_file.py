"""Valid and invalid web configuration files, with exact messages; promtool accepts the valid ones."""

from __future__ import annotations

import re
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pf_exporter.config import Secret
from pf_exporter.errors import ConfigError
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.web_config import TlsConfig, WebConfig
from pf_exporter.server.web_config_file import read_web_config
from tests.conftest import Program, tool
from tests.server.authority import Authority
from tests.server.conftest import hashed

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
TLS = "cert_file: server.pem, key_file: server.key"

VALID = {
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
    "unverified client certificates": f"tls_server_config: {{{TLS}, client_auth_type: RequestClientCert}}",
    "client certificates if given": f"tls_server_config: {{{TLS}, client_ca_file: authority.pem,"
    " client_auth_type: VerifyClientCertIfGiven}",
    "client certificates": f"tls_server_config: {{{TLS}, client_ca_file: authority.pem,"
    " client_auth_type: RequireAndVerifyClientCert}",
    "HTTP/2": "http_server_config: {http2: false}",
    "headers": "http_server_config: {headers: {X-Frame-Options: deny, X-Content-Type-Options: nosniff,"
    " X-XSS-Protection: '0', Content-Security-Policy: \"default-src 'self'\","
    " Strict-Transport-Security: max-age=31536000}}",
    "users": f"basic_auth_users: {{alice: {HASH}, bob: {HASH.replace('$2y', '$2b')}}}",
    "a hash with the lowest cost": f"basic_auth_users: {{alice: {HASH.replace('$10', '$04')}}}",
    "a hash with the highest cost": f"basic_auth_users: {{alice: {HASH.replace('$10', '$16')}}}",
}

VALID_FOR_NEW_PROMTOOL = {
    "allowed SANs": f"tls_server_config: {{{TLS}, client_ca_file: authority.pem,"
    " client_allowed_sans: [prometheus], client_auth_type: RequireAndVerifyClientCert}",
    "a rate limit": "rate_limit: {interval: 1s, burst: 3}",
    "no rate limit": "rate_limit: {interval: 0, burst: 0}",
}
"""Files with keys that Debian's promtool is too old to know."""

INVALID = {
    "not YAML": (
        "a: [",
        "web.yml:1:5: invalid YAML from here on; check for a missing quote, colon or space",
    ),
    "no mapping": (
        "[]",
        "web.yml: expected a mapping with any of tls_server_config, http_server_config,"
        " basic_auth_users, rate_limit",
    ),
    "an unknown section": (
        "tls_config: {}",
        "web.yml:1:1: tls_config: unknown key; did you mean tls_server_config?",
    ),
    "an unknown key": (
        "http_server_config: {quic: true}",
        "web.yml:1:22: http_server_config.quic: unknown key; expected one of http2, headers",
    ),
    "a section that is a list": (
        "rate_limit: [a]",
        "web.yml:1:1: rate_limit: expected a mapping with any of interval, burst",
    ),
    "a key twice": (
        "http_server_config: {http2: true, http2: true}",
        "web.yml:1:35: duplicate key http2; keep only one",
    ),
    "no key": (
        "tls_server_config: {cert_file: server.pem}",
        "web.yml:1:1: tls_server_config.key_file: missing; TLS needs a certificate and its key",
    ),
    "no certificate": (
        "tls_server_config: {key_file: server.key}",
        "web.yml:1:1: tls_server_config.cert_file: missing; TLS needs a certificate and its key",
    ),
    "a certificate twice": (
        f"tls_server_config: {{{TLS}, cert: x}}",
        "web.yml:1:21: tls_server_config.cert_file: cert is set too; keep only one of them",
    ),
    "a missing certificate file": (
        "tls_server_config: {cert_file: no.pem, key_file: server.key}",
        "web.yml:1:21: tls_server_config.cert_file: the file cannot be read: No such file or directory",
    ),
    "the key of another certificate": (
        "tls_server_config: {cert_file: server.pem, key_file: other.key}",
        "web.yml: tls_server_config: cert and key: cannot be used: key values mismatch",
    ),
    "an invalid key": (
        "tls_server_config: {cert_file: server.pem, key: secret-canary}",
        "web.yml: tls_server_config: cert and key: cannot be used: not in PEM form",
    ),
    "a version that is not supported": (
        f"tls_server_config: {{{TLS}, min_version: TLS11}}",
        "web.yml:1:66: tls_server_config.min_version: expected one of TLS12, TLS13",
    ),
    "min_version above max_version": (
        f"tls_server_config: {{{TLS}, min_version: TLS13, max_version: TLS12}}",
        "web.yml:1:66: tls_server_config.min_version: is above max_version",
    ),
    "client certificates without verification": (
        f"tls_server_config: {{{TLS}, client_auth_type: RequireAnyClientCert}}",
        "web.yml:1:66: tls_server_config.client_auth_type: expected one of NoClientCert, RequestClientCert,"
        " VerifyClientCertIfGiven, RequireAndVerifyClientCert",
    ),
    "an authority without client certificates": (
        f"tls_server_config: {{{TLS}, client_ca_file: authority.pem}}",
        "web.yml:1:1: tls_server_config.client_auth_type: client_ca has no effect without"
        " RequireAndVerifyClientCert",
    ),
    "no authority": (
        f"tls_server_config: {{{TLS}, client_auth_type: RequireAndVerifyClientCert}}",
        "web.yml:1:1: tls_server_config.client_ca_file: missing; it is needed to verify client certificates",
    ),
    "an invalid authority": (
        f"tls_server_config: {{{TLS}, client_ca: x, client_auth_type: RequireAndVerifyClientCert}}",
        "web.yml: tls_server_config: client_ca: cannot be used: not in PEM form",
    ),
    "allowed SANs without client certificates": (
        f"tls_server_config: {{{TLS}, client_allowed_sans: [a]}}",
        "web.yml:1:66: tls_server_config.client_allowed_sans: needs client_auth_type"
        " RequireAndVerifyClientCert",
    ),
    "an unknown curve": (
        f"tls_server_config: {{{TLS}, curve_preferences: [P-256]}}",
        "web.yml:1:66: tls_server_config.curve_preferences: expected one of CurveP256, CurveP384, CurveP521,"
        " X25519",
    ),
    "several curves": (
        f"tls_server_config: {{{TLS}, curve_preferences: [X25519, CurveP256]}}",
        "web.yml:1:66: tls_server_config.curve_preferences: only one curve can be set; keep one,"
        " or none for the default",
    ),
    "a header that is not allowed": (
        "http_server_config: {headers: {X-Mine: a}}",
        "web.yml:1:32: http_server_config.headers.X-Mine: unknown key; expected one of"
        " Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options,"
        " X-Frame-Options, X-XSS-Protection",
    ),
    "a value that is not allowed": (
        "http_server_config: {headers: {X-Frame-Options: DENY}}",
        "web.yml:1:32: http_server_config.headers.X-Frame-Options: expected deny or sameorigin",
    ),
    "a header with a line break": (
        'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nSet-Cookie: b"}}',
        "web.yml:1:32: http_server_config.headers.Content-Security-Policy: expected one line of ASCII",
    ),
    "an invalid boolean": (
        "http_server_config: {http2: perhaps}",
        "web.yml:1:22: http_server_config.http2: expected true or false",
    ),
    "a plain-text password": (
        "basic_auth_users: {alice: secret-canary}",
        "web.yml:1:20: basic_auth_users.alice: expected a bcrypt hash,"
        " such as `htpasswd -nBC 10 USER` prints",
    ),
    "a hash with a salt that bcrypt refuses": (
        f"basic_auth_users: {{alice: {HASH.replace('zoub', 'zovb')}}}",
        "web.yml:1:20: basic_auth_users.alice: expected a bcrypt hash,"
        " such as `htpasswd -nBC 10 USER` prints",
    ),
    "a hash with too high a cost": (
        f"basic_auth_users: {{alice: {HASH.replace('$10$', '$31$')}}}",
        "web.yml:1:20: basic_auth_users.alice: expected a bcrypt hash with a cost from 4 to 16",
    ),
    "a user name with a colon": (
        f"basic_auth_users: {{'a:b': {HASH}}}",
        "web.yml:1:20: basic_auth_users.(not a name): a user name must not be empty or contain a colon",
    ),
    "a rate limit without a burst": (
        "rate_limit: {interval: 1s}",
        "web.yml:1:1: rate_limit.burst: no request would be answered; set it to 1 or more",
    ),
    "an invalid duration": (
        "rate_limit: {interval: often, burst: 1}",
        "web.yml:1:14: rate_limit.interval: expected a duration with a unit,"
        " such as 90s, 10m, 1h30m or 500ms",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with certificates that is not the working directory."""
    authority.sign("server", "127.0.0.1")
    authority.sign("other", "127.0.0.1")
    monkeypatch.chdir("/")
    return tmp_path


@pytest.mark.parametrize(
    "text", [*VALID.values(), *VALID_FOR_NEW_PROMTOOL.values()], ids=[*VALID, *VALID_FOR_NEW_PROMTOOL]
)
def test_valid_files(folder: Path, text: str) -> None:
    """Every key is accepted, relative paths start at the file's folder, and OpenSSL accepts the result."""
    (folder / "web.yml").write_text(text)
    WebConfigReloader(str(folder / "web.yml"))


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_promtool_accepts_the_same_files(folder: Path, text: str) -> None:
    """Debian's promtool accepts the same files, as far as it knows their keys."""
    (folder / "web.yml").write_text(text)
    done = subprocess.run(
        [tool("promtool"), "check", "web-config", "web.yml"],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("text", "message"), INVALID.values(), ids=INVALID)
def test_invalid_files(folder: Path, text: str, message: str) -> None:
    """Each problem is one line that says where and what, and repeats no value."""
    (folder / "web.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        WebConfigReloader(str(folder / "web.yml"))
    assert [problem.removeprefix(f"{folder}/") for problem in caught.value.problems] == [message]
    assert "canary" not in str(caught.value)


def test_all_problems_at_once(folder: Path) -> None:
    """A file with three problems gives three lines."""
    (folder / "web.yml").write_text("a: 1\nrate_limit: {interval: x}\nhttp_server_config: {http2: x}\n")
    with pytest.raises(ConfigError) as caught:
        read_web_config(str(folder / "web.yml"), {})
    assert len(caught.value.problems) == 3


def test_every_value_is_read(folder: Path) -> None:
    """The configuration has the values of the file, by OpenSSL's names, and the content of files."""
    (folder / "web.yml").write_text(f"""
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_ca_file: authority.pem
  client_auth_type: VerifyClientCertIfGiven
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]
  curve_preferences: [CurveP384]
  prefer_server_cipher_suites: false
http_server_config:
  headers: {{X-Frame-Options: deny, Content-Security-Policy: ""}}
basic_auth_users: {{alice: {HASH}}}
rate_limit: {{interval: 2s, burst: 3}}
""")
    assert read_web_config(str(folder / "web.yml"), {}) == WebConfig(
        tls=TlsConfig(
            cert=(folder / "server.pem").read_text(),
            key=Secret((folder / "server.key").read_text()),
            client_ca=(folder / "authority.pem").read_text(),
            client_auth=ssl.CERT_OPTIONAL,
            allowed_sans=frozenset(),
            min_version=ssl.TLSVersion.TLSv1_3,
            max_version=ssl.TLSVersion.TLSv1_3,
            ciphers=("ECDHE-RSA-AES128-SHA",),
            curve="secp384r1",
            prefer_server_ciphers=False,
        ),
        headers={"X-Frame-Options": "deny"},
        users={"alice": Secret(HASH)},
        interval=2.0,
        burst=3,
    )


def test_defaults(folder: Path) -> None:
    """An empty file, and TLS with nothing but a certificate, have the defaults of the documentation."""
    (folder / "web.yml").write_text(f"tls_server_config: {{{TLS}}}")
    config = read_web_config(str(folder / "web.yml"), {})
    assert config == WebConfig(
        tls=TlsConfig(
            cert=(folder / "server.pem").read_text(),
            key=Secret((folder / "server.key").read_text()),
            client_ca="",
            client_auth=ssl.CERT_NONE,
            allowed_sans=frozenset(),
            min_version=ssl.TLSVersion.TLSv1_2,
            max_version=ssl.TLSVersion.TLSv1_3,
            ciphers=(),
            curve="",
            prefer_server_ciphers=True,
        ),
        headers={},
        users={},
        interval=0.0,
        burst=0,
    )
    (folder / "web.yml").write_text("")
    assert read_web_config(str(folder / "web.yml"), {}) == WebConfig()
    assert replace(config, tls=None) == WebConfig()


def test_size_of_a_file(folder: Path) -> None:
    """A file may have 1 MiB, and not a byte more."""
    path = folder / "web.yml"
    path.write_text("#" * 2**20)
    read_web_config(str(path), {})
    path.write_text("#" * (2**20 + 1))
    with pytest.raises(ConfigError, match="the file is larger than 1024 KiB"):
        read_web_config(str(path), {})


def test_inline_certificates(folder: Path) -> None:
    """Certificate, key and authority may be in the file itself."""
    texts = {
        key: (folder / name).read_text().replace("\n", "\n    ")
        for key, name in (("cert", "server.pem"), ("key", "server.key"), ("client_ca", "authority.pem"))
    }
    lines = [f"  {key}: |\n    {text}" for key, text in texts.items()]
    auth = "  client_auth_type: RequireAndVerifyClientCert"
    (folder / "web.yml").write_text("\n".join(["tls_server_config:", auth, *lines]))
    assert WebConfigReloader(str(folder / "web.yml")).has_tls


def test_secrets_are_masked(folder: Path) -> None:
    """The configuration's repr contains neither hashes nor keys."""
    password = hashed("x")
    (folder / "web.yml").write_text(
        f"tls_server_config: {{{TLS}}}\nbasic_auth_users: {{alice: {password}}}\n"
    )
    shown = repr(read_web_config(str(folder / "web.yml"), {}))
    assert password not in shown
    assert "PRIVATE KEY" not in shown


def test_config_check(folder: Path, program: Callable[..., Program]) -> None:
    """`--config.check` reports the problems of the file of --web.config.file."""
    (folder / "web.yml").write_text("tls_config: {}")
    check = program("--config.check", f"--web.config.file={folder}/web.yml", env={"PF_TOKEN": "x"})
    assert check.end() == 2
    assert "web.yml:1:1: tls_config: unknown key" in check.output


def test_config_check_reads_every_file(folder: Path, program: Callable[..., Program]) -> None:
    """`--config.check` and `check` report the problems of all files: configuration, secret, CA, web."""
    (folder / "web.yml").write_text("tls_config: {}\nrate_limit: {interval: 5}")
    (folder / "ca.pem").write_text("no certificate")
    (folder / "pf.yml").write_text(
        "series: {ttl: 600}\n"
        "accounts: [{name: a, token_file: none, ca_file: ca.pem}, {name: b, token: '${PF_TOKEN}'}]\n"
        f"web: {{config_file: {folder}/web.yml}}\n"
    )
    for command in ("--config.check", "check"):
        process = program(command, f"--config.file={folder}/pf.yml")
        assert process.end() == 2
        places = re.findall(r"(\w+\.yml:\d+:\d+: [\w.\[\]]+): ", process.output)
        assert places == [
            "pf.yml:1:10: series.ttl",
            "pf.yml:2:22: accounts[0].token_file",
            "pf.yml:2:40: accounts[0].ca_file",
            "pf.yml:2:68: accounts[1].token",
            "web.yml:1:1: tls_config",
            "web.yml:2:14: rate_limit.interval",
        ]
