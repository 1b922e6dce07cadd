"""The names of keys in error messages."""

from __future__ import annotations

import re

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def safe_key(key: str) -> str:
    """The key if it looks like one; not ``token:5ecret``, for example, which may contain a secret."""
    return key if _KEY.fullmatch(key) else "(not a name)"
