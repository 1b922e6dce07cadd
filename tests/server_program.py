"""A program on loopback that other programs use, with a log in its folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.conftest import listening_port, tool


class ServerProgram:
    """A program of Debian that listens on a port of its choice."""

    def __init__(self, folder: Path, program: str, *flags: str) -> None:
        self._log = (folder / f"{program}.log").open("w")
        self._process = subprocess.Popen([tool(program), *flags], stdout=self._log, stderr=self._log)
        self.address = f"127.0.0.1:{listening_port(self._process)}"
        self.url = f"http://{self.address}"

    def stop(self) -> None:
        """End it, and wait for its end."""
        self._process.terminate()
        self._process.wait(60)
        self._log.close()
