"""What an object in one of the API's lists says of its circuit, read value by value."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pf_exporter.events import MAX_ID
from pf_exporter.families import Family

LONGEST = 256
"""Characters of a label's value: what people write into descriptions may be any length."""
BGP_SESSIONS = 16
"""Most BGP sessions of one cloud router connection that are shown."""

Samples = Sequence[tuple[tuple[str, ...], float]]
"""Values of the labels that follow the account and the circuit, each with its number."""


def plain(circuit_id: str) -> str:
    """The id without a trailing ``-PF``: the API writes ids of one and the same circuit with it and without.

    >>> plain("PF-AP-LAX1-1234-PF") == plain("PF-AP-LAX1-1234")
    True
    """
    return circuit_id.removesuffix("-PF")


def clean(text: str) -> str:
    """Text as a label may carry it: one line, not too long, without control characters and half surrogates.

    >>> clean("  Paris" + chr(10) + "core" + chr(0))
    'Paris core'
    """
    text = text[: 16 * LONGEST]
    if not text.isprintable():
        text = "".join(one for one in text if one.isspace() or unicodedata.category(one) not in ("Cc", "Cs"))
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


_TAG = re.compile(r"\[([^\[\]=]+)=([^\[\]]*)\]")


def tags(description: str) -> dict[str, str]:
    """What stands in a description as ``[key=value]``; of several with one key the last.

    >>> tags("Paris core [site=PAR1] [prod] [env = prod]")
    {'site': 'PAR1', 'env': 'prod'}
    """
    return {key.strip(): clean(value) for key, value in _TAG.findall(description)}


# Readers of one value that is neither null nor empty; where it cannot be used, they raise ValueError,
# LookupError or OverflowError.

_SPEED = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([kmgt])(?:b(?:it)?(?:/s|ps))?", re.ASCII | re.IGNORECASE)
_SCALES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_STATES = {"up": 1.0, "true": 1.0, "down": 0.0, "false": 0.0}


def speed(raw: object) -> float:
    """Bytes per second of ``10Gbps``, ``400Mbps`` or ``10G``, in either case.

    >>> speed("10Gbps"), speed("400Mbps")
    (1250000000.0, 50000000.0)
    """
    found = _SPEED.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found is None or not float(found[1]):
        raise ValueError("no speed")
    return float(found[1]) * _SCALES[found[2].lower()] / 8


def state(raw: object) -> float:
    """1 for ``up`` and true, 0 for ``down`` and false, in either case."""
    if not isinstance(raw, bool | str):
        raise ValueError("no state")
    return _STATES[str(raw).strip().lower()]


def count(raw: object) -> float:
    """A number that is not below zero, perhaps as text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError("no number")
    if not 0 <= (number := float(raw)) < math.inf:
        raise ValueError("no count")
    return number


def megabits(raw: object) -> float:
    """Bytes per second of so many Mbps."""
    return count(raw) * 1e6 / 8


def one(read: Callable[[object], float]) -> Callable[[object], Samples]:
    """A reader of one number as one of samples."""
    return lambda raw: [((), read(raw))]


def one_of(*states: str) -> Callable[[object], Samples]:
    """A reader of a state, in either case: 1 for the present one, 0 for the others."""

    def read(raw: object) -> Samples:
        present = raw.strip().lower() if isinstance(raw, str) else ""
        if present not in map(str.lower, states):
            raise ValueError("no state that is known")
        return [((name,), float(name.lower() == present)) for name in states]

    return read


def bgp(raw: object) -> Samples:
    """By session whether it is established, of ``[{bgp_settings_uuid, bgp_state}, …]``."""
    if not isinstance(raw, list):
        raise ValueError("no list")
    sessions: dict[tuple[str, ...], float] = {}
    for session in raw[:BGP_SESSIONS]:
        if not isinstance(session, dict) or not isinstance(session.get("bgp_state"), str):
            raise ValueError("no session")
        name = session.get("bgp_settings_uuid")
        sessions[(clean(name) if isinstance(name, str) else "",)] = float(
            session["bgp_state"].strip().lower() == "established"
        )
    return list(sessions.items())


class Circuit(NamedTuple):
    """What one object says: its id as received, and by family the samples that follow from it."""

    id: str
    samples: Mapping[str, Samples]

    @property
    def series(self) -> int:
        """How many series it makes under one id."""
        return sum(map(len, self.samples.values()))


class Measure(NamedTuple):
    """A family of numbers: where in an object its number is, and how it is read."""

    family: Family
    field: str
    read: Callable[[object], Samples]


@dataclass(frozen=True)
class Listing:
    """One list of the API, and what its objects are shown as."""

    noun: str
    path: str
    key: str
    """The field with the circuit's id, and the label of that name."""
    info: Family
    labels: Mapping[str, str]
    """By label of the info family, besides the account and the id, the field it comes from."""
    measures: tuple[Measure, ...]

    @functools.cached_property
    def families(self) -> tuple[Family, ...]:
        """All of them, in the order of /metrics."""
        return (self.info, *(measure.family for measure in self.measures))

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field that is read, each once."""
        measured = (measure.field for measure in self.measures)
        return tuple(dict.fromkeys((self.key, *self.labels.values(), *measured)))

    def read(self, item: Mapping[str, Any], keys: Sequence[str]) -> tuple[Circuit | None, dict[str, object]]:
        """The circuit that an object of the list describes, and by field the values that cannot be used.

        ``keys`` are those of the tags that become labels. Nothing makes it raise; no usable id makes it None.
        """
        rejected: dict[str, object] = {}
        circuit_id = item.get(self.key)
        if not isinstance(circuit_id, str) or not 0 < len(circuit_id) <= min(MAX_ID, LONGEST):
            return None, {self.key: circuit_id}
        if clean(circuit_id) != circuit_id:
            return None, {self.key: circuit_id}
        values = []
        for field in self.labels.values():
            raw = _at(item, field)
            values.append(clean(raw) if isinstance(raw, str) else "")
            if not isinstance(raw, str | None):
                rejected[field] = raw
        description = item.get("description")
        tagged = tags(description) if keys and isinstance(description, str) else {}
        values += [tagged.get(key, "") for key in keys]
        samples: dict[str, Samples] = {self.info.name: [(tuple(values), 1.0)]}
        for family, field, read in self.measures:
            raw = _at(item, field)
            if raw is None or raw == "":
                continue
            try:
                samples[family.name] = read(raw)
            except (ValueError, LookupError, OverflowError):
                rejected[field] = raw
        return Circuit(circuit_id, samples), rejected


def _at(item: Any, field: str) -> Any:
    """The value at a path such as ``interfaces.0.port_circuit_id``, or None."""
    for step in field.split("."):
        if isinstance(item, dict):
            item = item.get(step)
        elif isinstance(item, list) and step.isdigit() and int(step) < len(item):
            item = item[int(step)]
        else:
            return None
    return item
