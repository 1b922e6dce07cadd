"""Circuit IDs, label values, and the tags people write into descriptions."""

from __future__ import annotations

import re
import unicodedata

MAX_LABEL = 256
"""Characters of a label's value: what people write into descriptions may be any length."""


def canonical_id(circuit_id: str) -> str:
    """The id without a trailing ``-PF``: the API writes ids of one and the same circuit with it and without.

    >>> plain("PF-AP-LAX1-1234-PF") == plain("PF-AP-LAX1-1234")
    True
    """
    return circuit_id.removesuffix("-PF")


def sanitize_label(text: str) -> str:
    """Text as a label may carry it: one line, not too long, without control characters and half surrogates.

    >>> clean("  Paris" + chr(10) + "core" + chr(0))
    'Paris core'
    """
    text = text[: 16 * MAX_LABEL]
    if not text.isprintable():
        text = "".join(
            single for single in text if single.isspace() or unicodedata.category(single) not in ("Cc", "Cs")
        )
    line = " ".join(text.split())
    return line if len(line) <= MAX_LABEL else line[: MAX_LABEL - 1].rstrip() + "…"


_TAG = re.compile(r"\[([^\[\]=]+)=([^\[\]]*)\]")


def tags(description: str) -> dict[str, str]:
    """What stands in a description as ``[key=value]``; of several with one key the last.

    >>> tags("Paris core [site=PAR1] [prod] [env = prod]")
    {'site': 'PAR1', 'env': 'prod'}
    """
    return {key.strip(): sanitize_label(value) for key, value in _TAG.findall(description)}
