"""The version of this exporter, and what it was built from."""

from __future__ import annotations

import os
import sys

from pf_exporter import __version__

REVISION_VARIABLE = "PF_EXPORTER_REVISION"
"""The variable in which an image holds its commit."""


def revision() -> str:
    """The commit of an image; empty elsewhere."""
    return os.environ.get(REVISION_VARIABLE, "")


def version_line() -> str:
    """The line that ``--version`` prints."""
    build = f"revision {commit}, " if (commit := revision()) else ""
    return f"pf_exporter {__version__} ({build}Python {sys.version.split()[0]})"
