"""Build a .deb and a .rpm from a wheel: ``python -m tools.packages``, or ``make packages``.

A package contains the exporter and the locked versions of all its dependencies, as an environment for one
minor version of Python, that of ``--python``. Equal inputs produce equal bytes: times are
``SOURCE_DATE_EPOCH``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

from pf_exporter import __version__
from tools.licences import debian_copyright

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
NAME = "pf-exporter"
HOME = "/usr/lib/pf-exporter"
"""Where the environment is installed."""
DESCRIPTION = """\
Prometheus exporter for PacketFabric's Streaming Events API
It reads the event stream, and serves traffic, errors, Ethernet statistics and
optical power of ports and virtual circuits as Prometheus metrics. The package
contains all Python packages that the exporter needs, a systemd service, a man
page and completion scripts.
"""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Debian's names of machines."""
BUILD_ONLY = ("direct_url.json", "INSTALLER", "RECORD", "REQUESTED")
"""Files of pip that contain paths of the build, or describe a package that pip can change."""


class Python(NamedTuple):
    """The Python that a package is for, which it depends on."""

    major: int
    minor: int

    @property
    def version(self) -> str:
        """The version as in ``python3.11``."""
        return f"{self.major}.{self.minor}"

    @property
    def release(self) -> str:
        """The package's release: a package for a later Python is an upgrade."""
        return f"1.py{self.major}{self.minor}"


def minor_version(python: str) -> Python:
    """Return the version of an interpreter."""
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    major, minor = map(int, done.stdout.split())
    return Python(major, minor)


def build_environment(folder: Path, python: str, wheel: Path) -> None:
    """Write the files of ``HOME``: the wheel, the locked packages, their bytecode, and the command."""
    version = minor_version(python).version
    packages = folder / "lib" / f"python{version}" / "site-packages"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-qq", "--no-compile"]
    pip += ["--disable-pip-version-check", "--no-warn-conflicts", "--root-user-action=ignore", "--target"]
    lock = ["--require-hashes", "--only-binary=:all:", "-r", str(ROOT / "requirements.txt")]
    subprocess.run([*pip, str(packages), *lock], check=True)
    # To a second folder, because the folder of --target is replaced.
    subprocess.run([*pip, str(folder / "own"), "--no-deps", "--no-index", str(wheel)], check=True)
    shutil.copytree(folder / "own", packages, dirs_exist_ok=True)
    shutil.rmtree(folder / "own")
    for name in ("bin", "share"):
        shutil.rmtree(packages / name, ignore_errors=True)
    for name in BUILD_ONLY:
        for path in packages.glob(f"*.dist-info/{name}"):
            path.unlink()
    compiler = [python, "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "-s", str(folder)]
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*compiler, "-p", HOME, str(packages)], check=True, env=environ)
    (folder / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(f"/usr/bin/python{version}")
    command = folder / "bin" / NAME
    # -I: neither variables nor folders of the caller change what is imported.
    command.write_text(
        f"#!{HOME}/bin/python -I\nimport sys\n\nfrom pf_exporter.__main__ import main\n\nsys.exit(main())\n"
    )
    seconds = _now().timestamp()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == command else 0o644)
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def service(url: str) -> str:
    """Return the systemd unit for the paths and the user of the package; ``url`` is that of the project."""
    text = (DEPLOY / "systemd" / f"{NAME}.service").read_text(encoding="utf-8")
    for old, new in (
        (f"ExecStart=/opt/pf-exporter/bin/{NAME}", f"ExecStart=/usr/bin/{NAME}"),
        ("DynamicUser=yes", f"User={NAME}"),
        ("deploy/README.md", "deploy/README.md of the project"),
        (f"Documentation=man:{NAME}(1)", f"Documentation=man:{NAME}(1) {url}".rstrip()),
    ):
        if old not in text:
            raise ValueError(f"the systemd unit has no {old!r}")
        text = text.replace(old, new)
    return text


def _compressed(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def _texts(folder: Path, packages: Path, python: Python, maintainer: str, url: str) -> dict[str, str]:
    """Write the generated files to a folder, and return the path in the package of each."""
    changes = (
        f"{NAME} ({__version__}-{python.release}) stable; urgency=medium\n\n"
        f"  * Version {__version__}; changelog.gz describes what is new.\n\n"
        f" -- {maintainer}  {format_datetime(_now())}\n"
    )
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    man = (DEPLOY / "man" / f"{NAME}.1").read_text(encoding="utf-8")
    (folder / "copyright").write_text(debian_copyright(packages, HOME, url), encoding="utf-8")
    (folder / "service").write_text(service(url), encoding="utf-8")
    documentation = f"/usr/share/doc/{NAME}"
    return {
        str(folder / "copyright"): f"{documentation}/copyright",
        str(folder / "service"): f"/usr/lib/systemd/system/{NAME}.service",
        str(_compressed(folder / "changelog.gz", changelog)): f"{documentation}/changelog.gz",
        str(_compressed(folder / "debian.gz", changes)): f"{documentation}/changelog.Debian.gz",
        str(_compressed(folder / "man.gz", man)): f"/usr/share/man/man1/{NAME}.1.gz",
    }


def _now() -> datetime:
    return datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)


def _contents(environment: Path, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    package, completion = DEPLOY / "package", DEPLOY / "completion"
    files = {
        **texts,
        str(package / "lintian-overrides"): f"/usr/share/lintian/overrides/{NAME}",
        str(DEPLOY / "systemd" / f"{NAME}.socket"): f"/usr/lib/systemd/system/{NAME}.socket",
        str(completion / "bash" / NAME): f"/usr/share/bash-completion/completions/{NAME}",
        str(completion / "fish" / f"{NAME}.fish"): f"/usr/share/fish/vendor_completions.d/{NAME}.fish",
        str(completion / "zsh" / f"_{NAME}"): f"/usr/share/zsh/vendor-completions/_{NAME}",
    }
    return [
        {"src": str(environment), "dst": HOME, "type": "tree"},
        {"src": f"../lib/{NAME}/bin/{NAME}", "dst": f"/usr/bin/{NAME}", "type": "symlink"},
        {"dst": "/etc/pf-exporter", "type": "dir", "file_info": {"mode": 0o755}},
        {
            "src": str(package / "environment"),
            "dst": "/etc/pf-exporter/environment",
            "type": "config|noreplace",
            "file_info": {"mode": 0o644},
        },
        *({"src": source, "dst": path, "file_info": {"mode": 0o644}} for source, path in files.items()),
    ]


def configuration(
    environment: Path, texts: Mapping[str, str], python: Python, maintainer: str, url: str
) -> dict[str, Any]:
    """Return the configuration of nfpm."""
    scripts = {"postinstall": "postinst", "preremove": "prerm", "postremove": "postrm"}
    following = f"{python.major}.{python.minor + 1}"
    return {
        "name": NAME,
        "arch": ARCHITECTURES[platform.machine()],
        "version": __version__,
        "version_schema": "none",
        "release": python.release,
        "section": "net",
        "priority": "optional",
        "maintainer": maintainer,
        "homepage": url,
        "license": "Apache-2.0",
        "description": DESCRIPTION,
        "umask": 0o022,
        "mtime": _now().isoformat(),
        "contents": _contents(environment, texts),
        "scripts": {key: str(DEPLOY / "package" / name) for key, name in scripts.items()},
        "overrides": {
            "deb": {
                "depends": [
                    f"python3 (>= {python.version})",
                    f"python3 (<< {following})",
                    "libc6 (>= 2.34)",
                    "passwd",
                ]
            },
            "rpm": {
                "depends": [
                    f"python(abi) = {python.version}",
                    "/usr/sbin/useradd",
                    "/usr/bin/getent",
                ]
            },
        },
        "rpm": {"buildhost": "localhost", "compression": "xz", "packager": maintainer},
        "deb": {"compression": "xz"},
    }


def build(wheel: Path, target: Path, python: str, maintainer: str, url: str) -> None:
    """Write the .deb and the .rpm to a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        version = minor_version(python)
        build_environment(folder / "environment", python, wheel)
        (folder / "texts").mkdir()
        (packages,) = (folder / "environment" / "lib").glob("*/site-packages")
        texts = _texts(folder / "texts", packages, version, maintainer, url)
        config = folder / "nfpm.json"
        config.write_text(
            json.dumps(configuration(folder / "environment", texts, version, maintainer, url), indent=2)
        )
        for packager in ("deb", "rpm"):
            nfpm = [str(Path(sys.executable).with_name("nfpm")), "package", "--config", str(config)]
            subprocess.run([*nfpm, "--packager", packager, "--target", str(target)], check=True)


def main() -> None:
    """Build the packages that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m tools.packages", description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="wheel of the exporter")
    parser.add_argument("--to", type=Path, required=True, help="folder for the packages")
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreter that the packages are for")
    parser.add_argument("--maintainer", required=True, help="name and address, as in Debian's Maintainer")
    parser.add_argument("--url", default=os.environ.get("PROJECT_URL", ""), help="URL of the project")
    options = parser.parse_args()
    build(options.wheel, options.to, options.python, options.maintainer, options.url)


if __name__ == "__main__":
    main()
