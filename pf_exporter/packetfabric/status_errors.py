"""HTTP status codes as errors of the exporter."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Iterable, Mapping

from pf_exporter.errors import (
    ApiError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from pf_exporter.packetfabric.secret_mask import mask

RETRY_AFTER_LIMIT = 3600.0
"""Seconds; a server that asks for a longer wait is asked again after this."""


MESSAGE_LENGTH = 200
"""Characters of the API's message that are shown."""
MASKED_LENGTH = 2 * MESSAGE_LENGTH


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, as a number or a date; None if invalid.

    >>> retry_after("120", 0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 0), retry_after("-5", 0)
    (120.0, 60.0, None)
    """
    if value is None:
        return None
    if re.fullmatch(r"\d{1,18}", value.strip(), re.ASCII):
        return min(float(value), RETRY_AFTER_LIMIT)
    try:
        seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)


def _api_message(body: bytes, secrets: Iterable[str]) -> str:
    """Return the API's message about an error, made safe for a log line; empty if there is none."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""
    if not isinstance(message, str):
        return ""
    # Validators often quote the value that they refuse. More is masked than shown, for a secret at the end.
    printable = "".join(letter for letter in message[:MASKED_LENGTH] if letter.isprintable())
    printable = mask(printable, secrets)[:MESSAGE_LENGTH]
    return f' ("{printable}")' if printable else ""


def error_from_status(
    status: int, headers: Mapping[str, str], body: bytes, subject: str, secrets: Iterable[str]
) -> ApiError:
    """Return the error for a status other than the expected one; ``subject`` is the operation and server."""
    message = f"{subject}: HTTP {status}{_api_message(body, secrets)}"
    wait = retry_after(headers.get("Retry-After"), time.time())
    if status == 401:
        return Unauthorized(message, retry_after=wait)
    if status == 403:
        return Forbidden(message, retry_after=wait)
    if status == 429:
        return RateLimited(message, retry_after=wait)
    if status == 408 or status >= 500:
        return Unavailable(message, retry_after=wait)
    if 300 <= status < 400:
        return Rejected(f"{message}; redirects are not followed", retry_after=wait)
    return (NotFound if status == 404 else Rejected)(message, retry_after=wait)
