"""The descriptors of the standard streams."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import process_environment

SCRIPT = """
import os, socket
from pf_exporter.descriptor import open_standard_streams

open_standard_streams()
own, peer = socket.socketpair()
assert min(own.fileno(), peer.fileno()) > 2
os.write(2, b"a line of the log")
"""


@pytest.mark.parametrize("closed", ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "0<&-", ""])
def test_closed_streams(closed: str) -> None:
    """A standard stream that is closed at the start is not taken for a socket, which would get the log."""
    command = ["/bin/sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, SCRIPT]
    done = subprocess.run(
        command, capture_output=True, text=True, env=process_environment(), timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "" if "2>" in closed else "a line of the log")
