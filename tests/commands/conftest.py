"""Fixtures of the server's tests, for the commands that talk to a server."""

from tests.server.conftest import authority, serve

__all__ = ["authority", "serve"]
