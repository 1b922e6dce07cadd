"""The man page, as the programs that show it read it."""

from __future__ import annotations

import re
import subprocess

from pf_exporter.command_line.parser import COMMANDS
from pf_exporter.config import SETTINGS
from tests.conftest import tool
from tests.deploy import DEPLOY

PAGE = DEPLOY / "man" / "pf-exporter.1"


def mandoc(*arguments: str) -> str:
    """What mandoc prints about the page."""
    command = [tool("mandoc"), *arguments, str(PAGE)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def test_mandoc_finds_no_mistake() -> None:
    """mandoc warns of nothing but the date, which a page that is generated does not have."""
    lines = mandoc("-T", "lint", "-W", "warning").splitlines()
    assert [line.partition("WARNING: ")[2] for line in lines] == ['missing date, using "": TH']


def test_the_page_has_every_command_and_flag() -> None:
    """The page as it is shown names every command and every setting."""
    text = re.sub(".\b", "", mandoc("-T", "ascii", "-O", "width=200"))  # Bold is a letter typed twice.
    words = [*(f"pf-exporter {name}" for name in COMMANDS), *(row.flag for row in SETTINGS)]
    assert [word for word in words if word not in text] == []
