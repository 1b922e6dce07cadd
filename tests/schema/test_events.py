"""The table of events: it matches the catalogue and the API's description, and follows the naming rules."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from pf_exporter.schema.activity import ACTIVITY, CATEGORIES, LOG_LEVELS
from pf_exporter.schema.activity_fields import ACTIVITY_FIELDS
from pf_exporter.schema.events import EVENT_NAMES, EVENTS, SUBSCRIBABLE_EVENTS, families
from pf_exporter.schema.family import UNITS, FamilySpec, MetricType, unit

CATALOGUE = Path(__file__).parents[1] / "fixtures" / "metrics.csv"
SCHEMAS = {
    "port|metrics": "PortMetricsEventStream",
    "port|errors": "PortErrorsEventStream",
    "port|etherstats": "PortEtherstatsEventStream",
    "port|optical": "PortOpticalEventStream",
    "vc|metrics": "LogicalInterfaceMetricsEventStream",
}
FAMILIES = [pytest.param(family, id=family.name) for family in families()]


# The catalogue


def test_table_matches_catalogue() -> None:
    """The table has exactly the fields of the catalogue, with its metric, type, scale and labels."""
    with CATALOGUE.open(newline="") as file:
        expected = [
            (
                f"{row['event']} {row['field']}",
                row["metric"],
                row["type"],
                Fraction(row["scale"]),
                tuple(row["labels"].split(",")),
            )
            for row in csv.DictReader(file)
        ]
    actual = [
        (family.source, family.name, family.type, Fraction(1, family.divisor), family.labels)
        for event in EVENTS.values()
        for family in event.fields.values()
    ]
    assert sorted(actual) == sorted(expected)


def test_keys_of_the_table() -> None:
    """The names of an event and a field lead to the family with this source."""
    for name, event in EVENTS.items():
        assert event.name == name
        for field, family in event.fields.items():
            assert family.source == f"{name} {field}"
            lane = ("lane",) if field.startswith("lane_N_") else ()
            assert family.labels == ("account", *event.circuit, *lane)


def test_lanes() -> None:
    """Only optical events have lanes; the first four fields of a lane are the readings of its light."""
    assert [name for name, event in EVENTS.items() if event.has_lanes] == ["port|optical"]
    assert list(EVENTS["port|optical"].fields) == [
        f"lane_N_{name}"
        for name in ("rx_dbm", "tx_dbm", "rx_power", "tx_power", "output_power", "bias_current")
    ]


# The naming rules


@pytest.mark.parametrize("family", FAMILIES)
def test_family_name(family: FamilySpec) -> None:
    """packetfabric_, owner, group, direction in full, measurement, base unit, and _total on counters only."""
    assert re.fullmatch(r"packetfabric_[a-z][a-z0-9]*(_[a-z][a-z0-9]*)+", family.name)
    assert family.name.endswith("_total") == (family.type is MetricType.COUNTER)
    assert not re.search(r"_(rx|tx|bps|pps|mw|ma|milli[a-z]*|bits?)(_|$)", family.name)
    type_, _, group = family.source.split()[0].partition("|")
    group = f"{group}_" if group in ("etherstats", "optical") else ""
    owner = "activity_" if type_ == "customer" else f"{type_}_{group}"
    assert family.name.startswith(f"packetfabric_{owner}")
    field = family.source.split()[-1]
    # Transitions of the link have no direction.
    if field != "tx_carrier":
        for short, direction in (("rx", "receive"), ("tx", "transmit")):
            assert (f"_{direction}_" in family.name) == bool(re.search(rf"(^|_){short}_", field))


@pytest.mark.parametrize("family", FAMILIES)
def test_divisor(family: FamilySpec) -> None:
    """Bits become bytes, milliwatts watts and milliamperes amperes; counts are not scaled."""
    divisors = {"watts": 1000, "amperes": 1000, "bytes_per_second": 8}
    assert family.divisor == divisors.get(unit(family.name), 1)
    if family.type is MetricType.GAUGE:
        assert unit(family.name) in UNITS


@pytest.mark.parametrize("family", FAMILIES)
def test_help(family: FamilySpec) -> None:
    """The help is one sentence with a capital letter, the source in brackets, and a full stop at its end."""
    text = family.documentation
    assert text == f"{family.help} ({family.source})."
    assert re.fullmatch(r"[A-Z][^.!?\n]*\S \((port|vc|customer)\|[^)]+\)\.", text)
    assert len(text) < 160
    if family.divisor != 1:
        assert re.search(r"; the API gives (bits per second|mW|mA) \(", text)


def test_names_and_help_texts_are_unique() -> None:
    """No two fields have the same family or help."""
    every = list(families())
    assert len({family.name for family in every}) == len(every)
    assert len({family.help for family in every}) == len(every)


def test_labels_are_identifiers() -> None:
    """Labels identify the circuit, end, lane or category; none is a user, an address or a time."""
    labels = {label for family in families() for label in family.labels}
    circuit = {"port_circuit_id", "vc_circuit_id", "vlan", "lane"}
    assert labels == {"account", *circuit, "category", "log_level"}
    assert all(family.labels[0] == "account" for family in families())
    assert ACTIVITY.labels == ("account", "category", "log_level")


def test_unit() -> None:
    """The unit is the end of the name: a rate in bytes per second is not in seconds, a count has no unit."""
    assert unit("a_bytes_per_second") == "bytes_per_second"
    assert unit("a_timestamp_seconds") == "seconds"
    assert unit("a_bytes_total") == "bytes"
    assert unit("a_dbm") == "dbm"
    assert unit("bytes") == unit("a_frames_total") == ""


def test_order_of_log_levels() -> None:
    """The levels are in the order of RFC 5424, from emergency, 0, to debug, 7."""
    assert (LOG_LEVELS[0], LOG_LEVELS[3], LOG_LEVELS[6], len(LOG_LEVELS)) == ("emergency", "error", "info", 8)


# The API's description


def test_event_names_are_those_of_the_api(openapi: Any) -> None:
    """The 21 names equal the description's enum, and the tests know the schema of each event."""
    content = openapi["paths"]["/v2/events/{uuid}"]["get"]["responses"]["default"]["content"]
    stream = content["text/event-stream"]["schema"]["properties"]
    assert len(EVENT_NAMES) == 21
    assert sorted(EVENT_NAMES) == sorted(stream["event"]["enum"])
    refs = {ref["$ref"].rpartition("/")[2] for ref in stream["data"]["anyOf"]}
    assert refs == {*SCHEMAS.values(), "ActivityLogEventStream"}


@pytest.mark.parametrize("name", EVENTS)
def test_every_property_of_an_event_is_known(name: str, openapi: Any) -> None:
    """Every property is a metric, identifies the circuit, or is ignored for a reason; there are no others."""
    event = EVENTS[name]
    properties = openapi["components"]["schemas"][SCHEMAS[name]]["properties"]
    found = {re.sub(r"^lane_[0-3]_", "lane_N_", key) for key in properties}
    table = [*event.fields, *event.circuit, *event.ignored]
    assert sorted(table) == sorted(found)
    assert all(len(reason.split()) > 3 for reason in event.ignored.values())


def test_every_property_of_the_activity_log_is_known(openapi: Any) -> None:
    """The properties, categories and levels of the log are in the table, and so are those of its example."""
    schema = openapi["components"]["schemas"]["ActivityLogEventStream"]
    example = yaml.safe_load(schema["example"]) if isinstance(schema["example"], str) else schema["example"]
    assert schema["properties"].keys() | example.keys() <= ACTIVITY_FIELDS.keys()
    assert all(ACTIVITY_FIELDS.values())
    assert schema["properties"]["category"]["enum"] == list(CATEGORIES)
    assert schema["properties"]["log_level"]["enum"] == list(LOG_LEVELS)


def test_subscribable_events_are_events() -> None:
    """Every event that can be subscribed to is documented, and only three that are documented cannot be."""
    subscribable = {f"{type_}|{event}" for type_, events in SUBSCRIBABLE_EVENTS.items() for event in events}
    assert set(EVENT_NAMES) - subscribable == {"customer|billing", "customer|contact", "customer|customer"}
    assert subscribable < set(EVENT_NAMES)
