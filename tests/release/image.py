"""The image, built from the Dockerfile as it is, run without root, privileges or a disk to write to."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter import __version__
from tests.conftest import tool, until

ROOT = Path(__file__).parents[2]
BASE = next(line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:5] == "FROM ")
"""The official image that the Dockerfile starts from."""
SUITE = BASE.rpartition("-")[2]
"""The release of Debian in it."""
IMAGE = "localhost/pf_exporter"
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=256m")

# In a folder of their own: whatever else runs containers on this machine is left alone.
STORAGE = """\
[storage]
driver = "{1}"
graphroot = "{0}/images"
runroot = "{0}/run"
"""
CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
tmp_dir = "{0}/tmp"
"""


class Podman:
    """Podman with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.started: list[str] = []
        stat = ["stat", "--file-system", "--format=%T", str(folder)]
        below = subprocess.run(stat, capture_output=True, text=True, check=True).stdout.strip()
        # Inside a container there is an overlay already, and none lies on another: vfs copies.
        driver = "vfs" if below == "overlayfs" else "overlay"
        (folder / "storage.conf").write_text(STORAGE.format(folder, driver))
        (folder / "containers.conf").write_text(CONTAINERS.format(folder))
        self.env = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            # There is no systemd to run the health check every 30 s; the test runs it.
            "DISABLE_HC_SYSTEMD": "true",
        }

    def done(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of podman or its kin, ended."""
        return subprocess.run(
            [tool(command[0]), *command[1:]], env=self.env, capture_output=True, text=True, timeout=240
        )

    def __call__(self, *command: str) -> str:
        """What a command that has to succeed writes."""
        done = self.done("podman", *command)
        assert done.returncode == 0, f"podman {command[0]}: {done.stderr}"
        return done.stdout.strip()

    def start(self, *arguments: str) -> str:
        """A hardened container that runs by itself."""
        self.started.append(self("run", "--detach", "--pull=never", *HARDENED, *arguments))
        return self.started[-1]

    def logs(self, container: str) -> str:
        """Everything a container has written."""
        done = self.done("podman", "logs", container)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    # Not pytest's folder: sockets are made below it, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="pf-"))
    one = Podman(folder)
    yield one
    for container in reversed(one.started):  # A container may stand on the network of an earlier one.
        one("rm", "--force", "--time=0", container)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, on a stand-in for the official base: Debian's Python on Debian, from Debian's packages."""
    base = str(tmp_path_factory.mktemp("base") / "base.tar")
    made = podman.done(
        *("mmdebstrap", "--quiet", "--variant=minbase"),
        "--include=ca-certificates,python-is-python3,python3-venv",
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")),
        # A mirror may be older than its signatures want.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(SUITE, base),
    )
    assert made.returncode == 0, made.stderr
    podman("import", "--change=ENV PATH=/usr/local/bin:/usr/bin:/bin", base, BASE)
    built = podman.done(
        *("buildah", "bud", "--isolation=chroot", "--format=docker", "--pull-never", "--layers=false"),
        # Whom this machine trusts, for pip; it leaves nothing in the image.
        *("--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"),
        *("--build-arg=REVISION=abcdef", f"--tag={IMAGE}", str(ROOT)),
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return IMAGE


@pytest.fixture(scope="module")
def exporter(podman: Podman, image: str) -> str:
    """The exporter as the image starts it, on a simulator that shares nothing with it but a network."""
    simulator = podman.start("--network=none", image, "simulate", "--interval=200ms")
    said = re.compile(r"PF_HOST=(\S+) PF_TOKEN=(\S+)")
    until(lambda: said.search(podman.logs(simulator)), "the simulator's address")
    found = said.search(podman.logs(simulator))
    assert found is not None
    host, token = found.groups()
    return podman.start(
        f"--network=container:{simulator}", f"--env=PF_HOST={host}", f"--env=PF_TOKEN={token}", image
    )


def scraped(podman: Podman, container: str) -> str:
    """The metrics, asked for from within: from without nobody reaches this network."""
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:10054/metrics').read().decode())"
    return podman.done("podman", "exec", container, "python", "-c", ask).stdout


def test_what_is_in_it(podman: Podman, image: str) -> None:
    """The image holds the program without pip, and says what it is, who it runs as and where it listens."""
    (about,) = json.loads(podman("image", "inspect", image))
    config = about["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["pf-exporter"]
    assert list(config["ExposedPorts"]) == ["10054/tcp"]
    assert config["Labels"]["org.opencontainers.image.title"] == "pf_exporter"
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert config["Labels"]["org.opencontainers.image.revision"] == "abcdef"
    assert "pf-exporter" in about["Healthcheck"]["Test"]
    base = json.loads(podman("image", "inspect", BASE))[0]["Size"]
    print(f"{about['Size'] / 1e6:.0f} MB, of which the base is {base / 1e6:.0f}")
    assert about["Size"] - base < 60e6
    run = ("run", "--rm", "--network=none", "--pull=never", *HARDENED)
    assert podman(*run, image, "--version").startswith(f"pf_exporter {__version__} (revision abcdef, ")
    find = "import importlib.util as u; print(*map(u.find_spec, ['pip', 'setuptools']))"
    assert podman(*run, "--entrypoint=python", image, "-c", find) == "None None"


def test_it_is_scraped(podman: Podman, exporter: str) -> None:
    """Without root, capabilities or a disk to write to it streams, and serves ports and itself as metrics."""
    until(lambda: "packetfabric_port_" in scraped(podman, exporter), "a port's metrics", seconds=30)
    assert 'revision="abcdef"' in scraped(podman, exporter)
    status = podman("exec", exporter, "cat", "/proc/1/status")
    assert re.findall(r"(?m)^(?:Uid|CapEff|CapBnd|NoNewPrivs):\s+(\w+)", status) == [
        *("10001", "0000000000000000", "0000000000000000", "1")
    ]
    assert "Read-only file system" in podman.done("podman", "exec", exporter, "touch", "/home/x").stderr
    assert podman("inspect", "--format={{.HostConfig.Memory}}", exporter) == str(256 << 20)


def test_its_health_check(podman: Podman, exporter: str) -> None:
    """The health check of the image finds a running exporter healthy."""
    until(lambda: "msg=listening" in podman.logs(exporter), "the pages")
    done = podman.done("podman", "healthcheck", "run", exporter)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_stops_at_once(podman: Podman, exporter: str) -> None:
    """As process 1 it hears SIGTERM: it ends with code 0, in less than two seconds."""
    until(lambda: "msg=streaming" in podman.logs(exporter), "the stream")
    began = time.monotonic()
    podman("stop", "--time=10", exporter)
    took = time.monotonic() - began
    print(f"stopped in {took:.2f} s")
    assert podman("inspect", "--format={{.State.ExitCode}}", exporter) == "0"
    assert took < 2
    assert "msg=stopped" in podman.logs(exporter)
