"""Writes assets to a folder, without losing changes that someone made to them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

from pf_exporter.errors import ConfigError


class Outcome(enum.Enum):
    """What was done with a file."""

    NEW = "new"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


def write_assets(files: Mapping[str, Path], folder: Path, *, overwrite: bool) -> Mapping[str, Outcome]:
    """Write files by their path below a folder; return what was done with each.

    Unless ``overwrite``, raises :class:`ConfigError` before anything is written if a file with other content
    exists.
    """
    contents = {name: path.read_bytes() for name, path in files.items()}
    outcomes = {name: _outcome(folder / name, content) for name, content in contents.items()}
    changed = [name for name, outcome in outcomes.items() if outcome is Outcome.REPLACED]
    if changed and not overwrite:
        raise ConfigError(
            f"{folder / name} exists with other content; replace it with --overwrite" for name in changed
        )
    for name, content in contents.items():
        if outcomes[name] is not Outcome.UNCHANGED:
            _write(folder / name, content)
    return outcomes


def _outcome(path: Path, content: bytes) -> Outcome:
    try:
        return Outcome.UNCHANGED if path.read_bytes() == content else Outcome.REPLACED
    except FileNotFoundError:
        return Outcome.NEW
    except OSError as exc:
        raise ConfigError([f"{path} cannot be read: {exc.strerror}"]) from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as exc:
        raise ConfigError([f"{path} cannot be written: {exc.strerror}"]) from None
