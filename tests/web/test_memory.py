"""The memory of an exporter with 50,000 circuits whose pages are requested and not read."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from pf_exporter.metrics.exposition import Format
from tests.server.conftest import connected_to

READERS = 40
BATCH = 10
"""Readers of one page; every circuit has changed when the next readers arrive."""


class LargeExporter:
    """An exporter of 50,000 circuits, in a process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.web.large_exporter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def resident(self) -> int:
        """Its memory in bytes; after that every circuit changes."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())

    def scrape(self, format: Format, encoding: str) -> int:
        """Scrape a page, and return its length."""
        connection = HTTPConnection(self.address, timeout=60)
        connection.request("GET", "/metrics", headers={"Accept": format.value, "Accept-Encoding": encoding})
        response = connection.getresponse()
        assert response.status == 200
        length = len(response.read())
        connection.close()
        return length

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


@pytest.fixture
def exporter() -> Iterator[LargeExporter]:
    process = LargeExporter()
    yield process
    process.close()


def test_40_clients_that_never_read(exporter: LargeExporter) -> None:
    """Clients that never read, of any page in any form, take less memory than one page without compression.

    A scrape is answered all the same.
    """
    forms = [(format, encoding) for format in Format for encoding in ("identity", "gzip")]
    for _ in range(3):
        length = max(exporter.scrape(*form) for form in forms)
        rest = exporter.resident()
    clients = []
    for number, (format, encoding) in zip(range(READERS), itertools.cycle(forms), strict=False):
        accept = f"Accept: {format.value}\r\nAccept-Encoding: {encoding}\r\n"
        request = f"GET /metrics HTTP/1.1\r\nHost: a\r\n{accept}\r\n"
        clients.append(connected_to(exporter.address, request.encode()))
        assert clients[-1].recv(12) == b"HTTP/1.1 200"
        if number % BATCH == BATCH - 1:
            assert exporter.scrape(Format.TEXT, "gzip") > 0
            resident = exporter.resident()

            assert resident - rest < length
            assert resident < 200_000_000
    for client in clients:
        client.close()
