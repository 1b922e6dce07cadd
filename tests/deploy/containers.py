"""The containers of deploy/compose.yaml as their programs see them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).parents[2] / "deploy"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))[
    "services"
]


class Mount(NamedTuple):
    """A file or folder of the repository in a container."""

    source: Path
    target: str
    mode: str


def mounts(service: str) -> Iterator[Mount]:
    """What a service sees of the repository; its own volumes are left out."""
    for volume in SERVICES[service].get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            yield Mount((FOLDER / source).resolve(), target, ":".join(mode))


def lay_out(service: str, root: Path) -> Path:
    """Put everything a service mounts below a folder, in the places where the container has it."""
    for mount in mounts(service):
        place = root / mount.target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if mount.source.is_dir() else shutil.copyfile
        copy(mount.source, place)
    return root


def flag(service: str, name: str) -> str:
    """The value of a flag in a service's command."""
    (value,) = (
        word.partition("=")[2] for word in SERVICES[service]["command"] if word.startswith(f"--{name}=")
    )
    return str(value)
