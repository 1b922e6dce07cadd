"""Fixtures for the pages; some are those of the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import Fake
from tests.server.conftest import authority, serve

__all__ = ["authority", "fake", "serve"]


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A fake of PacketFabric's API."""
    with Fake() as api:
        yield api
