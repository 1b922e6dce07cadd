"""A real Prometheus scrapes over TLS, with a user and with a client certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.config.settings import Config, WebSettings
from pf_exporter.service.exporter import Exporter
from tests.conftest import get, tool, until
from tests.fakes import Fake
from tests.prometheus_server import Prometheus
from tests.server.authority import Authority
from tests.server.conftest import hashed

USER = """\
tls_server_config: {{cert_file: server.pem, key_file: server.key}}
basic_auth_users: {{prometheus: "{hash}"}}
"""
MUTUAL = """\
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_ca_file: authority.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example.org]
"""
SCRAPE = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: user
    scheme: https
    tls_config: {{ca_file: authority.pem}}
    basic_auth: {{username: prometheus, password: right}}
    static_configs: [{{targets: ["{user}"]}}]
  - job_name: wrong_password
    scheme: https
    tls_config: {{ca_file: authority.pem}}
    basic_auth: {{username: prometheus, password: wrong}}
    static_configs: [{{targets: ["{user}"]}}]
  - job_name: mutual
    scheme: https
    tls_config: {{ca_file: authority.pem, cert_file: client.pem, key_file: client.key}}
    static_configs: [{{targets: ["{mutual}"]}}]
  - job_name: no_certificate
    scheme: https
    tls_config: {{ca_file: authority.pem}}
    static_configs: [{{targets: ["{mutual}"]}}]
"""


@pytest.fixture
def prometheus(tmp_path: Path, authority: Authority) -> Iterator[Prometheus]:
    """A Prometheus that scrapes two exporters, each with valid and with invalid credentials."""
    authority.sign("server", "127.0.0.1")
    authority.sign("client", "prometheus.example.org")
    (tmp_path / "user.yml").write_text(USER.format(hash=hashed("right")))
    (tmp_path / "mutual.yml").write_text(MUTUAL)

    def exporter(fake: Fake, name: str) -> Exporter:
        web = WebSettings(listen_address=("127.0.0.1:0",), config_file=f"{tmp_path}/{name}.yml")
        return Exporter(Config(accounts=(fake.account(),), web=web))

    tool("prometheus")
    with Fake() as fake, exporter(fake, "user") as user, exporter(fake, "mutual") as mutual:
        config = SCRAPE.format(user=user.server.addresses[0], mutual=mutual.server.addresses[0])
        server = Prometheus(tmp_path, config)
        yield server
        server.stop()


def test_scrape_over_tls(prometheus: Prometheus) -> None:
    """The targets with valid credentials are up, the other two are down."""

    def up(job: str) -> float | None:
        found = prometheus.query(f'up{{job="{job}"}}')
        return float(found[0]["value"][1]) if found else None

    until(lambda: (up("user"), up("mutual")) == (1, 1), "both targets up")
    until(lambda: (up("wrong_password"), up("no_certificate")) == (0, 0), "both others down")
    assert prometheus.query('packetfabric_web_config_last_reload_successful{job="user"} == 1')

    def errors() -> dict[str, str]:
        targets = json.loads(get(f"{prometheus.url}/api/v1/targets")[2])["data"]["activeTargets"]
        return {target["labels"]["job"]: target["lastError"] for target in targets}

    until(lambda: errors()["user"] == errors()["mutual"] == "", "scrapes in time")
    until(lambda: "401 Unauthorized" in errors()["wrong_password"], "the error")
    assert errors()["no_certificate"]
