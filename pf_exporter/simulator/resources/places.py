"""Places and labels: locations with their coordinates, and the labels of circuits."""

from __future__ import annotations

from typing import NamedTuple

from starlette.exceptions import HTTPException

from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource
from pf_exporter.simulator.topology import POPS, Pop


class _Place(NamedTuple):
    latitude: str
    longitude: str
    state: str
    country: str
    timezone: str


# Approximate coordinates of the cities. The API has them as strings.
_PLACES = {
    "LAX1": _Place("34.0522", "-118.2437", "CA", "US", "America/Los_Angeles"),
    "NYC1": _Place("40.7128", "-74.0060", "NY", "US", "America/New_York"),
    "LAS1": _Place("36.1699", "-115.1398", "NV", "US", "America/Los_Angeles"),
    "WDC1": _Place("39.0438", "-77.4874", "VA", "US", "America/New_York"),
    "DA1": _Place("32.7767", "-96.7970", "TX", "US", "America/Chicago"),
    "CHI1": _Place("41.8781", "-87.6298", "IL", "US", "America/Chicago"),
    "SFO1": _Place("37.7749", "-122.4194", "CA", "US", "America/Los_Angeles"),
    "SEA1": _Place("47.6062", "-122.3321", "WA", "US", "America/Los_Angeles"),
    "ATL1": _Place("33.7490", "-84.3880", "GA", "US", "America/New_York"),
    "MIA1": _Place("25.7617", "-80.1918", "FL", "US", "America/New_York"),
    "PHX2": _Place("33.4484", "-112.0740", "AZ", "US", "America/Phoenix"),
    "LON1": _Place("51.5074", "-0.1278", "", "GB", "Europe/London"),
}
_FILTERS = ("pop", "city", "state", "market", "region")
_LABELS = ("production", "staging", "R&D east")


def _locations(query: Query) -> object:
    """Return ``Location_GET`` of every POP, and with ``any_type`` also of secondary sites."""
    rows = [_location(pop, "primary") for pop in POPS]
    if query.parameters.get("any_type", "false").lower() == "true":
        rows += [_location(pop, "secondary") for pop in POPS[:3]]
    wanted = {name: query.parameters[name].lower() for name in _FILTERS if name in query.parameters}
    return [row for row in rows if all(str(row[name]).lower() == value for name, value in wanted.items())]


def _location(pop: Pop, kind: str) -> Row:
    place = _PLACES[pop.name]
    return {
        "pop": pop.name,
        "region": pop.region,
        "market": pop.market,
        "market_description": pop.market_description,
        "vendor": pop.site.partition(" ")[0],
        "site": pop.site,
        "site_code": pop.site_code,
        "type": kind,
        "status": "Active",
        "latitude": place.latitude,
        "longitude": place.longitude,
        "timezone": place.timezone,
        "notes": "",
        "lead_time": "instant",
        "single_armed": False,
        "city": pop.market_description,
        "state": place.state,
        "country": place.country,
        "network_provider": "PacketFabric",
        "time_created": "2020-01-01T12:30:00Z",
        "device_port_types": ["blue"],
    }


def _labels(query: Query) -> object:
    return {"labels": list(_LABELS)}


def _label(query: Query) -> object:
    """Return the circuits of a label: every third port and circuit, and none has two labels."""
    if query.path["label"] not in _LABELS:
        raise HTTPException(404, "Label not found.")
    index, network = _LABELS.index(query.path["label"]), query.network
    ports = [port.circuit_id for port in network.ports[index :: len(_LABELS)]]
    circuits = [circuit.circuit_id for circuit in network.circuits[index :: len(_LABELS)]]
    return {"objects": ports + circuits}


PLACES = (
    Resource(ResourceName.LOCATIONS, "/v2/locations", _locations),
    Resource(ResourceName.LABELS, "/v2/labels", _labels),
    Resource(ResourceName.LABELS, "/v2/labels/{label}", _label),
)
