"""Decode events: everything usable is kept, everything else is counted, and nothing else is raised."""

from __future__ import annotations

import json
import math
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pf_exporter.errors import NoCircuitId, NotJson, TooDeep
from pf_exporter.schema import decoder
from pf_exporter.schema.activity import CATEGORIES, LOG_LEVELS
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.lenient_decoder import decode_lenient
from pf_exporter.schema.observation import OTHER, ActivityLogEntry
from pf_exporter.schema.timestamps import epoch
from tests.schema.samples import DOCUMENTED_LANES, EXAMPLES, SAMPLED_AT, keys, numbers, observe, sample

# Documented events


@pytest.mark.parametrize("payload", EXAMPLES[2:], ids=lambda payload: str(payload["event"]))
def test_published_example(payload: dict[str, Any]) -> None:
    """Every number of the API's examples is decoded; nothing is rejected or unknown."""
    observation = observe(payload["event"], payload["data"])
    data = payload["data"]
    assert observation.event is EVENTS[payload["event"]]
    assert observation.circuit == tuple(data[name] for name in observation.event.circuit)
    assert observation.timestamp == epoch(data["timestamp"]) is not None
    assert (observation.fields_rejected, observation.unknown) == (0, ())
    if observation.event.has_lanes:
        # The example has 0.0 dBm and 0.0 mW on all four lanes, which are dark.
        assert (observation.lanes, observation.values) == ((), ())
    else:
        assert numbers(observation) == {key: data[key] for key in observation.event.fields}
        assert all(type(value) is float for value in observation.values)


def test_published_vc_example() -> None:
    """The example of ``vc|metrics`` in full: a VLAN that is a string, IDs as received, and numbers."""
    observation = observe("vc|metrics", EXAMPLES[2]["data"])
    assert observation.circuit == ("PF-CC-ABC-QRS-24827-PF", "PF-AP-ABC-999-PF", "4")
    assert observation.timestamp == SAMPLED_AT
    assert observation.values == (1024, 4096, 512, 2048, 1024, 4096, 512, 2048)


@pytest.mark.parametrize("name", EVENTS)
def test_every_field(name: str) -> None:
    """With a different value in each field, every value is at the place that the table gives it."""
    data = sample(name)
    observation = observe(name, data)
    assert numbers(observation) == {key: data[key] for key in keys(name)}
    assert observation.lanes == (DOCUMENTED_LANES if EVENTS[name].has_lanes else ())
    assert observation == decode_lenient(EVENTS[name], json.dumps(data))


@pytest.mark.parametrize("name", EVENTS)
def test_missing_and_null_fields(name: str) -> None:
    """A missing or null number is None and not rejected, and its neighbours are unaffected."""
    for key in keys(name):
        for absent in (None, ...):
            data = sample(name, **{key: absent})
            observation = observe(name, data)
            assert numbers(observation) == {other: data.get(other) for other in keys(name)}
            assert (observation.fields_rejected, observation.unknown) == (0, ())


def test_event_without_numbers() -> None:
    """In an event that contains only the circuit, every number is None."""
    for name, event in EVENTS.items():
        data = {key: value for key, value in sample(name).items() if key in event.circuit}
        observation = observe(name, data)
        assert observation.timestamp is None
        assert observation.values == (() if event.has_lanes else (None,) * len(event.fields))
        assert (observation.fields_rejected, observation.unknown) == (0, ())


# Undocumented fields and events


@pytest.mark.parametrize("name", EVENTS)
def test_unknown_fields(name: str) -> None:
    """Every field outside the table is reported, whatever its value, and even if another field is missing."""
    fields = {"a": 1, "b": {"c": [1, {"d": '":'}]}, '": "e': '": "', "bytes_rx_total ": 1, "\ud800": "\udfff"}
    expected = numbers(observe(name, sample(name)))
    for separators in ((", ", ": "), (",", ":"), (" , ", " : ")):
        for count in range(len(fields) + 1):
            data = dict(list(fields.items())[:count]) | sample(name)
            observation = observe(name, json.dumps(data, separators=separators))
            assert (len(observation.unknown), observation.fields_rejected, numbers(observation)) == (
                count,
                0,
                expected,
            )
    # The number of fields is as documented, but one of them is unknown.
    removed = [key for key in sample(name) if key not in EVENTS[name].circuit][-1]
    assert len(observe(name, sample(name, **{removed: ..., "new": 1})).unknown) == 1


def test_field_of_another_event() -> None:
    """A field that only another event documents is unknown, and so are misspelt lanes."""
    assert len(observe("port|metrics", sample("port|metrics", vlan=4)).unknown) == 1
    assert len(observe("port|errors", sample("port|errors", lane_0_rx_dbm=1)).unknown) == 1
    unknown = dict.fromkeys(
        ("lane_N_rx_dbm", "lane_N_index", "lane__rx_dbm", "lane_00_rx_dbm", "lane_\u0664_rx_dbm"), 7.0
    )
    unknown |= {
        "lane_1_temperature": 40.0,
        "lane_1": 1.0,
        "rx_dbm": 7.0,
        "lane_100_rx_dbm": 7.0,
        "lane_-1_rx_dbm": 7,
    }
    observation = observe("port|optical", sample("port|optical", **unknown))
    assert len(observation.unknown) == len(unknown)
    assert numbers(observation) == numbers(observe("port|optical", sample("port|optical")))


@pytest.mark.parametrize(
    "name",
    ["", "message", "port", "port|", "|", "port|metrics ", "PORT|METRICS", "port|temperature", "vc|errors"],
)
def test_unknown_event(name: str) -> None:
    """An unknown name gives None without decoding the data."""
    assert decode(name, json.dumps(sample("port|metrics"))) is None
    assert decode(name, "{") is None


def test_huge_strings_in_unknown_fields() -> None:
    """A megabyte of text in an unknown field does not affect the other fields."""
    observation = observe("port|errors", sample("port|errors", note="x" * 1_000_000, **{"k" * 1_000_000: 1}))
    assert (len(observation.unknown), observation.fields_rejected) == (2, 0)
    assert numbers(observation) == numbers(observe("port|errors", sample("port|errors")))


# Circuits


@pytest.mark.parametrize(
    "circuit",
    [
        *("PF-AP-LAX1-1234", "PF-AP-ABC-999-PF", "PF-AE-WDC1-7", "CT-00123456", "PF-AP-1234", "pf-ap-lax1-1"),
        *(" x ", 'a"b\\c<d>&', "x" * 128),
    ],
)
def test_ids_are_kept_as_received(circuit: str) -> None:
    """An ID is never corrected: with or without -PF, with or without a POP, in any case."""
    for name in EVENTS:
        for ascii_only in (True, False):
            text = json.dumps(sample(name, port_circuit_id=circuit), ensure_ascii=ascii_only)
            observation = observe(name, text)
            assert observation.circuit[EVENTS[name].circuit.index("port_circuit_id")] == circuit
            assert observation == decode_lenient(EVENTS[name], text)


@pytest.mark.parametrize(
    "circuit",
    [
        *(..., None, "", 5, 5.5, True, [], ["PF-AP-LAX1-1"], {}),
        *("x" * 129, "x" * 1_000_000, "\ud800", "a\udfff"),
        *("a\0b", "a\nb", "a\x1b[31mb", "a\x7f", "é", "漢" * 9, "a\u2028b", "a\u202eb", "\U0001f99d"),
    ],
    ids=lambda circuit: repr(circuit)[:20],
)
@pytest.mark.parametrize("name", EVENTS)
def test_event_without_usable_id(name: str, circuit: object) -> None:
    """An event without an ID of printable ASCII characters is rejected."""
    for label in EVENTS[name].circuit:
        if label != "vlan":
            with pytest.raises(
                NoCircuitId, match=rf"^an event {name.replace('|', '.')} has no usable {label}$"
            ):
                decode(name, json.dumps(sample(name, **{label: circuit})))


# Data that is not an event


NOT_JSON = {
    *(
        "",
        " ",
        "{",
        "}",
        "null",
        "true",
        "5",
        '"text"',
        "[]",
        "[{}]",
        "NaN",
        "undefined",
        "{'a': 1}",
        "{} {}",
    ),
    *('{"a": 1}{"a": 1}', '{"a": 1,}', '{"a" 1}', '{"a": 01}', '{"a": 1.}', '{"a": "\n"}', '{"a": "\\x"}'),
    *(
        "\ufeff{}",
        "{}\0",
        "\0",
        "\ud800",
        "{\ud800}",
        "#{}",
        "/**/{}",
        "x" * 1_000_000,
        '"' + "x" * 1_000_000,
    ),
}


@pytest.mark.parametrize("name", ["port|metrics", "port|optical", "customer|auth", "customer|new"])
@pytest.mark.parametrize("data", sorted(NOT_JSON), ids=lambda data: repr(data)[:20])
def test_data_that_is_not_one_json_object(name: str, data: str) -> None:
    """Anything but one JSON object is rejected with a short message that does not repeat it."""
    with pytest.raises(NotJson) as caught:
        decode(name, data)
    assert len(str(caught.value)) < 200
    assert "xxx" not in str(caught.value)


def test_published_optical_example_with_trailing_text() -> None:
    """The API's printed example has text after its object, and is rejected for it."""
    text = json.dumps(EXAMPLES[6]["data"]) + "          description: Body of the event\n"
    with pytest.raises(NotJson, match="Extra data"):
        decode("port|optical", text)


@pytest.mark.parametrize("name", ["port|metrics", "vc|metrics", "port|optical", "customer|auth"])
@pytest.mark.parametrize("opening", ["[", '{"a":', '{"port_circuit_id": "x", "lane_0_index": ' + "["])
@pytest.mark.parametrize("depth", [100_000])
def test_deep_nesting(name: str, opening: str, depth: int) -> None:
    """Data nested 100,000 levels deep is rejected, and the next event decodes as usual."""
    last = opening[-1] if opening[0] == "{" and opening[-1] == "[" else opening
    with pytest.raises(TooDeep):
        decode(name, opening + last * depth)
    test_every_field("port|optical")


def test_duplicate_keys() -> None:
    """The last of several equal keys counts, in both decoders."""
    text = json.dumps(sample("port|metrics"))[:-1] + ', "bytes_rx_total": 99, "port_circuit_id": "last"}'
    observation = observe("port|metrics", text)
    assert (observation.circuit, observation.values[0], len(observation.unknown)) == (("last",), 99.0, 0)
    assert observation == decode_lenient(EVENTS["port|metrics"], text)


# Any input


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


names = st.sampled_from([*EVENTS, "customer|auth", "customer|?", "?"])
known_keys = st.sampled_from(
    sorted({key for name in EVENTS for key in sample(name)} | {"log_level", "message"})
)


@st.composite
def nearly_documented(draw: st.DrawFn) -> tuple[str, str]:
    """An event and its data, in which some fields are replaced by any JSON value."""
    name = draw(names)
    document = sample(name) if name in EVENTS else {}
    document |= draw(st.dictionaries(known_keys | st.text(max_size=5), anything, max_size=5))
    return name, json.dumps(document, ensure_ascii=draw(st.booleans()))


def check_invariants(name: str, data: str) -> None:
    """Decode an event, and check what other packages rely on."""
    try:
        observation = decode(name, data)
    except (NotJson, TooDeep, NoCircuitId):
        return
    if observation is None:
        assert name == "?"
        return
    assert observation.timestamp is None or math.isfinite(observation.timestamp)
    assert observation.fields_rejected <= data.count(":")
    if isinstance(observation, ActivityLogEntry):
        assert observation.category in (*CATEGORIES, OTHER)
        assert observation.log_level in (*LOG_LEVELS, OTHER)
        return
    fields = list(observation.event.fields.values())
    assert len(observation.values) == len(fields) * (
        len(observation.lanes) if observation.event.has_lanes else 1
    )
    assert len(observation.circuit) == len(observation.event.circuit)
    assert all(
        text.encode() or label == "vlan"
        for text, label in zip(observation.circuit, observation.event.circuit, strict=True)
    )
    assert list(observation.lanes) == sorted(set(observation.lanes), key=int)
    for index, value in enumerate(observation.values):
        if value is not None:
            assert type(value) is float
            assert math.isfinite(value)
            assert value >= 0 or fields[index % len(fields)].type == "gauge"
    assert observation == decode_lenient(observation.event, data)


@given(nearly_documented())
def test_nearly_documented_events(event: tuple[str, str]) -> None:
    """With any value in any field, an event is decoded or rejected, and both decoders agree."""
    check_invariants(*event)


@given(names, anything)
def test_any_json(name: str, document: object) -> None:
    """Any JSON document is decoded or rejected, and raises nothing else."""
    check_invariants(name, json.dumps(document))


@given(names, st.text(st.characters(), max_size=200))
@example("port|metrics", '{"port_circuit_id": "x", "bytes_rx_total": ' + "\ud800")
def test_any_text(name: str, data: str) -> None:
    """Any text, lone surrogates included, is decoded or rejected, and raises nothing else."""
    check_invariants(name, data)


@given(names, st.text(st.sampled_from('{}[]":,\\ud0189.eE-+ntfrlasu \n\0\ud800'), max_size=60))
def test_any_text_like_json(name: str, data: str) -> None:
    """Any text of the characters that JSON uses is decoded or rejected, and raises nothing else."""
    check_invariants(name, data)


# The strict and the lenient decoder


def as_float(number: float | None) -> float | None:
    return None if number is None else float(number)


def documented(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Events that the API's schemas allow: every field but the IDs is optional."""
    text = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=128)
    integers = st.integers(0, 2**64 - 1)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "timestamp": st.datetimes().map(lambda at: f"{at.isoformat()}Z")
    }
    required = {circuit: text for circuit in EVENTS[name].circuit if circuit != "vlan"}
    if "vlan" in EVENTS[name].circuit:
        optional["vlan"] = st.integers(0, 4095) | st.integers(0, 4095).map(str) | st.none()
    floats = st.sampled_from([0.0, -40.0]) | st.floats(allow_nan=False, allow_infinity=False)
    for key in keys(name):
        optional[key] = (floats if EVENTS[name].has_lanes else integers) | st.none()
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("name", EVENTS)
def test_decoders_agree(name: str) -> None:
    """For any event that the API documents, both decoders give the same observation."""

    @given(documented(name), st.booleans())
    def agree(document: dict[str, Any], ascii_only: bool) -> None:
        data = json.dumps(document, ensure_ascii=ascii_only)
        observation = observe(name, data)
        assert observation == decode_lenient(EVENTS[name], data)
        assert (observation.fields_rejected, observation.unknown) == (0, ())
        if not observation.event.has_lanes:
            assert numbers(observation) == {key: as_float(document.get(key)) for key in keys(name)}

    agree()


@pytest.mark.parametrize("name", EVENTS)
def test_documented_events_are_decoded_strictly(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event with all or some documented fields is not decoded leniently."""
    lenient = mock.Mock(wraps=decode_lenient)
    monkeypatch.setattr(decoder, "decode_lenient", lenient)
    for payload in EXAMPLES:
        if payload["event"] == name:
            observe(name, payload["data"])
    observe(name, sample(name))
    observe(name, sample(name, **{keys(name)[0]: ..., keys(name)[1]: None}))
    lenient.assert_not_called()
    observe(name, sample(name, new=1))
    lenient.assert_called_once()
