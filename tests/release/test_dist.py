"""The release artifacts: built once, installed in an empty environment, and run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pf_exporter import __version__
from pf_exporter.assets import asset_files

ROOT = Path(__file__).parents[2]
IGNORED = (".git", *(ROOT / ".gitignore").read_text(encoding="utf-8").replace("/", "").split())
"""Names that .gitignore excludes from a clone."""
URL = "https://git.example.org/pf_exporter"
"""The address of the project, as the release workflow sets it."""
LEFT_OVER = (
    "pf_token",
    "deploy/.env",
    "prometheus-data/wal",
    "tests/__pycache__/x.pyc",
    "build/lib/x.py",
    "x.gz",
)
"""Files in a working copy that have to stay out of the sdist."""


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    words = list(map(str, command))
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path) -> Path:
    """Make an empty virtual environment, and return its Python; pip of this environment installs into it."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    return folder / "bin/python"


def pip(python: Path, *arguments: object) -> str:
    """Run this environment's pip on another environment, and return its output."""
    return run(sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", *arguments)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a clone."""
    folder = tmp_path_factory.mktemp("clone") / "pf_exporter"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*IGNORED))
    return folder


@pytest.fixture(scope="module")
def dist(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built from it with the locked build requirements."""
    working_copy, out = tmp_path_factory.mktemp("used") / "pf_exporter", tmp_path_factory.mktemp("dist")
    shutil.copytree(clone, working_copy)
    for name in LEFT_OVER:
        (working_copy / name).parent.mkdir(parents=True, exist_ok=True)
        (working_copy / name).write_text("left over")
    python = environment(tmp_path_factory.mktemp("builder"))
    pip(python, "install", "--require-hashes", "-r", ROOT / "requirements-build.txt")
    make = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    run(python, "-c", make, out, cwd=working_copy, env={**os.environ, "PROJECT_URL": f"{URL}/"})
    (sdist,) = out.iterdir()
    alone = ("--no-index", "--no-build-isolation", "--no-deps")
    pip(python, "wheel", *alone, "--wheel-dir", out, sdist)
    return out


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the locked requirements and the wheel."""
    python = environment(tmp_path_factory.mktemp("venv"))
    locked = ("--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements.txt")
    pip(python, "install", "--no-compile", *locked)
    pip(python, "install", "--no-compile", "--no-index", "--no-deps", *dist.glob("*.whl"))
    return python.parents[1]


@pytest.fixture(scope="module")
def program(installed: Path) -> Path:
    """The installed command."""
    return installed / "bin/pf-exporter"


def test_wheel(dist: Path) -> None:
    """The wheel contains the version, every module, py.typed and the supported Python versions."""
    (path,) = dist.glob("*.whl")
    assert path.name == f"pf_exporter-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"pf_exporter-{__version__}.dist-info/METADATA").decode()
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "pf_exporter").rglob("*.py")}
    assert modules - names == set()
    assert "pf_exporter/py.typed" in names
    assert {"pf_exporter/web/templates/status.html", "pf_exporter/web/static/status.css"} <= names
    data = {name.partition(".data/data/")[2] for name in names}
    assert {"share/man/man1/pf-exporter.1", "share/bash-completion/completions/pf-exporter"} <= data
    assets = {f"pf_exporter/assets/data/{name}" for name in asset_files()}
    assert {name for name in names if name.startswith("pf_exporter/assets/data/")} == assets
    assert "Requires-Python: >=3.10" in metadata
    assert "License-Expression: Apache-2.0" in metadata
    assert [name for name in names if name.startswith(("tests", "docs", "benchmarks"))] == []


def test_links_of_an_index(dist: Path) -> None:
    """The wheel has the address of the project from the sdist, and no relative link in its description."""
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        metadata = wheel.read(f"pf_exporter-{__version__}.dist-info/METADATA").decode()
    assert f"Project-URL: Homepage, {URL}\n" in metadata
    assert f"Project-URL: Issues, {URL}/issues\n" in metadata
    assert f"]({URL}/blob/HEAD/docs/install.md)" in metadata
    assert re.search(rf"!\[[^]]*\]\({URL}/raw/HEAD/docs/img/[\w-]+\.png\)", metadata)
    assert re.findall(r"\]\((?!https?:|#)", metadata) == []


def test_installed_assets(program: Path, tmp_path: Path) -> None:
    """The installed command writes rules, dashboards and the mixin, with links to the runbook."""
    run(program, "assets", "--to", tmp_path)
    assert files(tmp_path) == set(asset_files())
    with_links = set()
    for name, path in asset_files().items():
        here = path.read_text(encoding="utf-8")
        installed = here.replace("docs/runbook.md#", f"{URL}/blob/HEAD/docs/runbook.md#")
        assert (tmp_path / name).read_text(encoding="utf-8") == installed
        if installed != here:
            with_links.add(name)
    assert with_links == {"prometheus/alerts.yml", "prometheus/config.libsonnet"}


def test_sdist(clone: Path, dist: Path) -> None:
    """The sdist contains the files of a clone and what setuptools adds, and nothing else."""
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {item.name.partition("/")[2] for item in archive.getmembers() if item.isfile()}
    added = {name for name in names if name == "PKG-INFO" or name.startswith("pf_exporter.egg-info/")}
    assert "PKG-INFO" in added
    assert names - added == files(clone)


def test_the_lock_is_complete(installed: Path) -> None:
    """The installed packages are exactly those that the exporter requires, directly or indirectly."""
    python = installed / "bin/python"
    pip(python, "check")
    needs = {
        canonicalize_name(item["metadata"]["name"]): [
            Requirement(text) for text in item["metadata"].get("requires_dist", ())
        ]
        for item in json.loads(pip(python, "inspect", "--local"))["installed"]
    }
    reached: set[str] = set()
    pending = {canonicalize_name("pf_exporter")}
    while pending:
        name = pending.pop()
        reached.add(name)
        applicable = (
            requirement
            for requirement in needs[name]
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        )
        pending |= {canonicalize_name(requirement.name) for requirement in applicable} - reached
    assert needs.keys() == reached


def test_version(program: Path) -> None:
    """The installed command prints its version."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"pf_exporter {__version__} ")


@pytest.fixture
def demo(program: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The installed demo as a process, and its URL."""
    process = subprocess.Popen(
        [program, "demo", "--web.listen-address=127.0.0.1:0", "--interval=200ms"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={"PATH": os.defpath},
    )
    assert process.stderr is not None
    line = next(line for line in process.stderr if "msg=listening" in line)
    try:
        yield process, "http://" + line.partition("addresses=")[2].split()[0]
    finally:
        process.kill()
        process.communicate()


def test_demo(demo: tuple[subprocess.Popen[str], str]) -> None:
    """The installed demo serves metrics, and exits with code 0 on SIGTERM."""
    process, url = demo
    assert process.stderr is not None
    next(line for line in process.stderr if "msg=streaming" in line)
    with urlopen(f"{url}/metrics", timeout=60) as response:
        assert b"packetfabric_up" in response.read()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
