"""The names of keys, and of other things that a user enters, in error messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def safe_key(key: str) -> str:
    """The key if it looks like one; not ``token:5ecret``, for example, which may contain a secret."""
    return key if _KEY.fullmatch(key) else "(not a name)"


def closest_name(word: str, names: Iterable[str], min_similarity: float = 0.6) -> str:
    """The name that is most similar to a word, or an empty text.

    >>> closest_name("tokne", ["name", "token"]), closest_name("x", ["name", "token"])
    ('token', '')
    """
    import difflib  # Only a mistake needs it.

    return "".join(difflib.get_close_matches(word, list(names), 1, min_similarity))
