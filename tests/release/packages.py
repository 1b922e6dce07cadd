"""The .deb and the .rpm: their contents, and the .deb installed, started, upgraded and removed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter import __version__
from tests.conftest import get, tool, until
from tests.release.minimal_root import MinimalRoot

ROOT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3"
MAINTAINER = "pf_exporter <pf-exporter@example.org>"
URL = "https://git.example.org/pf_exporter"
UNIT = "usr/lib/systemd/system/pf-exporter.service"
CONFIGURATION = {"etc/pf-exporter", "etc/pf-exporter/environment"}
ACCOUNTS = {f"etc/{name}" for name in ("passwd", "passwd-", "group", "group-", "shadow", ".pwd.lock")}
"""The files of users, which adding a user changes; names with - are copies, and .pwd.lock is the lock."""


def run(*command: object, **options: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


def build(folder: Path, clone: Path) -> dict[str, Path]:
    """Build sdist, wheel and packages as `make packages` does, from a copy; return them by suffix."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "PROJECT_URL": URL}
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info"))
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ".", cwd=clone, env=environ)
    (sdist,) = folder.glob("*.tar.gz")
    run(sys.executable, "-m", "tools.archives", sdist, cwd=clone, env=environ)
    (wheel,) = folder.glob("*.whl")
    options = ("--wheel", wheel, "--to", folder, "--python", PYTHON, "--maintainer", MAINTAINER)
    run(sys.executable, "-m", "tools.packages", *options, cwd=clone, env=environ)
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel, the .deb and the .rpm."""
    return build(tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("clone") / "pf_exporter")


@pytest.fixture(scope="module")
def deb(built: dict[str, Path]) -> Path:
    """The .deb."""
    return built[".deb"]


def field(deb: Path, name: str) -> str:
    """Return a field of a package."""
    return run("dpkg-deb", "--field", deb, name).strip()


def test_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    """A second build, from another folder, has the same bytes."""
    (tmp_path / "out").mkdir()
    again = build(tmp_path / "out", tmp_path / "another" / "place")
    assert again.keys() == built.keys() == {".gz", ".whl", ".deb", ".rpm"}
    for suffix, path in built.items():
        assert path.read_bytes() == again[suffix].read_bytes(), path.name


def test_lintian(deb: Path) -> None:
    """lintian reports no error, and unlike the build it has the Debian of this machine as reference."""
    output = run(tool("lintian"), "--allow-root", "--fail-on=error", "--tag-display-limit=0", deb)
    assert "E:" not in output


def test_depends_on_one_python(deb: Path) -> None:
    """The package needs the minor version of Python that it was built for, which is also in its version."""
    major, minor = run(PYTHON, "-c", "import sys; print(*sys.version_info[:2])").split()
    depends = field(deb, "Depends").split(", ")
    assert {f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{int(minor) + 1})"} <= set(depends)
    assert field(deb, "Version") == f"{__version__}-1.py{major}{minor}"
    assert field(deb, "Homepage") == URL


def test_rpm(built: dict[str, Path], deb: Path) -> None:
    """The .rpm has the files of the .deb, marks the configuration, and needs one minor version of Python."""
    query = (tool("rpm"), "--query", "--package", built[".rpm"])
    minor = run(PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    assert f"python(abi) = {minor}" in run(*query, "--requires").splitlines()
    assert run(*query, "--configfiles").split() == ["/etc/pf-exporter/environment"]
    listed = set(run(*query, "--list").split())
    contents = run("dpkg-deb", "--contents", deb).splitlines()
    files = {line.split()[5].removeprefix(".") for line in contents if not line.startswith("d")}
    assert files - listed == set()
    scripts = run(*query, "--scripts")
    for name in ("postinst", "prerm", "postrm"):
        assert (ROOT / "deploy" / "package" / name).read_text().partition("\n")[2].strip() in scripts


class Installed:
    """The package in a small Debian, which records calls of systemctl as if systemd were running."""

    def __init__(self, folder: Path, deb: Path) -> None:
        self.deb = deb
        self.root = MinimalRoot(folder, field(deb, "Depends"))
        (folder / "run/systemd/system").mkdir(parents=True)
        (folder / "usr/bin/systemctl").write_text(
            '#!/bin/sh\necho "$*" >>/dev/systemctl\n[ ! -e /dev/invalid ] || [ "$1" != try-restart ]\n'
        )
        (folder / "usr/bin/systemctl").chmod(0o755)
        self.before = self.root.files()
        self.root.dpkg("--install", deb)
        self.processes: list[subprocess.Popen[str]] = []

    def path(self, name: str) -> Path:
        """Return the path of a file in the root."""
        return self.root.folder / name

    def systemctl(self) -> list[str]:
        """Return the calls of systemctl since the last time."""
        log = self.path("dev/systemctl")
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return lines

    def changes(self) -> set[str]:
        """Return the paths that differ from those before the installation."""
        now = self.root.files()
        return {path for path in now.keys() | self.before.keys() if now.get(path) != self.before.get(path)}

    def start(self, *command: str, ready: str, **environ: str) -> tuple[subprocess.Popen[str], str]:
        """Start a program as the package's user; return the process, and its line that contains ``ready``."""
        process = subprocess.Popen(
            self.root.command(*command, user="pf-exporter"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": os.defpath, **environ},
        )
        self.processes.append(process)
        assert process.stdout is not None
        return process, next(line for line in process.stdout if ready in line)

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes.clear()


@pytest.fixture(scope="module")
def installed(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The installed package."""
    machine = Installed(tmp_path_factory.mktemp("machine"), deb)
    yield machine
    machine.stop()
    shutil.rmtree(machine.root.folder)


def test_installation(installed: Installed) -> None:
    """It adds command, service, user, man page and completion; it starts nothing, because there is no key."""
    assert installed.systemctl() == ["daemon-reload", "try-restart pf-exporter.service"]
    version = run(*installed.root.command("pf-exporter", "--version", user="pf-exporter"))
    assert version.startswith(f"pf_exporter {__version__} ")
    (line,) = (line for line in installed.path("etc/passwd").read_text().splitlines() if "pf-exp" in line)
    assert line.endswith(":/var/lib/pf-exporter:/usr/sbin/nologin")
    expected = {
        UNIT,
        "usr/share/man/man1/pf-exporter.1.gz",
        "usr/share/bash-completion/completions/pf-exporter",
        "usr/share/zsh/vendor-completions/_pf-exporter",
        "usr/share/fish/vendor_completions.d/pf-exporter.fish",
        "usr/share/doc/pf-exporter/copyright",
        "usr/share/doc/pf-exporter/changelog.Debian.gz",
    }
    assert expected <= installed.changes()


def test_assets_are_installed(installed: Installed) -> None:
    """`pf-exporter assets` writes rules and dashboards of the package."""
    run(*installed.root.command("pf-exporter", "assets", "--to", "/tmp/assets"))
    name = "prometheus/rules.yml"
    assert installed.path(f"tmp/assets/{name}").read_bytes() == (ROOT / name).read_bytes()
    shutil.rmtree(installed.path("tmp/assets"))


def test_the_unit(installed: Installed, tmp_path: Path) -> None:
    """systemd-analyze accepts the unit, whose program, user and man page are those of the package."""
    text = installed.path(UNIT).read_text()
    assert re.findall(r"(?m)^(?:ExecStart|User|DynamicUser)=(.*)$", text) == [
        "/usr/bin/pf-exporter",
        "pf-exporter",
    ]
    changed = text.replace("/usr/bin/pf-exporter", tool("true")).replace("/bin/kill ", f"{tool('true')} ")
    (tmp_path / "pf-exporter.service").write_text(changed)
    command = (tool("systemd-analyze"), "verify", "--man=no", tmp_path / "pf-exporter.service")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def unit_environment(installed: Installed, credentials: str) -> dict[str, str]:
    """Return the variables that the unit sets."""
    values = re.findall(r"(?m)^Environment=(.*)$", installed.path(UNIT).read_text())
    words = shlex.split(" ".join(values).replace("%d", credentials))
    return dict(word.split("=", 1) for word in words)


def test_check_and_scrape(installed: Installed) -> None:
    """As the user of the unit, with its variables, it passes `check` on a simulator, and is scraped."""
    simulate = ("pf-exporter", "simulate", "--web.listen-address=127.0.0.1:0", "--interval=200ms")
    _, line = installed.start(*simulate, ready="PF_HOST=")
    found = re.search(r"PF_HOST=(\S+) PF_TOKEN=(\S+)", line)
    assert found is not None
    # As systemd passes it: readable by the user of the service only.
    credentials = installed.path("run/credentials")
    credentials.mkdir()
    (credentials / "token").write_text(f"{found[2]}\n")
    for path in (credentials, credentials / "token"):
        path.chmod(0o500 if path.is_dir() else 0o400)
        shutil.chown(path, *map(int, run(*installed.root.command("sh", "-c", IDS)).split()))
    environ = unit_environment(installed, "/run/credentials") | {"PF_HOST": found[1]}
    environ["PF_EXPORTER_WEB_LISTEN_ADDRESS"] = "127.0.0.1:0"
    check = installed.root.command("pf-exporter", "check", user="pf-exporter")
    assert "Ready to export." in run(*check, env={"PATH": os.defpath, **environ})
    process, line = installed.start("pf-exporter", ready="msg=listening", **environ)
    assert process.stdout is not None
    next(line for line in process.stdout if "msg=streaming" in line)
    url = f"http://{line.partition('addresses=')[2].split()[0]}/metrics"
    until(lambda: re.search(rb'(?m)^packetfabric_up\{account="\w+"\} 1.0$', get(url)[2]), "the stream is up")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    installed.processes.remove(process)
    installed.stop()
    shutil.rmtree(credentials)


IDS = "id -u pf-exporter; id -g pf-exporter"


def newer(deb: Path, folder: Path) -> Path:
    """Return the package as version 9.0.0, with other default settings, and without fish completion."""
    run("dpkg-deb", "--raw-extract", deb, folder / "tree")
    control = folder / "tree/DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {__version__}", "Version: 9.0.0"))
    (folder / "tree/etc/pf-exporter/environment").write_text("# Other defaults.\n")
    (folder / "tree/usr/share/fish/vendor_completions.d/pf-exporter.fish").unlink()
    run("dpkg-deb", "-Zgzip", "-z1", "--build", folder / "tree", folder / "newer.deb")
    return folder / "newer.deb"


def test_upgrade_and_removal(installed: Installed, tmp_path: Path) -> None:
    """An upgrade keeps changed settings, and restarts the service or fails to; a removal keeps only them."""
    settings = installed.path("etc/pf-exporter/environment")
    settings.write_text("PF_EXPORTER_LOG_LEVEL=debug\n")
    installed.path("etc/pf-exporter/token").write_text("secret")
    installed.path("dev/invalid").touch()
    installed.systemctl()
    installed.root.dpkg("--force-confdef", "--force-confold", "--install", newer(installed.deb, tmp_path))
    assert installed.systemctl() == ["daemon-reload", "try-restart pf-exporter.service"]
    assert settings.read_text() == "PF_EXPORTER_LOG_LEVEL=debug\n"
    assert not installed.path("usr/share/fish/vendor_completions.d/pf-exporter.fish").exists()
    run(*installed.root.command("pf-exporter", "--version"))
    assert "Status: install ok installed\n" in installed.path("var/lib/dpkg/status").read_text()
    installed.path("dev/invalid").unlink()

    installed.root.dpkg("--remove", "pf-exporter")
    assert installed.systemctl() == ["disable --now pf-exporter.socket pf-exporter.service", "daemon-reload"]
    kept = CONFIGURATION | {"etc/pf-exporter/token", "etc/pf-exporter/environment.dpkg-dist"}
    assert installed.changes() - ACCOUNTS == kept

    installed.path("etc/pf-exporter/token").unlink()
    installed.path("var/lib/pf-exporter").mkdir()
    installed.root.dpkg("--purge", "pf-exporter")
    assert installed.changes() - ACCOUNTS == set()
    assert "pf-exporter" not in installed.path("etc/passwd").read_text()
