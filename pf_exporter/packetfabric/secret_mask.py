"""Hides secrets in text from a server, which may quote what it was sent in another encoding or in part."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pf_exporter.config import Secret

PART_LENGTH = 8
"""Characters of a secret that are hidden even without the rest of it."""


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield a secret in base64, alone and behind other bytes, without the characters that those change."""
    for before, changed in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(bytes(before) + raw).decode()
        if text.endswith("="):
            text = text.rstrip("=")[:-1]
        text = text[changed:]
        yield text
        yield text.translate(str.maketrans("+/", "-_"))


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, and as servers write it."""
    percent = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub("%..", lambda found: found[0].lower(), form) for form in percent}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret, html.escape(secret), *percent, *lower, *escaped, *_base64_forms(secret.encode())}


def mask(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets, their usual encodings, and parts of :data:`PART_LENGTH` or more characters of them.

    >>> mask("no user s%C3%BCsan@acme with key 0123456789ab", ["s\u00fcsan@acme", "0123456789abcdef"])
    'no user <secret> with key <secret>'
    """
    is_secret = bytearray(len(text))
    for secret in secrets:
        for form in filter(None, _forms(secret)):
            length = min(PART_LENGTH, len(form))
            parts = {form[start : start + length] for start in range(len(form) - length + 1)}
            for start in range(len(text) - length + 1):
                if text[start : start + length] in parts:
                    is_secret[start : start + length] = b"\1" * length
    pieces = re.split(b"(\1+)", bytes(is_secret))
    result, at = [], 0
    for piece in pieces:
        result.append(str(Secret("")) if piece.startswith(b"\1") else text[at : at + len(piece)])
        at += len(piece)
    return "".join(result)
