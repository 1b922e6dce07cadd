"""Files: a changed file has another fingerprint."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pf_exporter.config.files import fingerprint, read_file, with_path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/usr/nowhere/pf_token", "PF_TOKEN_FILE: /usr/nowhere/pf_token"),
        ("/5ec/ret", "PF_TOKEN_FILE"),
        ("/5ecret", "PF_TOKEN_FILE"),
        ("/5ec//ret", "PF_TOKEN_FILE"),
        ("5ec/ret", "PF_TOKEN_FILE"),
        ("5ecret", "PF_TOKEN_FILE"),
    ],
)
def test_place_with_path(path: str, place: str) -> None:
    """Only a path below an existing directory is part of a problem: anything else may be a secret."""
    assert with_path("PF_TOKEN_FILE", path) == place


def test_fingerprint_of_unchanged_file(tmp_path: Path) -> None:
    """A file that was last written some time ago keeps its fingerprint."""
    path = tmp_path / "file"
    path.write_text("a")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert fingerprint(str(path)) == fingerprint(str(path)) is not None


def test_fingerprint_of_changed_file(tmp_path: Path) -> None:
    """Writing, replacing or removing a file changes its fingerprint."""
    path = tmp_path / "file"
    path.write_text("a")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    before = fingerprint(str(path))
    path.write_text("b")
    assert fingerprint(str(path)) != before
    (tmp_path / "new").write_text("c")
    os.utime(tmp_path / "new", (1_000_000_000, 1_000_000_000))
    (tmp_path / "new").replace(path)
    assert fingerprint(str(path)) != before
    path.unlink()
    assert fingerprint(str(path)) is None


def test_fingerprint_of_recent_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was just written never equals itself, because another write may leave no trace."""
    path = tmp_path / "file"
    path.write_text("a")
    written_at = path.stat().st_mtime_ns
    monkeypatch.setattr("pf_exporter.config.files.time.time_ns", lambda: written_at + 1)
    assert fingerprint(str(path)) != fingerprint(str(path))


def test_read_file(tmp_path: Path) -> None:
    """The text and the permission bits are returned; a larger file is refused."""
    path = tmp_path / "file"
    path.write_text("ä")
    path.chmod(0o640)
    assert read_file(str(path), 2) == ("ä", 0o640)
    with pytest.raises(ValueError, match=r"^the file is larger than"):
        read_file(str(path), 1)
