"""A fake PacketFabric, and a check that requests leave nothing behind."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.conftest import PATIENCE
from tests.fakes import Fake


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails the test if it leaves a thread or a descriptor behind."""

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    threads, open_before = set(threading.enumerate()), descriptors()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), thread
    if descriptors() > open_before:
        gc.collect()  # what only this closes causes a ResourceWarning, which is an error
    assert descriptors() <= open_before


@pytest.fixture
def fake(nothing_left: None) -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def dropping_url() -> Iterator[str]:
    """A URL at which a connection attempt is neither accepted nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
