"""What an object in one of the API's lists says of its circuit, read value by value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from pf_exporter.schema.labels import sanitize_label

MAX_BGP_SESSIONS = 16
"""Most BGP sessions of one cloud router connection that are shown."""

Samples = Sequence[tuple[tuple[str, ...], float]]
"""Values of the labels that follow the account and the circuit, each with its number."""


# Readers of one value that is neither null nor empty; where it cannot be used, they raise ValueError,
# LookupError or OverflowError.

_SPEED = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([kmgt])(?:b(?:it)?(?:/s|ps))?", re.ASCII | re.IGNORECASE)
_SCALES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_STATES = {"up": 1.0, "true": 1.0, "down": 0.0, "false": 0.0}


def parse_speed(raw: object) -> float:
    """Bytes per second of ``10Gbps``, ``400Mbps`` or ``10G``, in either case.

    >>> speed("10Gbps"), speed("400Mbps")
    (1250000000.0, 50000000.0)
    """
    found = _SPEED.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found is None or not float(found[1]):
        raise ValueError("no speed")
    return float(found[1]) * _SCALES[found[2].lower()] / 8


def parse_up_down(raw: object) -> float:
    """1 for ``up`` and true, 0 for ``down`` and false, in either case."""
    if not isinstance(raw, bool | str):
        raise ValueError("no state")
    return _STATES[str(raw).strip().lower()]


def parse_count(raw: object) -> float:
    """A number that is not below zero, perhaps as text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError("no number")
    if not 0 <= (number := float(raw)) < math.inf:
        raise ValueError("no count")
    return number


def parse_megabits(raw: object) -> float:
    """Bytes per second of so many Mbps."""
    return parse_count(raw) * 1e6 / 8


def single(read: Callable[[object], float]) -> Callable[[object], Samples]:
    """A reader of one number as one of samples."""
    return lambda raw: [((), read(raw))]


def state_set(*states: str) -> Callable[[object], Samples]:
    """A reader of a state, in either case: 1 for the present one, 0 for the others."""

    def read(raw: object) -> Samples:
        present = raw.strip().lower() if isinstance(raw, str) else ""
        if present not in map(str.lower, states):
            raise ValueError("no state that is known")
        return [((name,), float(name.lower() == present)) for name in states]

    return read


def parse_bgp_sessions(raw: object) -> Samples:
    """By session whether it is established, of ``[{bgp_settings_uuid, bgp_state}, …]``."""
    if not isinstance(raw, list):
        raise ValueError("no list")
    sessions: dict[tuple[str, ...], float] = {}
    for session in raw[:MAX_BGP_SESSIONS]:
        if not isinstance(session, dict) or not isinstance(session.get("bgp_state"), str):
            raise ValueError("no session")
        name = session.get("bgp_settings_uuid")
        sessions[(sanitize_label(name) if isinstance(name, str) else "",)] = float(
            session["bgp_state"].strip().lower() == "established"
        )
    return list(sessions.items())
