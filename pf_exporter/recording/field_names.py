"""Names of events and fields: which can be the API's, and which refer to a person or an account."""

from __future__ import annotations

import functools
import re

_MAX_NAME = 64
_EVENT = re.compile(r"[a-z_][a-z0-9_|]{0,63}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_HEX = re.compile(r".*[0-9a-fA-F]{8}|[0-9a-fA-F_]{8,}\Z")
_WORDS = re.compile(r"IPv|[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+", re.ASCII)

# A word is personal if it starts or ends like this, or is one of the short ones.
_PREFIXES = (
    "account|addr|asn|birth|card|client|company|contact|customer|email|employee|iban|ident|invoice|ipaddr|ipv|"
    "latitude|login|longitude|mail|member|message|mobile|name|number|order|owner|passw|person|phone|postal|"
    "secret|social|street|subscriber|tenant|token|user"
)
_SUFFIXES = "account|addr|address|customer|id|ids|ip|ips|mail|mobile|name|names|number|phone|user|users"
_SHORT = "cell|city|dob|fax|lat|lng|lon|pin|po|ssn|tax|tel|vat|zip"
_GENERIC = frozenset(f"{_PREFIXES}|{_SUFFIXES}|{_SHORT}".split("|"))
_PERSONAL = re.compile(  # "valid" and "invalid" do not end in "id"
    f"(?:{_PREFIXES}).*|.*(?<!val)(?:{_SUFFIXES})|{_SHORT}", re.IGNORECASE
)


@functools.lru_cache(maxsize=1024)
def _has_no_identifier(name: str) -> bool:
    """Whether the digits in a name are too few for an ID, an address or a phone number."""
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
    """Whether this can be the name of a field, rather than an ID, an address or a text.

    >>> is_field("rx_drop"), is_field("lane_12_rx_dbm"), is_field("user_4155550123"), is_field("10.0.0.1")
    (True, True, False, False)
    """
    return bool(_FIELD.fullmatch(name)) and _has_no_identifier(name)


@functools.lru_cache(maxsize=1024)
def is_personal(field: str) -> bool:
    """Whether the value of this field can identify a person, an account or a device.

    >>> is_personal("userid"), is_personal("phone1"), is_personal("orderIDs"), is_personal("rx_invalid")
    (True, True, True, False)
    """
    return any(map(_PERSONAL.fullmatch, _WORDS.findall(field)))


def is_generic(name: str) -> bool:
    """Whether a name consists only of words such as ``email``, so that it is a field's name anywhere.

    >>> is_generic("email"), is_generic("phone_number"), is_generic("hank")
    (True, True, False)
    """
    return len(name) <= _MAX_NAME and _GENERIC.issuperset(name.split("_"))
