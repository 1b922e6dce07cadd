"""Secrets that a server quotes, in every usual form."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from pf_exporter.packetfabric.secret_mask import PART_LENGTH, mask

SECRET = 'p&ss/"w€rd" 0123+x'


def forms(secret: str) -> dict[str, str]:
    raw = secret.encode()
    return {
        "plain": secret,
        "URL path": quote(secret),
        "URL query": quote_plus(secret),
        "URL in lower case": quote(secret, safe="").replace("%E2%82%AC", "%e2%82%ac"),
        "JSON": json.dumps(secret),
        "HTML": html.escape(secret),
        "Python": repr(secret),
        "base64": base64.b64encode(raw).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(raw).decode(),
        **{f"base64 after {n} bytes": base64.b64encode(b"u" * n + raw).decode() for n in (1, 2, 3, 5)},
        "cut": secret[:-3],
        "cut at the start": secret[3:],
        "cut base64": base64.b64encode(raw).decode()[:14],
    }


@pytest.mark.parametrize("form", forms(SECRET))
def test_form_of_a_secret(form: str) -> None:
    """No part of a secret that is long enough to be of use stays in the text."""
    text = forms(SECRET)[form]
    masked = mask(f"bad value {text} for user", [SECRET])
    assert masked.startswith("bad value ")
    assert masked.endswith(" for user")
    assert "<secret>" in masked
    assert not [
        text[start : start + PART_LENGTH]
        for start in range(len(text) - PART_LENGTH + 1)
        if text[start : start + PART_LENGTH] in masked
    ]


def test_short_secret() -> None:
    """A secret shorter than a part is hidden as a whole; an empty one hides nothing."""
    assert mask("a key of keys", ["key", ""]) == "a <secret> of <secret>s"


def test_other_text_stays() -> None:
    """Text that shares only a few letters with a secret stays."""
    assert mask("password is wrong", ["pass-word-123"]) == "password is wrong"


QUOTED = "'\"€\\wörd&é\"'"
"""A secret that every encoding changes at both ends."""


@pytest.mark.parametrize(
    "form",
    [
        QUOTED,
        html.escape(QUOTED),
        quote(QUOTED),
        quote_plus(QUOTED),
        json.dumps(QUOTED)[1:-1],
        json.dumps(QUOTED, ensure_ascii=False)[1:-1],
        repr(QUOTED)[1:-1],
    ],
)
def test_a_secret_is_hidden_to_its_last_character(form: str) -> None:
    """All of a secret is hidden, and nothing of the text around it."""
    assert mask(f"value {form} is bad", [QUOTED]) == "value <secret> is bad"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize("secret", ["n~o?p>w", "n~o?p>wx", "n~o?p>wxy", "?~>p?>~a?>1~"])
def test_a_secret_in_base64_is_hidden_exactly(
    encode: Callable[[bytes], bytes], before: int, after: int, secret: str
) -> None:
    """All characters of base64 that depend on the secret alone are hidden."""
    text = encode(b"u" * before + secret.encode() + b"z" * after).decode()
    start, end = -(-8 * before // 6), 8 * (before + len(secret)) // 6
    assert mask(text, [secret]) == f"{text[:start]}<secret>{text[end:]}"
