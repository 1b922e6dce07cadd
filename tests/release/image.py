"""The image, built from the Dockerfile, runs without root, privileges or a writable file system."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter import __version__
from tests.conftest import tool, until

ROOT = Path(__file__).parents[2]
BASE = next(line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:5] == "FROM ")
"""The base image of the Dockerfile."""
SUITE = BASE.rpartition("-")[2]
"""Its Debian release."""
IMAGE = "localhost/pf_exporter"
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=256m")

# A separate storage, so that other containers on this machine are not affected.
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
    """Podman with separate storage."""

    def __init__(self, folder: Path) -> None:
        self.started: list[str] = []
        stat = ["stat", "--file-system", "--format=%T", str(folder)]
        file_system = subprocess.run(stat, capture_output=True, text=True, check=True).stdout.strip()
        # overlay does not work on top of overlayfs, which is the file system inside a container.
        driver = "vfs" if file_system == "overlayfs" else "overlay"
        (folder / "storage.conf").write_text(STORAGE.format(folder, driver))
        (folder / "containers.conf").write_text(CONTAINERS.format(folder))
        self.env = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            # Without systemd nothing runs the health check periodically; the test runs it.
            "DISABLE_HC_SYSTEMD": "true",
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Podman or Buildah and return the completed process."""
        # Much longer than a build takes, because it downloads packages.
        return subprocess.run(
            [tool(command[0]), *command[1:]], env=self.env, capture_output=True, text=True, timeout=1200
        )

    def __call__(self, *command: str) -> str:
        """Run a podman command that has to succeed, and return its output."""
        done = self.run("podman", *command)
        assert done.returncode == 0, f"podman {command[0]}: {done.stderr}"
        return done.stdout.strip()

    def start(self, *arguments: str) -> str:
        """Start a hardened container in the background and return its ID."""
        self.started.append(self("run", "--detach", "--pull=never", *HARDENED, *arguments))
        return self.started[-1]

    def logs(self, container: str) -> str:
        """Return everything that a container has logged."""
        done = self.run("podman", "logs", container)
        return done.stdout + done.stderr


def remove(folder: Path) -> bool:
    """Remove the folder of a Podman and return whether that succeeded.

    Podman mounts its storage onto itself. If another process of Podman, such as the one that cleans up after
    a container, still used the storage when the last command ended, it is still mounted.
    """
    storage = str(folder / "images" / "overlay")
    subprocess.run([tool("umount"), storage], stderr=subprocess.DEVNULL, check=False)  # or it is not mounted
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    # Not a folder of pytest, because the paths of sockets in it have to be short.
    folder = Path(tempfile.mkdtemp(prefix="pf-"))
    instance = Podman(folder)
    yield instance
    for container in reversed(instance.started):  # A container can use the network of an earlier one.
        instance("rm", "--force", "--time=0", container)
    until(lambda: remove(folder), f"the removal of {folder}")


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built on a substitute for the official base: Debian with Debian's Python."""
    base = str(tmp_path_factory.mktemp("base") / "base.tar")
    bootstrap = podman.run(
        *("mmdebstrap", "--quiet", "--variant=minbase"),
        "--include=ca-certificates,python-is-python3,python3-venv",
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")),
        # A mirror can be older than the validity of its signatures.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(SUITE, base),
    )
    assert bootstrap.returncode == 0, bootstrap.stderr
    podman("import", "--change=ENV PATH=/usr/local/bin:/usr/bin:/bin", base, BASE)
    built = podman.run(
        *("buildah", "bud", "--isolation=chroot", "--format=docker", "--pull-never", "--layers=false"),
        # The CA certificates of this machine, for pip; they are not part of the image.
        *("--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"),
        *("--build-arg=REVISION=abcdef", f"--tag={IMAGE}", str(ROOT)),
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return IMAGE


@pytest.fixture(scope="module")
def exporter(podman: Podman, image: str) -> str:
    """A container with the exporter, which streams from a simulator in another container."""
    simulator = podman.start("--network=none", image, "simulate", "--interval=200ms")
    address = re.compile(r"PF_HOST=(\S+) PF_TOKEN=(\S+)")
    until(lambda: address.search(podman.logs(simulator)), "the address of the simulator")
    match = address.search(podman.logs(simulator))
    assert match is not None
    host, token = match.groups()
    return podman.start(
        f"--network=container:{simulator}", f"--env=PF_HOST={host}", f"--env=PF_TOKEN={token}", image
    )


def scrape(podman: Podman, container: str) -> str:
    """Return /metrics, requested from inside the container, because its network is isolated."""
    script = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:10054/metrics').read().decode())"
    return podman.run("podman", "exec", container, "python", "-c", script).stdout


def test_contents_and_metadata(podman: Podman, image: str) -> None:
    """The image contains the program without pip, and has labels, user and port."""
    (inspected,) = json.loads(podman("image", "inspect", image))
    config = inspected["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["pf-exporter"]
    assert list(config["ExposedPorts"]) == ["10054/tcp"]
    assert config["Labels"]["org.opencontainers.image.title"] == "pf_exporter"
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert config["Labels"]["org.opencontainers.image.revision"] == "abcdef"
    assert "pf-exporter" in inspected["Healthcheck"]["Test"]
    base = json.loads(podman("image", "inspect", BASE))[0]["Size"]
    print(f"{inspected['Size'] / 1e6:.0f} MB, of which the base is {base / 1e6:.0f}")
    assert inspected["Size"] - base < 60e6
    run = ("run", "--rm", "--network=none", "--pull=never", *HARDENED)
    assert podman(*run, image, "--version").startswith(f"pf_exporter {__version__} (revision abcdef, ")
    find = "import importlib.util as u; print(*map(u.find_spec, ['pip', 'setuptools']))"
    assert podman(*run, "--entrypoint=python", image, "-c", find) == "None None"


def test_exporter_in_a_container(podman: Podman, exporter: str) -> None:
    """Without root, capabilities or a writable file system it streams and serves metrics."""
    until(lambda: "packetfabric_port_" in scrape(podman, exporter), "a port's metrics")
    assert 'revision="abcdef"' in scrape(podman, exporter)
    status = podman("exec", exporter, "cat", "/proc/1/status")
    assert re.findall(r"(?m)^(?:Uid|CapEff|CapBnd|NoNewPrivs):\s+(\w+)", status) == [
        *("10001", "0000000000000000", "0000000000000000", "1")
    ]
    assert "Read-only file system" in podman.run("podman", "exec", exporter, "touch", "/home/x").stderr
    assert podman("inspect", "--format={{.HostConfig.Memory}}", exporter) == str(256 << 20)


def test_health_check(podman: Podman, exporter: str) -> None:
    """The health check of the image reports a running exporter as healthy."""
    until(lambda: "msg=listening" in podman.logs(exporter), "the pages")
    done = podman.run("podman", "healthcheck", "run", exporter)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sigterm(podman: Podman, exporter: str) -> None:
    """As process 1 it handles SIGTERM and exits with code 0, before Podman would end it with SIGKILL."""
    until(lambda: "msg=streaming" in podman.logs(exporter), "the stream")
    podman("stop", "--time=60", exporter)
    assert podman("inspect", "--format={{.State.ExitCode}}", exporter) == "0"
    assert "msg=stopped" in podman.logs(exporter)
