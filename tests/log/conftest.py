"""A log that writes to a file for the time of one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import LogFile


@pytest.fixture
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogFile]:
    """The log of the process, at level info, as logfmt."""
    with LogFile(tmp_path_factory.mktemp("log") / "log") as log_file:
        yield log_file
