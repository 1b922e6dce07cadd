"""The Dockerfile follows its linter, pins what it fetches, and matches the exporter."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path

from pf_exporter.config.settings import WebSettings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint() -> None:
    """hadolint reports no problem."""
    tool = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([tool, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_fetched_packages_are_locked() -> None:
    """Everything that pip fetches for the image or its build has a hash in a lock file."""
    commands = re.sub(r"\\\n", " ", DOCKERFILE)
    installs = re.findall(r"pip install (.*?)(?: &&|\n)", commands)
    fetching = [item for item in installs if "--no-index" not in item]
    assert len(installs) == 2
    assert [
        item for item in fetching if "--require-hashes" not in item or "--only-binary :all:" not in item
    ] == []
    assert re.findall(r"-r (\S+)", " ".join(fetching)) == ["requirements.txt", "requirements-build.txt"]


def test_user() -> None:
    """The user is numeric and not root, so that Kubernetes can verify it."""
    (user,) = re.findall(r"(?m)^USER (\d+):\d+$", DOCKERFILE)
    assert int(user) >= 10000


def test_port() -> None:
    """The exposed port is the default port of the exporter."""
    assert re.findall(r"(?m)^EXPOSE (\d+)$", DOCKERFILE) == [WebSettings().listen_address[0].lstrip(":")]


def test_no_shell_between_signals_and_the_program() -> None:
    """Entry point and health check are lists, because a shell would not forward SIGTERM."""
    (entry,) = re.findall(r"(?m)^ENTRYPOINT (.*)$", DOCKERFILE)
    (health,) = re.findall(r"(?m)^HEALTHCHECK .*CMD (.*)$", DOCKERFILE)
    assert json.loads(entry) == ["pf-exporter"]
    assert json.loads(health) == ["pf-exporter", "health"]


COPIED = [name for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", DOCKERFILE) for name in line.split()[:-1]]


def test_installed_files_are_copied() -> None:
    """The Dockerfile copies everything that is installed beside the package, such as the man page."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    installed = " ".join(setup["options.data_files"].values()).split()
    assert len(installed) >= 4
    assert [name for name in installed if not any(name.startswith(f"{folder}/") for folder in COPIED)] == []


def test_copied_files_exist() -> None:
    """Everything that the Dockerfile copies exists and is admitted by .dockerignore."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in COPIED if f"!{name}" not in ignored or not (ROOT / name).exists()] == []
