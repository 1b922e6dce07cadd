"""Label values: circuit IDs in canonical form, sanitized text, and the tags inside descriptions."""

from __future__ import annotations

import re
import unicodedata

MAX_LABEL = 256
"""Longest label value, in bytes of UTF-8; descriptions have no length limit in the API."""

_ELLIPSIS = "…"

_TAG = re.compile(r"\[([^\[\]=]+)=([^\[\]]*)\]")


def canonical_id(circuit_id: str) -> str:
    """The canonical form of an ID, without a trailing ``-PF``: the API uses both forms for the same circuit.

    >>> canonical_id("PF-AP-LAX1-1234-PF") == canonical_id("PF-AP-LAX1-1234")
    True
    """
    return circuit_id.removesuffix("-PF")


def sanitize_label(text: str) -> str:
    """The text as one line of limited length, without control characters and surrogates.

    >>> sanitize_label("  Paris" + chr(10) + "core" + chr(0))
    'Paris core'
    """
    text = text[: 16 * MAX_LABEL]  # Bounds the work on very long text.
    if not text.isprintable():
        text = "".join(
            char for char in text if char.isspace() or unicodedata.category(char) not in ("Cc", "Cs")
        )
    line = " ".join(text.split())
    encoded = line.encode()
    if len(encoded) <= MAX_LABEL:
        return line
    # A character that is cut in the middle is dropped.
    return encoded[: MAX_LABEL - len(_ELLIPSIS.encode())].decode(errors="ignore").rstrip() + _ELLIPSIS


def parse_tags(description: str) -> dict[str, str]:
    """The tags ``[key=value]`` in a description; the last value of a repeated key counts.

    >>> parse_tags("Paris core [site=PAR1] [prod] [env = prod]")
    {'site': 'PAR1', 'env': 'prod'}
    """
    return {key.strip(): sanitize_label(value) for key, value in _TAG.findall(description)}
