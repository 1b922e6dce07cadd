"""The services of deploy/compose.yaml, and the files that they mount."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.yaml_loader import load_yaml

FOLDER = Path(__file__).parents[2] / "deploy"
SERVICES: dict[str, dict[str, Any]] = load_yaml((FOLDER / "compose.yaml").read_text(encoding="utf-8"))[
    "services"
]


class Mount(NamedTuple):
    """A file or folder of the repository that a container mounts."""

    source: Path
    target: str
    mode: str


def mounts(service: str) -> Iterator[Mount]:
    """Yield what a service mounts from the repository, without its volumes."""
    for volume in SERVICES[service].get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            yield Mount((FOLDER / source).resolve(), target, ":".join(mode))


def lay_out(service: str, root: Path) -> Path:
    """Copy everything that a service mounts to the same paths below a folder, and return the folder."""
    for mount in mounts(service):
        path = root / mount.target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if mount.source.is_dir() else shutil.copyfile
        copy(mount.source, path)
    return root


def flag(service: str, name: str) -> str:
    """Return the value of a flag in the command of a service."""
    (value,) = (
        word.partition("=")[2] for word in SERVICES[service]["command"] if word.startswith(f"--{name}=")
    )
    return str(value)
