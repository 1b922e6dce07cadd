"""Every deployment uses the same port, and the same paths of credentials."""

from __future__ import annotations

import re

import pytest

from pf_exporter.config.settings import WebSettings
from tests.deploy import DEPLOY, ROOT

PORT = WebSettings().listen_address[0].lstrip(":")
FILES = {
    "Dockerfile": ROOT / "Dockerfile",
    "compose": DEPLOY / "compose.yaml",
    "compose with an account": DEPLOY / "compose.account.yaml",
    "kustomize": DEPLOY / "kubernetes" / "deployment.yaml",
    "helm": DEPLOY / "helm" / "pf-exporter" / "templates" / "deployment.yaml",
    "unit": DEPLOY / "systemd" / "pf-exporter.service",
    "socket": DEPLOY / "systemd" / "pf-exporter.socket",
    "package": DEPLOY / "package" / "environment",
    "install.md": ROOT / "docs" / "install.md",
    "deploy/README.md": DEPLOY / "README.md",
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}


@pytest.mark.parametrize("name", TEXTS)
def test_port(name: str) -> None:
    """The exporter listens on its default port."""
    assert PORT in re.findall(r"\b\d+\b", TEXTS[name])


def test_credentials() -> None:
    """An API key is /etc/pf-exporter/token on a host, and /run/secrets/packetfabric/token in a container."""
    everything = "\n".join(TEXTS.values())
    host = set(re.findall(r"/etc/pf-exporter/(\w+)(?=[\s:]|$)", everything))
    assert {"token", "environment"} <= host
    assert not host & {"key", "pf_token", "api_key"}
    inside = re.findall(r"/run/secrets/(\w+)", everything)
    assert set(inside) == {"packetfabric"}
    with_a_key = ("Dockerfile", "compose with an account", "kustomize", "helm", "install.md")
    assert [name for name in with_a_key if "/run/secrets/packetfabric/token" not in TEXTS[name]] == []
