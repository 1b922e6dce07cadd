"""The Dockerfile, as its linter and its readers see it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from pf_exporter.config.settings import WebSettings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint() -> None:
    """hadolint finds nothing."""
    tool = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([tool, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_everything_fetched_is_locked() -> None:
    """What pip fetches for the image or its build has a hash in a locked file; else it fetches nothing."""
    commands = re.sub(r"\\\n", " ", DOCKERFILE)
    installs = re.findall(r"pip install (.*?)(?: &&|\n)", commands)
    fetching = [one for one in installs if "--no-index" not in one]
    assert len(installs) == 2
    assert [
        one for one in fetching if "--require-hashes" not in one or "--only-binary :all:" not in one
    ] == []
    assert re.findall(r"-r (\S+)", " ".join(fetching)) == ["requirements.txt", "requirements-build.txt"]


def test_who_it_runs_as() -> None:
    """The user is a number that is not root's, so that Kubernetes can tell."""
    (user,) = re.findall(r"(?m)^USER (\d+):\d+$", DOCKERFILE)
    assert int(user) >= 10000


def test_the_port_is_the_default_one() -> None:
    """The port it exposes is the one the exporter listens on unless told otherwise."""
    assert re.findall(r"(?m)^EXPOSE (\d+)$", DOCKERFILE) == [WebSettings().listen_address[0].lstrip(":")]


def test_signals_reach_the_program() -> None:
    """Entry point and health check are lists: with a shell in between, SIGTERM would not arrive."""
    (entry,) = re.findall(r"(?m)^ENTRYPOINT (.*)$", DOCKERFILE)
    (health,) = re.findall(r"(?m)^HEALTHCHECK .*CMD (.*)$", DOCKERFILE)
    assert json.loads(entry) == ["pf-exporter"]
    assert json.loads(health) == ["pf-exporter", "health"]


def test_what_is_copied_is_let_through() -> None:
    """Everything the Dockerfile copies out of the repository is there, and is not ignored."""
    copied = [
        name for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", DOCKERFILE) for name in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in copied if f"!{name}" not in ignored or not (ROOT / name).exists()] == []
