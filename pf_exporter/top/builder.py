"""Builds circuits from samples of metric families."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pf_exporter.schema import PORT_LAST_EVENT, VC_LAST_EVENT, canonical_id, sanitize_label
from pf_exporter.top.circuit import Circuit, Kind

PORT, VC = "port_circuit_id", "vc_circuit_id"

BITS = 8.0
"""Bits per byte: the families count bytes, people read bits."""


class _Target(NamedTuple):
    """The attribute of a circuit that the samples of one family determine."""

    attribute: str
    """The attribute of :class:`Circuit`."""
    factor: float = 1.0
    combine: Callable[[float, float], float] | None = None
    """Combines several samples of one circuit, such as optical lanes; None if the last one counts."""


_TARGETS: Mapping[str, _Target] = MappingProxyType(
    {
        "packetfabric_port_receive_bytes_per_second": _Target("receive", BITS),
        "packetfabric_port_transmit_bytes_per_second": _Target("transmit", BITS),
        "packetfabric_port_receive_unspecified_errors_total": _Target("errors", 1.0, operator.add),
        "packetfabric_port_transmit_unspecified_errors_total": _Target("errors", 1.0, operator.add),
        "packetfabric_port_optical_receive_power_dbm": _Target("light", 1.0, min),
        PORT_LAST_EVENT: _Target("last_event", 1.0, max),
        "packetfabric_port_speed_bytes_per_second": _Target("speed", BITS),
        "packetfabric_port_operational_up": _Target("up"),
        "packetfabric_port_admin_up": _Target("enabled"),
        "packetfabric_vc_receive_bytes_per_second": _Target("receive", BITS),
        "packetfabric_vc_transmit_bytes_per_second": _Target("transmit", BITS),
        VC_LAST_EVENT: _Target("last_event", 1.0, max),
        "packetfabric_vc_connected": _Target("up"),
        "packetfabric_vc_receive_limit_bytes_per_second": _Target("receive_limit", BITS),
        "packetfabric_vc_transmit_limit_bytes_per_second": _Target("transmit_limit", BITS),
    }
)
_VC_INFO = "packetfabric_vc_info"
_INFOS = ("packetfabric_port_info", _VC_INFO)

FAMILIES = frozenset((*_TARGETS, *_INFOS))
"""The families that circuits are built from; the errors are those that the router counts as a sum."""

_Numbers = dict[str, float]


class _Place(NamedTuple):
    """The place of samples: a port, a virtual circuit, its ends on a port, or one end; IDs are canonical."""

    account: str
    is_vc: bool
    vc: str
    """Empty for a port."""
    port: str
    """Empty for a virtual circuit as a whole."""
    vlan: str | None = None
    """Only for one end of a virtual circuit; it can be empty."""


class CircuitBuilder:
    """Collects samples and builds circuits.

    A sample belongs to a port, a virtual circuit, all its ends on one port, or one end: its labels decide.
    IDs with and without ``-PF`` mean one circuit; the form that comes first is shown.
    """

    def __init__(self) -> None:
        self._numbers: dict[_Place, _Numbers] = {}
        self._vc_places: dict[_Place, dict[_Place, None]] = {}
        """By virtual circuit, the places of its ends in the order of their first samples."""
        self._names: dict[_Place, str] = {}
        self._canonical_ids: dict[str, str] = {}
        """By ID as received; a look-up is several times faster than computing it again."""
        self._shown_ids: dict[str, str] = {}
        """By canonical ID, the form that was received first."""

    def add(self, family: str, labels: Mapping[str, str], value: float) -> None:
        """Add a sample of one of :data:`FAMILIES`; one without an ID is ignored."""
        if family in _INFOS:
            place = self._place(labels, of_vc=family == _VC_INFO)
            if place is not None:
                self._numbers.setdefault(place, {})
                self._names[place] = sanitize_label(labels.get("description", ""))
        else:
            self.add_numbers(labels, ((family, value),), of_vc=family.startswith("packetfabric_vc_"))

    def add_numbers(
        self, labels: Mapping[str, str], samples: Iterable[tuple[str, float]], *, of_vc: bool
    ) -> None:
        """Add samples that have the same labels; those of info families are not among them."""
        place = self._place(labels, of_vc=of_vc)
        if place is None:
            return
        numbers = self._numbers.setdefault(place, {})
        for family, value in samples:
            attribute, factor, combine = _TARGETS[family]
            number = value * factor
            if combine is not None and attribute in numbers:
                number = combine(numbers[attribute], number)
            numbers[attribute] = number

    def _place(self, labels: Mapping[str, str], *, of_vc: bool) -> _Place | None:
        account, port = labels.get("account", ""), labels.get(PORT, "")
        if not of_vc:
            return _Place(account, False, "", self._canonical(port)) if port else None
        if not labels.get(VC):
            return None
        vc = _Place(account, True, self._canonical(labels[VC]), "")
        ends = self._vc_places.setdefault(vc, {})
        if not port:
            return vc
        place = _Place(account, True, vc.vc, self._canonical(port), labels.get("vlan"))
        ends[place] = None
        return place

    def _canonical(self, circuit_id: str) -> str:
        key = self._canonical_ids.get(circuit_id)
        if key is None:
            key = self._canonical_ids[circuit_id] = canonical_id(circuit_id)
            self._shown_ids.setdefault(key, sanitize_label(circuit_id))
        return key

    def build(self) -> Iterator[Circuit]:
        """Every port, and every end of every virtual circuit; a virtual circuit without data has one row."""
        for place, numbers in self._numbers.items():
            if not place.is_vc:
                name = self._names.get(place, "")
                yield Circuit(
                    Kind.PORTS,
                    place.account,
                    self._shown_ids[place.port],
                    name=name,
                    **numbers,  # type: ignore[arg-type]
                )
        for vc, places in self._vc_places.items():
            with_vlan = {place._replace(vlan=None) for place in places if place.vlan is not None}
            ends = [place for place in places if place not in with_vlan]
            for end in ends or [vc]:
                yield self._vc_end(vc, end)

    def _vc_end(self, vc: _Place, end: _Place) -> Circuit:
        of_port = self._numbers.get(_Place(end.account, False, "", end.port), {})
        numbers = {
            **({"speed": of_port["speed"]} if "speed" in of_port else {}),
            **self._numbers.get(vc, {}),
            **self._numbers.get(end._replace(vlan=None), {}),
            **self._numbers.get(end, {}),
        }
        return Circuit(
            Kind.VCS,
            end.account,
            self._shown_ids[end.vc],
            self._shown_ids.get(end.port, ""),
            sanitize_label(end.vlan or ""),
            self._names.get(vc, ""),
            **numbers,
        )
