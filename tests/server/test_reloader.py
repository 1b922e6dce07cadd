"""When the web configuration file is read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pf_exporter.config.files import read_file
from pf_exporter.errors import ConfigError
from pf_exporter.server.reloader import WebConfigReloader, check_web_config
from tests.server.authority import Authority

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"


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
