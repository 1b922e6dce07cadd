"""When the web configuration file is read again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from pf_exporter.config.files import read_file
from pf_exporter.errors import ConfigError
from pf_exporter.server.reloader import WebConfigReloader, check_web_config
from pf_exporter.server.web_config import WebConfig
from tests.server.authority import Authority
from tests.state.harness import Clock

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"


class Outcomes:
    """Records the result of each attempt to read the file."""

    def __init__(self) -> None:
        self.recorded: list[str | list[str]] = []

    def succeeded(self) -> None:
        self.recorded.append("succeeded")

    def failed(self, problems: Sequence[str]) -> None:
        self.recorded.append(list(problems))


def test_every_attempt_is_reported(tmp_path: Path) -> None:
    """The first read and each later one are reported; the last valid configuration is in force."""
    file = tmp_path / "web.yml"
    file.write_text("rate_limit: {interval: 1s, burst: 1}")
    outcomes = Outcomes()
    reloader = WebConfigReloader(str(file), outcomes)
    assert outcomes.recorded == ["succeeded"]
    file.write_text("rate_limit: []")
    assert reloader.config().burst == 1
    file.write_text("rate_limit: {interval: 1s, burst: 2}")
    assert reloader.config().burst == 2
    problem = f"{file}:1:1: rate_limit: expected a mapping with any of interval, burst"
    assert outcomes.recorded == ["succeeded", [problem], "succeeded"]


def test_no_file() -> None:
    """Without a file nothing is encrypted, limited or reported."""
    outcomes = Outcomes()
    reloader = WebConfigReloader(listener=outcomes)
    assert reloader.config() == WebConfig()
    assert not reloader.has_tls
    assert outcomes.recorded == []


def test_a_change_during_a_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file written while it is read is read again, even with the same size and modification time."""
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{alice: {HASH}}}")
    reloader = WebConfigReloader(str(file))

    def interrupted(path: str, limit: int) -> tuple[str, int]:
        content = read_file(path, limit)
        monkeypatch.undo()
        file.write_text(f"basic_auth_users: {{carol: {HASH}}}")
        return content

    file.write_text(f"basic_auth_users: {{bobby: {HASH}}}")
    monkeypatch.setattr("pf_exporter.server.web_config_file.read_file", interrupted)
    assert list(reloader.config().users) == ["bobby"]
    assert list(reloader.config().users) == ["carol"]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a file has not changed it is not read again, valid or not."""
    file = tmp_path / "web.yml"
    file.write_text("")
    reloader = WebConfigReloader(str(file))
    for text in ("", "a: 1"):
        file.write_text(text)
        os.utime(file, (1, 1 + len(text)))
        reloader.config()
        with monkeypatch.context() as patch:
            patch.setattr("pf_exporter.server.reloader.read_web_config", None)
            reloader.config()
            reloader.config()


def test_a_certificate_that_cannot_be_used_for_a_while(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If the cause is not in the files, such as a full disk, they are read again after a minute."""
    file, clock = authority.folder / "web.yml", Clock()
    authority.sign("server", "127.0.0.1")
    file.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}")
    certificate = authority.folder / "server.pem"
    for path in (file, certificate, authority.folder / "server.key"):
        os.utime(path, (1, 1))
    outcomes = Outcomes()
    reloader = WebConfigReloader(str(file), outcomes, clock=clock)
    before = reloader.context()
    os.utime(certificate, (2, 2))
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(authority.folder / "missing"))
        for clock.now in (0.0, 60.0, 119.0):
            assert reloader.context() is before
    assert len(outcomes.recorded) == 3
    assert reloader.context() is before
    clock.now = 120.0
    assert reloader.context() is not before
    assert outcomes.recorded[-1] == "succeeded"
    assert caplog.messages == ["web configuration not reloaded"]


def test_a_file_is_checked_without_being_applied(tmp_path: Path, authority: Authority) -> None:
    """A file that is invalid, or turns TLS on or off, is refused; one that can be applied is not."""
    file = authority.folder / "web.yml"
    authority.sign("server", "127.0.0.1")
    tls = "tls_server_config: {cert_file: server.pem, key_file: server.key}"
    check_web_config("", has_tls=False)
    for text, has_tls, problem in (
        ("", False, None),
        (tls, True, None),
        ("", True, "only a restart turns TLS on or off"),
        (tls, False, "only a restart turns TLS on or off"),
        ("users: {}", False, "users"),
        (tls.replace("server.key", "missing.key"), True, "key_file: the file cannot be read"),
    ):
        file.write_text(text)
        if problem is None:
            check_web_config(str(file), has_tls=has_tls)
        else:
            with pytest.raises(ConfigError, match=problem):
                check_web_config(str(file), has_tls=has_tls)
