"""Load configurations from text, flags and variables in tests."""

from __future__ import annotations

import argparse
import os
import re
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from pf_exporter.config.flags import add_flags
from pf_exporter.config.loader import load
from pf_exporter.config.settings import Config
from pf_exporter.errors import ConfigError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "config"
CANARY = "c4nary-5ecret"
"""A secret that must not appear anywhere."""
TOKEN = {"PF_TOKEN": CANARY}


def parse_flags(*arguments: str) -> argparse.Namespace:
    """The namespace for these flags."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return parser.parse_args(arguments)


def write_file(folder: Path, text: str | bytes, *, mode: int = 0o600) -> str:
    """Write a configuration file, and return its path."""
    path = folder / "pf.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return str(path)


def load_text(folder: Path, text: str | bytes, *flags: str, environ: Mapping[str, str] = TOKEN) -> Config:
    """The configuration of a file with this text."""
    return load(parse_flags("--config.file", write_file(folder, text), *flags), environ)


def without_position(problem: str) -> str:
    """A problem with a key, without the line and the column of the key."""
    return re.sub(r"(\.yml):\d+:\d+(: (?:[^:; ]|\(not a name\))+: )", r"\1\2", problem)


def problems_of(
    folder: Path, text: str | bytes, *flags: str, environ: Mapping[str, str] = TOKEN
) -> list[str]:
    """The problems of a file with this text, without the folder and the positions of keys."""
    return [without_position(problem) for problem in placed_problems(folder, text, *flags, environ=environ)]


def placed_problems(
    folder: Path, text: str | bytes, *flags: str, environ: Mapping[str, str] = TOKEN
) -> list[str]:
    """The problems of a file with this text, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text, *flags, environ=environ)
    assert all("\n" not in problem for problem in caught.value.problems)
    return [problem.replace(f"{folder}{os.sep}", "") for problem in caught.value.problems]


def traceback_of(exc: BaseException) -> str:
    """The text of a traceback with the local variables of the exporter's frames."""
    trace = exc.__traceback__
    assert trace is not None
    return "".join(traceback.TracebackException(type(exc), exc, trace.tb_next, capture_locals=True).format())
