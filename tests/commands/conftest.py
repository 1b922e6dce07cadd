"""What the tests of the commands stand on; the sites are those of the web surface's tests."""

from tests.web.conftest import authority, serve

__all__ = ["authority", "serve"]
