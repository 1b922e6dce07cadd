"""Parsers of the fields of polled resources, from a JSON value to samples.

A parser receives a value that is neither null nor empty, and raises ValueError, LookupError or OverflowError
if it cannot use it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

from pf_exporter.schema.labels import sanitize_label
from pf_exporter.schema.observation import OTHER
from pf_exporter.schema.values import MAX_COUNT

MAX_BGP_SESSIONS = 16
"""Most BGP sessions of one cloud router connection that become series."""

Samples = Sequence[tuple[tuple[str, ...], float]]
"""The samples of one circuit: the values of the labels after the account and the circuit, and the number."""

_SPEED = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([kmgt])(?:b(?:it)?(?:/s|ps))?", re.ASCII | re.IGNORECASE)
_SCALES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
BGP_STATES = (
    *("idle", "connect", "active", "opensent", "openconfirm", "established"),  # RFC 4271
    *("configuring", "fetching"),  # the network is still preparing or reading the session
)
"""States of a BGP session; the API documents only some, and no complete list."""
TRANSITIONAL_BGP_STATES = frozenset({"configuring", "fetching"})
"""States in which a session is neither up nor down."""

_UP_DOWN = {"up": 1.0, "true": 1.0, "down": 0.0, "false": 0.0}


def parse_speed(raw: object) -> float:
    """Bytes per second of a speed such as ``10Gbps``, ``400Mbps`` or ``10G``, in any case.

    >>> parse_speed("10Gbps"), parse_speed("400Mbps")
    (1250000000.0, 50000000.0)
    """
    match = _SPEED.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or not float(match[1]):
        raise ValueError("not a speed")
    return float(match[1]) * _SCALES[match[2].lower()] / 8


def parse_up_down(raw: object) -> float:
    """1 for ``up`` and true, 0 for ``down`` and false, in any case."""
    if not isinstance(raw, bool | str):
        raise ValueError("not a state")
    return _UP_DOWN[str(raw).strip().lower()]


def parse_count(raw: object) -> float:
    """A number from 0 to ``MAX_COUNT``, or text of one."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError("not a number")
    number = float(raw)
    if not 0 <= number <= MAX_COUNT:
        raise ValueError("not a count")
    return number


def parse_megabits(raw: object) -> float:
    """Bytes per second of a rate in Mbps."""
    return parse_count(raw) * 1e6 / 8


def single(parse: Callable[[object], float]) -> Callable[[object], Samples]:
    """Turn a parser of one number into a parser of one sample without further labels."""
    return lambda raw: [((), parse(raw))]


def state_set(*states: str) -> Callable[[object], Samples]:
    """A parser of a state in any case: 1 for the current state, 0 for each other."""

    def parse(raw: object) -> Samples:
        current = raw.strip().lower() if isinstance(raw, str) else ""
        if current not in map(str.lower, states):
            raise ValueError("not a documented state")
        return [((state,), float(state.lower() == current)) for state in states]

    return parse


@functools.lru_cache(maxsize=256)
def state_samples(states: tuple[str, ...], current: str) -> Samples:
    """1 for the current state and 0 for each other; a state that is not among ``states`` is ``other``.

    Circuits in the same state share the samples.
    """
    current = current if current in states else OTHER
    return tuple(((state,), float(state == current)) for state in (*states, OTHER))


def open_state_set(*states: str) -> Callable[[object], Samples]:
    """A parser of a state in any case; a state that is not documented is ``other``."""

    def parse(raw: object) -> Samples:
        if not isinstance(raw, str):
            raise ValueError("not a state")
        return state_samples(states, raw.strip().lower())

    return parse


def _bgp_sessions(raw: object) -> dict[str, str]:
    """The states of ``[{bgp_settings_uuid, bgp_state}, …]`` by UUID, in lower case."""
    if not isinstance(raw, list):
        raise ValueError("not a list")
    sessions: dict[str, str] = {}
    for session in raw[:MAX_BGP_SESSIONS]:
        if not isinstance(session, dict) or not isinstance(session.get("bgp_state"), str):
            raise ValueError("not a BGP session")
        uuid = session.get("bgp_settings_uuid")
        label = sanitize_label(uuid) if isinstance(uuid, str) else ""
        sessions[label] = session["bgp_state"].strip().lower()
    return sessions


def parse_bgp_sessions(raw: object) -> Samples:
    """One sample per session: 1 if it is established, 0 if not; none while its state is transitional."""
    return [
        ((uuid,), float(state == "established"))
        for uuid, state in _bgp_sessions(raw).items()
        if state not in TRANSITIONAL_BGP_STATES
    ]


def parse_bgp_states(raw: object) -> Samples:
    """The state set of each session."""
    return [
        ((uuid, *labels), value)
        for uuid, current in _bgp_sessions(raw).items()
        for labels, value in state_samples(BGP_STATES, current)
    ]
