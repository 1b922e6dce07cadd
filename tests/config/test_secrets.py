"""Secrets: never in text, and read from files that are checked."""

from __future__ import annotations

import copy
import json
import os
import pickle
from pathlib import Path

import pytest

from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import ConfigError
from tests.config.helpers import CANARY, traceback_of

# Files


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"t", "t"),
        (b"t\n", "t"),
        (b"t\r\n", "t"),
        (b" t ", " t "),
        ("pä€".encode(), "pä€"),
        (b"x" * 65536, "x" * 65536),
    ],
)
def test_secret_file(content: bytes, text: str, tmp_path: Path) -> None:
    """One newline at the end is dropped, and nothing else."""
    (tmp_path / "s").write_bytes(content)
    assert SecretFile(str(tmp_path / "s"), "token_file").read().reveal() == text


CONTROL_CHARACTER = "the secret contains a line break or another control character; use a single line"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the secret is empty"),
        (b"\n", "the secret is empty"),
        (CANARY.encode() + b"\n\n", CONTROL_CHARACTER),
        (CANARY.encode() + b"\r", CONTROL_CHARACTER),
        (CANARY.encode() + b"\0", CONTROL_CHARACTER),
        (CANARY.encode() + b"\x1b[0m", CONTROL_CHARACTER),
        (CANARY.encode() + b"\xc2\x85", CONTROL_CHARACTER),
        (CANARY.encode() + b"\xff", "the file is not UTF-8 text"),
        (CANARY.encode() * 1_000_000, "the file is larger than 64 KiB"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_secret_file(content: bytes, reason: str, tmp_path: Path) -> None:
    """An unusable secret is one line without the path and without the content."""
    path = tmp_path / "s"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        SecretFile(str(path), "here").read()
    assert caught.value.problems == (f"here: {reason}",)
    assert CANARY not in traceback_of(caught.value)


def test_secret_file_of_another_kind(tmp_path: Path) -> None:
    """A directory, a FIFO without a writer, a device and a missing file are refused at once."""
    os.mkfifo(tmp_path / "fifo")
    cases = {
        str(tmp_path): "the file cannot be read: Is a directory",
        str(tmp_path / "fifo"): "the file is not a regular file",
        "/dev/null": "the file is not a regular file",
        str(tmp_path / "none"): "the file cannot be read: No such file or directory",
    }
    for path, reason in cases.items():
        with pytest.raises(ConfigError) as caught:
            SecretFile(path, "here").read()
        assert str(caught.value) == f"here: {reason}"


# Text


def test_secret_as_text() -> None:
    """Every conversion to text, except reveal(), gives <secret>."""
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>8}",
        "{}".format(secret),  # noqa: UP032 - str.format is one of the conversions
        json.dumps(secret, default=str),
    ]
    assert {text.strip('"') for text in shown} == {"<secret>"}
    assert CANARY.encode() not in pickle.dumps(secret)
    assert pickle.loads(pickle.dumps(secret)) == copy.deepcopy(secret) == "<secret>"
    assert not hasattr(secret, "__dict__")


def test_equality() -> None:
    """Secrets of the same text are equal; a string never equals a secret; there is no hash."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    with pytest.raises(TypeError):
        hash(Secret("a"))
