"""Fixtures of the server's tests, for the commands that talk to a server; and a pipe that blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conftest import fill
from tests.log.conftest import log_file
from tests.server.conftest import authority, serve

__all__ = ["authority", "log_file", "serve"]


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The write end of a full pipe; nothing reads the other end."""
    reader, writer = os.pipe()
    fill(writer)
    yield writer
    os.close(reader)
    os.close(writer)
