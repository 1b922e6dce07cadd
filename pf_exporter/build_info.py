"""What this exporter was built from."""

from __future__ import annotations

import os

REVISION_VARIABLE = "PF_EXPORTER_REVISION"
"""The variable in which an image holds its commit."""


def revision() -> str:
    """The commit of an image; empty elsewhere."""
    return os.environ.get(REVISION_VARIABLE, "")
