"""Content negotiation: the format and the encoding that a client prefers."""

from __future__ import annotations

from pf_exporter.metrics import Format

_FORMATS = {
    ("text/plain", ""): Format.TEXT,
    ("text/plain", "0.0.4"): Format.TEXT,
    ("text/plain", "1.0.0"): Format.TEXT_1,
    ("application/openmetrics-text", ""): Format.OPENMETRICS,
    ("application/openmetrics-text", "1.0.0"): Format.OPENMETRICS,
}
"""By media type and its parameter ``version``."""


def _accepted(header: str) -> list[tuple[str, str]]:
    """The values of an Accept or Accept-Encoding header with their versions, by descending quality."""
    accepted: list[tuple[float, str, str]] = []
    for part in header.lower().split(","):
        value, *rest = (word.strip() for word in part.split(";"))
        parameters = dict(word.partition("=")[::2] for word in rest)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if quality > 0:
            accepted.append((quality, value, parameters.get("version", "")))
    accepted.sort(key=lambda item: item[0], reverse=True)  # Stable: ties keep the header's order.
    return [(value, version) for _, value, version in accepted]


def preferred_format(accept: str) -> Format:
    """The most preferred format that exists; Prometheus' oldest text format if there is none."""
    return next((_FORMATS[item] for item in _accepted(accept) if item in _FORMATS), Format.TEXT)


def prefers_gzip(accept_encoding: str) -> bool:
    """Whether the client prefers gzip to no compression."""
    codings = (coding for coding, _ in _accepted(accept_encoding) if coding in ("gzip", "identity"))
    return next(codings, "identity") == "gzip"
