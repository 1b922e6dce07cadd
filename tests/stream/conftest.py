"""A PacketFabric for the tests of streams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import Fake


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(heartbeat=0.05) as server:
        yield server
