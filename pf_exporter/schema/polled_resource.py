"""A polled resource of the API beside the lists of circuits, as data: requests, period, families and reader.

A reader keeps only what becomes a metric. Everything else in a response, such as keys, passwords, names of
people and prices, is dropped while it is read.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timezone, tzinfo
from typing import Any, NamedTuple

from pf_exporter.schema.family import FamilySpec
from pf_exporter.schema.labels import sanitize_label
from pf_exporter.schema.maintenance import Maintenance
from pf_exporter.schema.values import MAX_COUNT, is_id

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
"""IDs that may become part of the URL of a request, which carries the token."""


class Scope(enum.Enum):
    """What a resource is requested for; each costs its requests once per period."""

    ACCOUNT = "account"
    PORT = "port"
    CLOUD_ROUTER_CONNECTION = "cloud router connection"
    CLOUD_CONNECTION = "hosted or dedicated cloud connection"
    BILLING_ACCOUNT = "billing account"
    LABEL = "label"

    def __str__(self) -> str:
        return self.value


class Sample(NamedTuple):
    """One sample: the family's name, the values of its labels after the account, and the number."""

    family: str
    labels: tuple[str, ...]
    value: float


class Transition(NamedTuple):
    """A change of the state of a BGP session in the log of a cloud router."""

    at: float
    """UNIX seconds."""
    peer: str
    to: str
    """The new state, in lower case."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is kept of one response, or of all responses about one circuit."""

    samples: tuple[Sample, ...] = ()
    ids: tuple[str, ...] = ()
    """What another resource is requested for, such as labels."""
    maintenances: tuple[Maintenance, ...] = ()
    transitions: tuple[Transition, ...] = ()
    measured_at: float | None = None
    """UNIX seconds of a measurement; None if the response has no time."""
    rejected: tuple[str, ...] = ()
    """The fields whose values are unusable."""

    def __add__(self, other: Reading) -> Reading:
        times = [at for at in (self.measured_at, other.measured_at) if at is not None]
        return Reading(
            self.samples + other.samples,
            self.ids + other.ids,
            self.maintenances + other.maintenances,
            self.transitions + other.transitions,
            min(times, default=None),
            self.rejected + other.rejected,
        )


class ReadContext(NamedTuple):
    """What a reader knows beside the response."""

    target: str = ""
    """The ID of the circuit, or the label; empty for the whole account."""
    kind: str = ""
    """Tells the requests of a resource apart."""
    zone: tzinfo = timezone.utc
    """The zone of times without one."""
    is_own_key: Callable[[str], bool] = lambda uuid: False
    """Whether the exporter uses the API key with this UUID."""


Reader = Callable[[Any, ReadContext], Reading]
"""Returns what is kept of a response; raises ValueError if it does not have the documented form."""


class PolledRequest(NamedTuple):
    """One GET request of a resource."""

    path: str
    """With ``{id}`` for the target, and ``{router}`` for the cloud router of a connection."""
    kind: str = ""
    query: Mapping[str, str] = {}
    """Values may contain ``{id}``, and ``{from}`` and ``{to}`` for a time range."""
    key: str = ""
    """The field that identifies an item of a list that is read page by page; empty if there are no pages."""


class PolledResource(NamedTuple):
    """One row of the table of polled resources."""

    name: str
    """The value of the label ``resource``."""
    title: str
    """What it is, for people."""
    requests: tuple[PolledRequest, ...]
    period: float
    """Seconds between two requests for the same thing."""
    read: Reader
    families: tuple[FamilySpec, ...] = ()
    scope: Scope = Scope.ACCOUNT
    setting: str = ""
    """The setting of the section ``inventory`` that enables it; empty if it is always polled."""
    max_age: float | None = None
    """Seconds after which a measurement is no longer shown; None if readings have no time."""
    lookback: float = 0.0
    """Seconds before the last success that a request with a time range covers again."""


def listed(body: Any, name: str = "") -> list[Any]:
    """A list, or the list with a name in an object; raises ValueError for anything else."""
    if name:
        body = body.get(name) if isinstance(body, dict) else None
    if not isinstance(body, list):
        raise ValueError(f"no list of {name}" if name else "not a list")
    return body


def rows(body: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; raises ValueError for anything else."""
    return (item for item in listed(body) if isinstance(item, dict))


def text(item: Mapping[str, Any], key: str) -> str:
    """A string as a label; empty if there is none."""
    value = item.get(key)
    return sanitize_label(value) if isinstance(value, str) else ""


def ids(values: object) -> tuple[str, ...]:
    """The usable circuit IDs of a list, without repetition."""
    found: Iterable[object] = values if isinstance(values, list) else ()
    return tuple(dict.fromkeys(value for value in found if is_id(value)))


def number(raw: object) -> float | None:
    """A number whose size is possible; None for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not abs(raw) <= MAX_COUNT:
        return None
    return float(raw)
