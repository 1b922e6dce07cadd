"""The parts of a .deb and a .rpm that need no build; packages.py installs the .deb, as root."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pf_exporter import __version__
from tools.archives import read_archive, write_archive
from tools.licences import debian_copyright
from tools.packages import Python, configuration, minor_version, service
from tools.release_files import release_archives, write_release_files

pytestmark = pytest.mark.no_cover


ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def config() -> dict[str, Any]:
    """The configuration of nfpm for Python 3.11."""
    return configuration(Path("/environment"), {"/made": "/usr/made"}, Python(3, 11), "A <a@example.org>", "")


def test_dependencies(config: dict[str, Any]) -> None:
    """Both packages need one minor version of Python; a package for a later one is an upgrade."""
    deb, rpm = (config["overrides"][kind]["depends"] for kind in ("deb", "rpm"))
    assert deb[:2] == ["python3 (>= 3.11)", "python3 (<< 3.12)"]
    assert rpm[0] == "python(abi) = 3.11"
    assert config["release"] == "1.py311" < Python(3, 13).release
    running = ".".join(map(str, sys.version_info[:2]))
    assert minor_version(sys.executable).version == running


def test_files(config: dict[str, Any]) -> None:
    """Each file of the project exists; only settings are configuration, which an upgrade does not replace."""
    sources = [Path(item["src"]) for item in config["contents"] if item.get("src", "").startswith(str(ROOT))]
    sources += map(Path, config["scripts"].values())
    assert len(sources) > 8
    assert [path for path in sources if not path.is_file()] == []
    kept = [item["dst"] for item in config["contents"] if item.get("type", "").startswith("config")]
    assert kept == ["/etc/pf-exporter/environment"]
    assert json.dumps(config)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert config["license"] == setup["metadata"]["license_expression"]


def test_differences_between_the_units() -> None:
    """The unit of the package is that of deploy/, with another program, user and URL."""
    before = (ROOT / "deploy/systemd/pf-exporter.service").read_text().splitlines()
    after = service("https://git.example.org/pf_exporter").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert ("ExecStart=/opt/pf-exporter/bin/pf-exporter", "ExecStart=/usr/bin/pf-exporter") in changed
    assert ("DynamicUser=yes", "User=pf-exporter") in changed
    manual = "Documentation=man:pf-exporter(1)"
    assert (manual, f"{manual} https://git.example.org/pf_exporter") in changed
    assert len(changed) == 4


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_scripts(name: str) -> None:
    """The shell accepts each maintainer script, which stops at the first failure."""
    path = ROOT / "deploy" / "package" / name
    assert path.read_text().startswith("#!/bin/sh\n")
    assert "\nset -e\n" in path.read_text()
    subprocess.run(["sh", "-n", path], check=True)


def distribution(folder: Path, name: str, metadata: str, licence: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}")
    (info / "licenses" / "LICENSE").write_text(licence)


def test_copyright(tmp_path: Path) -> None:
    """Each package has its authors, its licence, and the place of the text; the exporter is first."""
    folder = tmp_path / "python3.11" / "site-packages"
    distribution(folder, "a_b", "License-Expression: MIT\n", "MIT\n\n  Copyright (c) 2020 Ann\nYou may\n")
    distribution(folder, "old", "Classifier: License :: OSI Approved :: BSD License\n", "no year")
    distribution(folder, "pf_exporter", "License-Expression: Apache-2.0\n", "Apache")
    text = debian_copyright(folder, "/usr/lib/x", "https://git.example.org/p")
    _, exporter, first, old = text.split("\n\n")
    assert "Source: https://git.example.org/p" in text
    assert exporter.startswith("Files: *\nCopyright: the authors of pf_exporter\nLicense: Apache-2.0\n")
    place = "usr/lib/x/lib/python3.11/site-packages"
    assert first == (
        f"Files: {place}/a_b*\nCopyright: Copyright (c) 2020 Ann\nLicense: MIT\n"
        f" Of a_b 1.0; its text:\n  /{place}/a_b-1.0.dist-info/licenses/LICENSE"
    )
    assert "License: BSD-License\n" in old
    with pytest.raises(ValueError, match="contains no Python packages"):
        debian_copyright(tmp_path, "/usr/lib/x", "")


def test_archives(tmp_path: Path) -> None:
    """An archive with the same files has the same bytes, independent of their times and owners."""
    contents = {"p/b": b"text", "p/a": b"#!/bin/sh\n"}
    for name, order in (("one", contents), ("two", dict(reversed(contents.items())))):
        write_archive(tmp_path / name, order)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("text")
    with tarfile.open(tmp_path / "three", "w:gz") as archive:
        archive.add(tmp_path / "folder", "p")
    write_archive(tmp_path / "three", read_archive(tmp_path / "three"))
    with tarfile.open(tmp_path / "three") as archive:
        assert [(item.name, item.mode, item.mtime, item.uid) for item in archive.getmembers()] == [
            ("p/a", 0o644, 1700000000, 0)
        ]


def test_archives_of_a_release() -> None:
    """Rules have links to the runbook, dashboards come also for grafana.com, and the mixin is complete."""
    archives = release_archives("https://git.example.org/p/blob/v1")
    assert set(archives["rules"]) == {"rules.yml", "alerts.yml"}
    assert b"https://git.example.org/p/blob/v1/docs/runbook.md#" in archives["rules"]["alerts.yml"]
    boards = {path.name for path in (ROOT / "grafana" / "dashboards").glob("*.json")}
    assert set(archives["dashboards"]) == set(archives["dashboards-grafana-com"]) == boards
    assert all(b"__inputs" in content for content in archives["dashboards-grafana-com"].values())
    mixin = archives["mixin"]
    assert {"mixin.libsonnet", "prometheus/mixin.libsonnet", "grafana/dashboards/fleet.json"} <= mixin.keys()


def test_release_files(tmp_path: Path) -> None:
    """Each kind is an archive whose files are below a folder with its name and version."""
    write_release_files(tmp_path, "")
    names = {path.name.removesuffix(".tar.gz") for path in tmp_path.iterdir()}
    assert f"packetfabric-rules-{__version__}" in names
    for path in tmp_path.iterdir():
        folders = {name.partition("/")[0] for name in read_archive(path)}
        assert folders == {path.name.removesuffix(".tar.gz")}
