"""What a release consists of: built once, installed where nothing else is, and run."""

from __future__ import annotations

import os
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

from pf_exporter import __version__

ROOT = Path(__file__).parents[2]
PARTS = ("pf_exporter", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, built from a copy as `make dist` does."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, source)
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def program(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, in an environment with the locked requirements and nothing else."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.txt")], check=True)
    (wheel,) = dist.glob("*.whl")
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return folder / "bin/pf-exporter"


def test_the_wheel(dist: Path) -> None:
    """The wheel has the one version, every module, the mark of a typed package, and the Pythons it wants."""
    (path,) = dist.glob("*.whl")
    assert path.name == f"pf_exporter-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"pf_exporter-{__version__}.dist-info/METADATA").decode()
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "pf_exporter").rglob("*.py")}
    assert modules - names == set()
    assert "pf_exporter/py.typed" in names
    assert "Requires-Python: >=3.10" in metadata
    assert [name for name in names if name.startswith(("tests", "docs", "benchmarks"))] == []


def test_the_sdist(dist: Path) -> None:
    """The sdist has what it takes to build the wheel anew."""
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "pf_exporter/cli.py"} <= names


def test_it_runs(program: Path) -> None:
    """Installed, it tells its version."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"pf_exporter {__version__} ")


@pytest.fixture
def demo(program: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The installed demo, and its URL."""
    process = subprocess.Popen(
        [program, "demo", "--listen-address=127.0.0.1:0", "--interval=200ms"],
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


def test_the_demo(demo: tuple[subprocess.Popen[str], str]) -> None:
    """Installed, the demo serves the metrics of a port, and ends with code 0 at SIGTERM."""
    process, url = demo
    assert process.stderr is not None
    next(line for line in process.stderr if "msg=streaming" in line)
    with urlopen(f"{url}/metrics", timeout=10) as answer:
        assert b"packetfabric_up" in answer.read()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
