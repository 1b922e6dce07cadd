"""Faults: the table of all of them, and the set that is enabled."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType

from pf_exporter.errors import ConfigError
from pf_exporter.simulator.events import Event
from pf_exporter.simulator.resource_name import ResourceName


class Fault(Enum):
    """One kind of misbehavior: its name, its description, and the default of its number if it takes one.

    The faults of polled resources apply to all of them, or to one.
    """

    LOGIN_401 = "login-401", "A login fails with 401, as for a wrong password."
    LOGIN_429 = "login-429", "A login fails with 429 and Retry-After: N seconds (default 5).", 5.0
    LOGIN_500 = "login-500", "A login fails with 500 and a body that is not JSON."
    LOGIN_MFA = "login-mfa", "A login requires a second factor; its token is not valid."
    LOGIN_EULA = "login-eula", "A login requires the EULA to be signed; its token is not valid."
    SINGLE_SESSION = "single-session", "A login ends the user's other sessions."
    SUBSCRIBE_403 = "subscribe-403", "Creating a subscription fails with 403."
    SUBSCRIBE_500 = "subscribe-500", "Creating a subscription fails with 500."
    SUBSCRIBE_EMPTY = "subscribe-empty", "Creating a subscription returns 201 without subscription_uuid."
    INVENTORY_500 = "inventory-500", "The lists of ports, services and connections fail with 500."
    PAGING_IGNORED = "paging-ignored", "Lists ignore page_size and offset, and return all rows."
    POLL_403 = "poll-403", "A resource fails with 403, as without permission.", None, True
    POLL_404 = "poll-404", "A resource fails with 404, as if the API did not have it.", None, True
    POLL_429 = "poll-429", "A resource fails with 429 and Retry-After: N seconds (default 5).", 5.0, True
    POLL_500 = "poll-500", "A resource fails with 500 and a body that is not JSON.", None, True
    POLL_SLOW = "poll-slow", "A resource is returned after N seconds (default 5).", 5.0, True
    POLL_HTML = "poll-html", "A resource returns 200 with an HTML page.", None, True
    POLL_GARBAGE = (
        "poll-garbage",
        "A resource contains malformed rows, or is a list instead of an object.",
        None,
        True,
    )
    POLL_TRUNCATED = "poll-truncated", "The connection breaks in the middle of a resource.", None, True
    STREAM_204 = "stream-204", "Opening a stream returns 204 without a body."
    STREAM_401 = (
        "stream-401",
        "Opening a stream fails with 401 if its token is N seconds old (default 0).",
        0.0,
    )
    STREAM_404 = "stream-404", "Opening a stream fails with 404, as for an expired subscription."
    STREAM_500 = "stream-500", "Opening a stream fails with 500 and a body that is not JSON."
    STREAM_HTML = "stream-html", "Opening a stream returns 200 with an HTML page."
    STREAM_CUT = (
        "stream-cut",
        "A stream breaks off in the middle of an event, after N events (default 10).",
        10.0,
    )
    STREAM_SILENCE = (
        "stream-silence",
        "A stream sends nothing, not even heartbeats, after N events (default 10).",
        10.0,
    )
    STREAM_SLOW = "stream-slow", "A stream waits N seconds after each event (default 0.5).", 0.5
    STREAM_GARBAGE = "stream-garbage", "A stream contains malformed and unknown events."
    DUPLICATE_EVENTS = "duplicate-events", "Each event is sent twice."
    OUT_OF_ORDER = "out-of-order", "Each sample is followed by the sample before it."
    RATES_IN_BYTES = "rates-in-bytes", "The rates in events are bytes per second instead of bits per second."
    NO_SECOND_CONNECTION = "no-second-connection", "A second connection to a subscription fails with 409."
    KICK_FIRST = "kick-first", "A second connection to a subscription ends the first."

    def __init__(
        self, flag: str, description: str, default: float | None = None, takes_resource: bool = False
    ) -> None:
        self.flag = flag
        self.description = description
        self.default = default
        self.takes_resource = takes_resource


RESOURCE_NAMES = tuple(resource.value for resource in ResourceName)
"""What faults of polled resources can be limited to, for help texts."""

_BY_FLAG: Mapping[str, Fault] = MappingProxyType({fault.flag: fault for fault in Fault})

FAULTS: Mapping[str, str] = MappingProxyType({fault.flag: fault.description for fault in Fault})
"""The description of each fault by its name, for help texts."""

# These name circuits that do not exist, so that they never change valid data.
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
    """The faults that are enabled; can be changed from any thread while the simulator runs.

    >>> faults = Faults(["stream-cut:3", "poll-403:billing"])
    >>> faults.number(Fault.STREAM_CUT), Fault.LOGIN_401 in faults
    (3.0, False)
    >>> faults.of_resource(Fault.POLL_403, ResourceName.BILLING) is None
    False
    """

    def __init__(self, faults: Iterable[str] = ()) -> None:
        self._enabled: dict[tuple[Fault, ResourceName | None], float] = {}
        for fault in faults:
            self.add(fault)

    def add(self, spec: str) -> None:
        """Enable a fault by ``NAME[:RESOURCE][:NUMBER]``; raises :class:`ConfigError` if it is not valid."""
        name, *arguments = spec.split(":")
        fault = _BY_FLAG.get(name)
        if fault is None:
            raise ConfigError([f"fault {spec!r}: unknown; use one of {', '.join(FAULTS)}"])
        resource = _take_resource(fault, spec, arguments)
        number = ":".join(arguments)
        if number and fault.default is None:
            raise ConfigError([f"fault {spec!r}: {name} takes no number"])
        try:
            self._enabled[fault, resource] = float(number) if number else fault.default or 0.0
        except ValueError as exc:
            raise ConfigError([f"fault {spec!r}: {number!r} is not a number"]) from exc

    def discard(self, spec: str) -> None:
        """Disable a fault by ``NAME[:RESOURCE][:NUMBER]`` if it is enabled; the number is ignored.

        Without a resource, it is disabled for each resource.
        """
        name, *arguments = spec.split(":")
        fault = _BY_FLAG.get(name)
        if fault is not None:
            resource = _take_resource(fault, spec, arguments)
            for key in list(self._enabled):
                if key[0] is fault and resource in (None, key[1]):
                    self._enabled.pop(key, None)

    def __contains__(self, fault: Fault) -> bool:
        return (fault, None) in self._enabled

    def __iter__(self) -> Iterator[Fault]:
        return iter(dict.fromkeys(fault for fault, _ in list(self._enabled)))

    def number(self, fault: Fault) -> float | None:
        """Return the number of an enabled fault, None if it is disabled."""
        return self._enabled.get((fault, None))

    def of_resource(self, fault: Fault, resource: ResourceName) -> float | None:
        """Return the number of a fault that is enabled for a resource or for all, None if it is disabled."""
        return self._enabled.get((fault, resource), self.number(fault))

    def falsify(self, event: Event) -> Event:
        """Return an event with its rates in bytes per second, if that is enabled."""
        name, data = event
        if Fault.RATES_IN_BYTES not in self or not name.endswith("|metrics"):
            return event
        in_bytes = {
            key: value // 8 for key, value in data.items() if key.endswith("_bps") and isinstance(value, int)
        }
        return name, data | in_bytes

    def distort(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the frames of a stream, with the duplicates and garbage that are enabled at that moment."""
        garbage = itertools.cycle(_GARBAGE)
        for frame in frames:
            yield frame
            if Fault.DUPLICATE_EVENTS in self:
                yield frame
            if Fault.STREAM_GARBAGE in self:
                yield next(garbage)


def _take_resource(fault: Fault, spec: str, arguments: list[str]) -> ResourceName | None:
    """Remove the resource from the arguments of a fault and return it; None if there is none."""
    if not fault.takes_resource or not arguments or arguments[0][:1].isdigit():
        return None
    try:
        return ResourceName(arguments.pop(0))
    except ValueError as exc:
        raise ConfigError(
            [f"fault {spec!r}: unknown resource; use one of {', '.join(RESOURCE_NAMES)}"]
        ) from exc
