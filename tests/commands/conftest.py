"""Fixtures of other tests, for the commands that talk to a server or write to a pipe that blocks."""

from __future__ import annotations

from tests.log.conftest import log_file
from tests.process.conftest import full_pipe
from tests.server.conftest import authority, serve

__all__ = ["authority", "full_pipe", "log_file", "serve"]
