"""Names of events and fields: which can be the API's, and which speak of a person or an account."""

from __future__ import annotations

import functools
import re

_EVENT = re.compile(r"[a-z_][a-z0-9_|]{0,63}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_HEX = re.compile(r".*[0-9a-fA-F]{8}|[0-9a-fA-F_]{8,}\Z")
_PARTS = re.compile(r"IPv|[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+", re.ASCII)

# How words begin and end that make a name personal, and such words that are too short for that.
_BEGINNINGS = (
    "account|addr|asn|birth|card|client|company|contact|customer|email|employee|iban|ident|invoice|ipaddr|ipv|"
    "latitude|login|longitude|mail|member|message|mobile|name|number|order|owner|passw|person|phone|postal|"
    "secret|social|street|subscriber|tenant|token|user"
)
_ENDINGS = "account|addr|address|customer|id|ids|ip|ips|mail|mobile|name|names|number|phone|user|users"
_SHORT = "cell|city|dob|fax|lat|lng|lon|pin|po|ssn|tax|tel|vat|zip"
_PLAIN = frozenset(f"{_BEGINNINGS}|{_ENDINGS}|{_SHORT}".split("|"))
_PERSONAL = re.compile(  # but "valid" and "invalid" are no ids
    f"(?:{_BEGINNINGS}).*|.*(?<!val)(?:{_ENDINGS})|{_SHORT}", re.IGNORECASE
)


@functools.lru_cache(maxsize=1024)
def _has_no_identifier(name: str) -> bool:
    """Whether no digits in a name can be somebody's, as in an id, an address or a telephone number."""
    numbers = _DIGITS.findall(name)
    return (
        len(numbers) < 4
        and all(len(number) < 4 for number in numbers)
        and sum(map(len, numbers)) < 7
        and not _HEX.match(name)
    )


def is_event(name: str) -> bool:
    """Whether this can be the name of an event."""
    return bool(_EVENT.fullmatch(name)) and _has_no_identifier(name)


def is_field(name: str) -> bool:
    """Whether this can be the name of a field, and not an id, an address or a text.

    >>> is_field("rx_drop"), is_field("lane_12_rx_dbm"), is_field("user_4155550123"), is_field("10.0.0.1")
    (True, True, False, False)
    """
    return bool(_FIELD.fullmatch(name)) and _has_no_identifier(name)


@functools.lru_cache(maxsize=1024)
def is_personal(field: str) -> bool:
    """Whether what stands under this field, which :func:`is_field`, names someone or something.

    >>> is_personal("userid"), is_personal("phone1"), is_personal("orderIDs"), is_personal("rx_invalid")
    (True, True, True, False)
    """
    return any(map(_PERSONAL.fullmatch, _PARTS.findall(field)))


def is_plain(name: str) -> bool:
    """Whether a name consists of such words alone, so that it is a field's wherever it stands.

    >>> is_plain("email"), is_plain("phone_number"), is_plain("hank")
    (True, True, False)
    """
    return len(name) <= 64 and _PLAIN.issuperset(name.split("_"))
