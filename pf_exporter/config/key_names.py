"""Names of keys in error messages."""

from __future__ import annotations

import re


def safe_key(key: str) -> str:
    """The key if it looks like one; ``token:5ecret`` and the like are not repeated."""
    return key if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", key) else "(not a name)"
