"""Assets are complete, and writing them loses no changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pf_exporter.assets import Outcome, asset_files, write_assets
from pf_exporter.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_all_rules_dashboards_and_the_mixin() -> None:
    """In a clone the assets are its own files: both rule files, each dashboard, each part of the mixin."""
    expected = set(ROOT.glob("grafana/dashboards/*.json"))
    expected |= set((ROOT / "prometheus").rglob("*.libsonnet"))
    expected |= {ROOT / name for name in ("mixin.libsonnet", "grafana/mixin.libsonnet", "jsonnetfile.json")}
    expected |= {ROOT / "prometheus" / name for name in ("rules.yml", "alerts.yml")}
    assert set(asset_files().values()) == expected
    assert all(ROOT / name == path for name, path in asset_files().items())


def test_a_folder_without_assets(tmp_path: Path) -> None:
    """An installation without the files is an error with one line."""
    with pytest.raises(ConfigError, match=r"contains no rules and dashboards: install the exporter from"):
        asset_files(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Path]:
    """Two files to write."""
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    return {"a/one": tmp_path / "one", "two": tmp_path / "two"}


def test_files_are_written_once(source: dict[str, Path], tmp_path: Path) -> None:
    """Missing folders are created; a second run changes nothing."""
    target = tmp_path / "new" / "folder"
    assert set(write_assets(source, target, overwrite=False).values()) == {Outcome.NEW}
    assert (target / "a" / "one").read_text() == "1"
    assert set(write_assets(source, target, overwrite=False).values()) == {Outcome.UNCHANGED}


def test_a_changed_file_is_kept(source: dict[str, Path], tmp_path: Path) -> None:
    """If a file has other content, nothing is written, unless overwriting is requested."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "two").write_text("mine")
    with pytest.raises(ConfigError, match=r"target/two exists with other content; replace it with --overw"):
        write_assets(source, target, overwrite=False)
    assert not (target / "a").exists()
    done = write_assets(source, target, overwrite=True)
    assert done == {"a/one": Outcome.NEW, "two": Outcome.REPLACED}
    assert (target / "two").read_text() == "2"


@pytest.mark.parametrize(
    ("block", "problem"),
    [("two", "target/two cannot be read: Is a directory"), ("a", "target/a/one cannot be")],
)
def test_a_folder_that_cannot_be_used(
    source: dict[str, Path], tmp_path: Path, block: str, problem: str
) -> None:
    """A folder instead of a file, and a file instead of a folder, are an error with the path."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "two").mkdir() if block == "two" else (target / "a").write_text("")
    with pytest.raises(ConfigError, match=problem):
        write_assets(source, target, overwrite=True)


def test_an_unwritable_folder(source: dict[str, Path]) -> None:
    """A folder that cannot be created is an error with the path."""
    with pytest.raises(ConfigError, match=r"^/proc/x/a/one cannot be written: "):
        write_assets(source, Path("/proc/x"), overwrite=False)
