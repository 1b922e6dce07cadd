"""Misbehaviour on demand: the table of faults, the set of those switched on, and what they do to a stream."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from pf_exporter.errors import ConfigError

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "login-401": "A login is refused as if the password were wrong.",
        "login-429": "A login is refused as one too many, with Retry-After: N seconds (default 5).",
        "login-500": "A login fails with a server error whose body is not JSON.",
        "login-mfa": "A login succeeds but still owes a second factor; its token is of no use.",
        "login-eula": "A login succeeds but owes a signature under the EULA; its token is of no use.",
        "single-session": "A login ends the user's other sessions.",
        "subscribe-403": "Creating a bundle is forbidden.",
        "subscribe-500": "Creating a bundle fails with a server error.",
        "subscribe-empty": "Creating a bundle answers 201 without a subscription_uuid.",
        "inventory-500": "The lists of ports and services fail with a server error.",
        "paging-ignored": "Lists come whole, whatever page_size and offset say.",
        "stream-204": "Opening a stream answers 204 and nothing else.",
        "stream-401": "Opening a stream answers 401 once its token is N seconds old (default 0).",
        "stream-404": "Opening a stream answers 404, as for a bundle that has expired.",
        "stream-500": "Opening a stream fails with a server error whose body is not JSON.",
        "stream-html": "Opening a stream answers 200 with a web page.",
        "stream-cut": "A stream breaks off inside an event, after N events (default 10).",
        "stream-silence": "A stream falls silent, heartbeats and all, after N events (default 10).",
        "stream-slow": "A stream waits N seconds after every event (default 0.5).",
        "stream-garbage": "Between the events come broken and strange ones.",
        "duplicate-events": "Every event comes twice.",
        "out-of-order": "Every sample is followed by the one before it.",
        "no-second-connection": "A bundle that is being streamed answers 409 to a second connection.",
        "kick-first": "A second connection to a bundle ends the first.",
    }
)
"""Every fault by name, and what it does in a sentence."""

_NUMBERS: Mapping[str, float] = MappingProxyType(
    {"login-429": 5, "stream-401": 0, "stream-cut": 10, "stream-silence": 10, "stream-slow": 0.5}
)

# All about circuits that do not exist, so that whatever is made of these spoils nothing that is true.
_GARBAGE = (
    b'event: port|metrics\ndata: {"timestamp": "2021-09-22T20:34:30+00:00", "port_circ\n\n',
    b'event: port|metrics\ndata: {"port_circuit_id": "PF-AP-BAD1-1", "bytes_rx_bps": NaN}\n\n',
    b'event: port|metrics\ndata: {"port_circuit_id": "PF-AP-BAD1-2", "bytes_rx_total": 1e999}\n\n',
    b'event: port|metrics\ndata: {"timestamp": "2021-09-22T20:34:30+00:00", "bytes_rx_bps": 512}\n\n',
    b'event: port|metrics\ndata: {"port_circuit_id": null, "bytes_rx_bps": 512}\n\n',
    b'event: port|metrics\ndata: {"port_circuit_id": "PF-AP-BAD1-3", "from_the_future": {"a": [1]}}\n\n',
    b'event: port|metrics\ndata: {"port_circuit_id": "PF-AP-BAD1-4", "bytes_rx_bps": "- Inf"}\n\n',
    b'event: port|weather\ndata: {"port_circuit_id": "PF-AP-BAD1-5", "rain": 3}\n\n',
    b"event: port|errors\ndata: [1, 2, 3]\n\n",
    b"event: port|errors\ndata:\n\n",
    b"data: an event without a name\n\n",
    b'event: vc|metrics\ndata: {"vc_circuit_id": "PF-BC-\xff\xfe", "vlan": 4}\n\n',
    b'event: vc|metrics\ndata: {"vc_circuit_id": "PF-BC-BAD-BAD-6-PF", "vlan": null}\n\n',
    b"event: customer|" + b"x" * 1000 + b'\ndata: {"message": "\\ud800"}\n\n',
    b"id: 7\nretry: 1\nsurprise: field\n\n",
)


class Faults:
    """The faults that are switched on; may be changed from any thread while the simulator runs.

    >>> faults = Faults(["stream-cut:3"])
    >>> faults.number("stream-cut"), "login-401" in faults
    (3.0, False)
    """

    def __init__(self, faults: Iterable[str] = ()) -> None:
        self._on: dict[str, float] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: str) -> None:
        """Switch on ``NAME`` or ``NAME:NUMBER``; raises :class:`ConfigError` for what is not in the table."""
        name, _, number = fault.partition(":")
        if name not in FAULTS:
            raise ConfigError([f"fault {fault!r}: unknown; there are {', '.join(FAULTS)}"])
        if number and name not in _NUMBERS:
            raise ConfigError([f"fault {fault!r}: {name} takes no number"])
        try:
            self._on[name] = float(number) if number else _NUMBERS.get(name, 0.0)
        except ValueError as exc:
            raise ConfigError([f"fault {fault!r}: {number!r} is not a number"]) from exc

    def discard(self, fault: str) -> None:
        """Switch off ``NAME``, if it is on; a number is of no account."""
        self._on.pop(fault.partition(":")[0], None)

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._on))

    def number(self, name: str) -> float | None:
        """The number of a fault that is on, None when it is off."""
        return self._on.get(name)

    def distort(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        """The frames of a stream, with whatever the faults add to them."""
        garbage = itertools.cycle(_GARBAGE)
        for frame in frames:
            yield frame
            if "duplicate-events" in self:
                yield frame
            if "stream-garbage" in self:
                yield next(garbage)
