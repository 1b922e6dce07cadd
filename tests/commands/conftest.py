"""What the tests of the commands stand on; the sites are those of the web surface's tests."""

from tests.server.conftest import authority, serve

__all__ = ["authority", "serve"]
