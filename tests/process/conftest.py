"""A pipe that blocks, and the file of the log."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conftest import fill
from tests.log.conftest import log_file

__all__ = ["full_pipe", "log_file"]


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The write end of a full pipe; nothing reads the other end."""
    reader, writer = os.pipe()
    fill(writer)
    yield writer
    os.close(reader)
    os.close(writer)
