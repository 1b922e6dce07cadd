"""A metric family as data: its name, type, unit, labels and help."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple


class MetricType(str, enum.Enum):
    """The type of a metric family; each member equals its name in the exposition format."""

    COUNTER = "counter"
    GAUGE = "gauge"

    def __str__(self) -> str:
        return self.value


UNITS = (
    *("bytes_per_second", "packets_per_second", "bytes", "seconds"),
    *("watts", "amperes", "volts", "dbm", "celsius"),
)
"""Units that a family's name can end in; longer units come before their suffixes."""


def unit(name: str) -> str:
    """The unit at the end of a family's name, before ``_total``; empty for a count of things.

    >>> unit("packetfabric_port_receive_bytes_total"), unit("packetfabric_port_receive_runts_total")
    ('bytes', '')
    """
    stem = name.removesuffix("_total")
    return next((unit for unit in UNITS if stem.endswith("_" + unit)), "")


class FamilySpec(NamedTuple):
    """One metric family and the field of the API that it comes from."""

    name: str
    """The name on ``/metrics``; a counter's ends in ``_total``."""
    type: MetricType
    help: str
    """One sentence without a full stop and without the source, which :attr:`documentation` adds."""
    labels: tuple[str, ...]
    source: str
    """The event and its field, such as ``port|errors rx_runt``, or the path of the polled list."""
    divisor: int = 1
    """The API's number divided by this is the value in the base unit."""

    @property
    def documentation(self) -> str:
        """The HELP text: the sentence and its source."""
        return f"{self.help} ({self.source})."


def gauge(name: str, help: str, labels: Sequence[str], source: str, divisor: int = 1) -> FamilySpec:
    """The gauge ``packetfabric_<name>``; ``labels`` come after the account."""
    return FamilySpec(f"packetfabric_{name}", MetricType.GAUGE, help, ("account", *labels), source, divisor)
