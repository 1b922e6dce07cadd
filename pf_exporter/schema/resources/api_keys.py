"""API keys and when they expire: ``/v2/api-keys``."""

from __future__ import annotations

from typing import Any

from pf_exporter.schema.family import gauge
from pf_exporter.schema.polled_resource import (
    HOUR,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    rows,
    text,
)
from pf_exporter.schema.timestamps import parse_timestamp

_PATH = "/v2/api-keys"

API_KEY_EXPIRY = gauge(
    "api_key_expiry_timestamp_seconds",
    "When the API key expires, by its name; 'own' is true for the key that the exporter uses; absent for a"
    " key that never expires",
    ("api_key", "own"),
    f"{_PATH} expiration",
)


def _read(body: Any, context: ReadContext) -> Reading:
    expiries: dict[tuple[str, str], float] = {}
    rejected: list[str] = []
    for item in rows(body):
        expiry, unusable = parse_timestamp(item.get("expiration") or None)
        if unusable:
            rejected.append("expiration")
        if expiry is None:
            continue
        own = context.is_own_key(text(item, "uuid"))
        labels = (text(item, "name"), str(own).lower())
        # Several keys can have one name: the first that expires counts.
        expiries[labels] = min(expiry, expiries.get(labels, expiry))
    samples = tuple(Sample(API_KEY_EXPIRY.name, labels, at) for labels, at in expiries.items())
    return Reading(samples, rejected=tuple(rejected))


API_KEYS = PolledResource(
    name="api_key",
    title="API keys of the user, and when they expire",
    requests=(PolledRequest(_PATH),),
    period=HOUR,
    read=_read,
    families=(API_KEY_EXPIRY,),
)
