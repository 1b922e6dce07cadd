"""The table: it is what the catalogue says, it names things by the rules, and misses nothing of the API's."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from pf_exporter.schema.activity import ACTIVITY, ACTIVITY_FIELDS, CATEGORIES, LOG_LEVELS
from pf_exporter.schema.events import EVENT_NAMES, EVENTS, families
from pf_exporter.schema.family import UNITS, FamilySpec, unit

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


def test_the_table_is_the_catalogue() -> None:
    """Every field has the metric, type, scale and labels the catalogue gives it, and there are no others."""
    with CATALOGUE.open(newline="") as file:
        wanted = [
            (
                f"{row['event']} {row['field']}",
                row["metric"],
                row["type"],
                Fraction(row["scale"]),
                tuple(row["labels"].split(",")),
            )
            for row in csv.DictReader(file)
        ]
    known = [
        (family.source, family.name, family.type, Fraction(1, family.divisor), family.labels)
        for event in EVENTS.values()
        for family in event.fields.values()
    ]
    assert sorted(known) == sorted(wanted)


def test_the_table_is_keyed_by_what_it_holds() -> None:
    """The names of events and fields that lead to a family are the ones in its source."""
    for name, event in EVENTS.items():
        assert event.name == name
        for field, family in event.fields.items():
            assert family.source == f"{name} {field}"
            lane = ("lane",) if field.startswith("lane_N_") else ()
            assert family.labels == ("account", *event.circuit, *lane)


def test_only_optics_have_lanes() -> None:
    """Lanes are known from the table; the first four numbers of one are the light, by which dark is known."""
    assert [name for name, event in EVENTS.items() if event.has_lanes] == ["port|optical"]
    assert list(EVENTS["port|optical"].fields) == [
        f"lane_N_{name}"
        for name in ("rx_dbm", "tx_dbm", "rx_power", "tx_power", "output_power", "bias_current")
    ]


# The rules


@pytest.mark.parametrize("family", FAMILIES)
def test_a_name_follows_the_rules(family: FamilySpec) -> None:
    """packetfabric_, whose, group, direction in full, what, base unit, and _total on counters only."""
    assert re.fullmatch(r"packetfabric_[a-z][a-z0-9]*(_[a-z][a-z0-9]*)+", family.name)
    assert family.name.endswith("_total") == (family.type == "counter")
    assert not re.search(r"_(rx|tx|bps|pps|mw|ma|milli[a-z]*|bits?)(_|$)", family.name)
    kind, _, group = family.source.split()[0].partition("|")
    group = f"{group}_" if group in ("etherstats", "optical") else ""
    owner = "activity_" if kind == "customer" else f"{kind}_{group}"
    assert family.name.startswith(f"packetfabric_{owner}")
    field = family.source.split()[-1]
    # The link's transitions belong to neither direction.
    if field != "tx_carrier":
        for short, direction in (("rx", "receive"), ("tx", "transmit")):
            assert (f"_{direction}_" in family.name) == bool(re.search(rf"(^|_){short}_", field))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_scale_turns_the_unit_of_the_api_into_the_base_unit(family: FamilySpec) -> None:
    """Bits become bytes, milliwatts watts, milliamperes amperes; whatever is counted stays as it is."""
    divisors = {"watts": 1000, "amperes": 1000, "bytes_per_second": 8}
    assert family.divisor == divisors.get(unit(family.name), 1)
    if family.type == "gauge":
        assert unit(family.name) in UNITS


@pytest.mark.parametrize("family", FAMILIES)
def test_a_help_text_is_one_sentence_with_its_source(family: FamilySpec) -> None:
    """It starts with a capital, has a full stop only at its end, and the source in brackets before it."""
    text = family.documentation
    assert text == f"{family.help} ({family.source})."
    assert re.fullmatch(r"[A-Z][^.!?\n]*\S \((port|vc|customer)\|[^)]+\)\.", text)
    assert len(text) < 160
    if family.divisor != 1:
        assert re.search(r"; the API gives (bits per second|mW|mA) \(", text)


def test_names_and_help_texts_are_unique() -> None:
    """No two fields share a family or an explanation."""
    every = list(families())
    assert len({family.name for family in every}) == len(every)
    assert len({family.help for family in every}) == len(every)


def test_labels_are_identifiers() -> None:
    """A label says which circuit, end, lane or category; never a name, a user, an address or a time."""
    labels = {label for family in families() for label in family.labels}
    circuit = {"port_circuit_id", "vc_circuit_id", "vlan", "lane"}
    assert labels == {"account", *circuit, "category", "log_level"}
    assert all(family.labels[0] == "account" for family in families())
    assert ACTIVITY.labels == ("account", "category", "log_level")


def test_the_longest_unit_is_found_first() -> None:
    """A rate in bytes per second is no time in seconds, and a count of things has no unit."""
    assert unit("a_bytes_per_second") == "bytes_per_second"
    assert unit("a_timestamp_seconds") == "seconds"
    assert unit("a_bytes_total") == "bytes"
    assert unit("a_dbm") == "dbm"
    assert unit("bytes") == unit("a_frames_total") == ""


def test_log_levels_stand_in_the_order_of_their_numbers() -> None:
    """RFC 5424 counts from emergency, 0, to debug, 7."""
    assert (LOG_LEVELS[0], LOG_LEVELS[3], LOG_LEVELS[6], len(LOG_LEVELS)) == ("emergency", "error", "info", 8)


# The API's own description


def test_event_names_are_those_of_the_api(openapi: Any) -> None:
    """The 21 names equal the description's enum, and each event has a schema that the tests know."""
    content = openapi["paths"]["/v2/events/{uuid}"]["get"]["responses"]["default"]["content"]
    stream = content["text/event-stream"]["schema"]["properties"]
    assert len(EVENT_NAMES) == 21
    assert sorted(EVENT_NAMES) == sorted(stream["event"]["enum"])
    refs = {ref["$ref"].rpartition("/")[2] for ref in stream["data"]["anyOf"]}
    assert refs == {*SCHEMAS.values(), "ActivityLogEventStream"}


@pytest.mark.parametrize("name", EVENTS)
def test_every_property_of_an_event_is_known(name: str, openapi: Any) -> None:
    """A property is a metric, says which circuit, or is ignored for a stated reason; and we invent none."""
    event = EVENTS[name]
    properties = openapi["components"]["schemas"][SCHEMAS[name]]["properties"]
    found = {re.sub(r"^lane_[0-3]_", "lane_N_", key) for key in properties}
    known = [*event.fields, *event.circuit, *event.ignored]
    assert sorted(known) == sorted(found)
    assert all(len(reason.split()) > 3 for reason in event.ignored.values())


def test_every_property_of_the_activity_log_is_known(openapi: Any) -> None:
    """Properties, the example's extra ones, categories and levels of the log all are accounted for."""
    schema = openapi["components"]["schemas"]["ActivityLogEventStream"]
    example = yaml.safe_load(schema["example"]) if isinstance(schema["example"], str) else schema["example"]
    assert schema["properties"].keys() | example.keys() <= ACTIVITY_FIELDS.keys()
    assert all(ACTIVITY_FIELDS.values())
    assert schema["properties"]["category"]["enum"] == list(CATEGORIES)
    assert schema["properties"]["log_level"]["enum"] == list(LOG_LEVELS)
