"""Events: whatever comes, what can be used is used, the rest is counted, and nothing else happens."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pf_exporter.errors import NoCircuitId, NotJson, TooDeep
from pf_exporter.schema import decoder
from pf_exporter.schema.activity import CATEGORIES, LOG_LEVELS
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.events import EVENT_NAMES, EVENTS
from pf_exporter.schema.lenient_decoder import decode_lenient
from pf_exporter.schema.observation import OTHER, ActivityLogEntry, Observation
from pf_exporter.schema.timestamps import epoch

PAYLOADS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures" / "stream-events.jsonl")
    .read_text("utf-8")
    .splitlines()
]
T = 1632342870.0  # 2021-09-22T20:34:30+00:00
DOCUMENTED_LANES = ("0", "1", "2", "3")


def keys(name: str, lanes: tuple[str, ...] = DOCUMENTED_LANES) -> list[str]:
    """The keys of an event's numbers as they stand in its data, in the order of ``Observation.values``."""
    fields = EVENTS[name].fields
    if not EVENTS[name].has_lanes:
        return list(fields)
    return [field.replace("_N_", f"_{lane}_") for lane in lanes for field in fields]


def full(name: str, lanes: tuple[str, ...]) -> dict[str, Any]:
    """An event with every documented field, each number another."""
    document: dict[str, Any] = {"timestamp": "2021-09-22T20:34:30+00:00"}
    for circuit in EVENTS[name].circuit:
        document[circuit] = {"vc_circuit_id": "PF-BC-LAX-NYC-1-PF", "vlan": 4}.get(circuit, "PF-AP-LAX1-1")
    for index, key in enumerate(keys(name, lanes)):
        document[key] = index + 1
    if EVENTS[name].has_lanes:
        document |= {f"lane_{lane}_index": 0.0 for lane in lanes}
    return document


def sample(name: str, **changes: Any) -> dict[str, Any]:
    """A full event with some fields changed, or with ``...`` taken out."""
    document = full(name, DOCUMENTED_LANES) | changes
    return {key: value for key, value in document.items() if value is not ...}


def observe(name: str, data: object) -> Observation:
    said = decode(name, data if isinstance(data, str) else json.dumps(data))
    assert isinstance(said, Observation)
    return said


def numbers(observation: Observation) -> dict[str, float | None]:
    """The observation's numbers by the key they came under."""
    named = keys(observation.event.name, observation.lanes)
    return dict(zip(named, observation.values, strict=True))


def as_float(number: float | None) -> float | None:
    return None if number is None else float(number)


def raw(name: str, key: str, literal: str) -> str:
    """The text of an event in which ``key`` has a value that :func:`json.dumps` would not write."""
    return json.dumps(sample(name, **{key: "@"})).replace('"@"', literal)


# What the API documents


@pytest.mark.parametrize("payload", PAYLOADS[2:], ids=lambda payload: str(payload["event"]))
def test_a_documented_example(payload: dict[str, Any]) -> None:
    """Every number of the API's own examples arrives under its field, and nothing is rejected or unknown."""
    said = observe(payload["event"], payload["data"])
    data = payload["data"]
    assert said.event is EVENTS[payload["event"]]
    assert said.circuit == tuple(data[name] for name in said.event.circuit)
    assert said.timestamp == epoch(data["timestamp"]) is not None
    assert (said.fields_rejected, said.unknown) == (0, ())
    if said.event.has_lanes:
        # 0.0 dBm beside 0.0 mW on four lanes: the module has none.
        assert (said.lanes, said.values) == ((), ())
    else:
        assert numbers(said) == {key: data[key] for key in said.event.fields}
        assert all(type(value) is float for value in said.values)


def test_the_documented_vc() -> None:
    """The example of ``vc|metrics``, spelt out: a VLAN that is a string, ids as received, and numbers."""
    said = observe("vc|metrics", PAYLOADS[2]["data"])
    assert said.circuit == ("PF-CC-ABC-QRS-24827-PF", "PF-AP-ABC-999-PF", "4")
    assert said.timestamp == T
    assert said.values == (1024, 4096, 512, 2048, 1024, 4096, 512, 2048)


@pytest.mark.parametrize(
    ("payload", "timestamp"), [(PAYLOADS[0], 1591902490.150711), (PAYLOADS[1], 1628266992.872013)]
)
def test_a_documented_entry_of_the_activity_log(payload: dict[str, Any], timestamp: float) -> None:
    """Both examples are read, without a zone and with one, and their extra field is no news."""
    said = decode(payload["event"], json.dumps(payload["data"]))
    assert isinstance(said, ActivityLogEntry)
    assert said.timestamp == pytest.approx(timestamp, abs=1e-6)
    assert said._replace(timestamp=None) == ActivityLogEntry("auth", "info", None, payload["data"], 0, ())


@pytest.mark.parametrize("name", EVENTS)
def test_every_field_has_its_place(name: str) -> None:
    """With all numbers different, each stands where the table says."""
    data = sample(name)
    said = observe(name, data)
    assert numbers(said) == {key: data[key] for key in keys(name)}
    assert said.lanes == (DOCUMENTED_LANES if EVENTS[name].has_lanes else ())
    assert said == decode_lenient(EVENTS[name], json.dumps(data))


@pytest.mark.parametrize("name", EVENTS)
def test_missing_and_null_are_absent(name: str) -> None:
    """A number that is missing or null is None, is not rejected, and leaves its neighbours as they are."""
    for key in keys(name):
        for nothing in (None, ...):
            data = sample(name, **{key: nothing})
            said = observe(name, data)
            assert numbers(said) == {other: data.get(other) for other in keys(name)}
            assert (said.fields_rejected, said.unknown) == (0, ())


def test_an_event_without_numbers() -> None:
    """Of an event that only names its circuit, every number is None."""
    for name, event in EVENTS.items():
        data = {key: value for key, value in sample(name).items() if key in event.circuit}
        said = observe(name, data)
        assert said.timestamp is None
        assert said.values == (() if event.has_lanes else (None,) * len(event.fields))
        assert (said.fields_rejected, said.unknown) == (0, ())


# One odd number


@pytest.mark.parametrize(
    ("literal", "number"),
    [
        ('"12"', 12.0),
        ('" 12.5 "', 12.5),
        ('"1e3"', 1000.0),
        ('"+7"', 7.0),
        ("12.0", 12.0),
        ("1e3", 1000.0),
        ("0", 0.0),
        ("9007199254740993", 9007199254740992.0),
        ("18446744073709551616", 18446744073709551616.0),
        ("9" * 300, 1e300),
    ],
)
@pytest.mark.parametrize("name", ["port|metrics", "port|optical"])
def test_a_number_in_another_form(name: str, literal: str, number: float) -> None:
    """Numbers may be strings, with blanks, with exponents, and larger than any integer of a machine."""
    key = keys(name)[0]
    said = observe(name, raw(name, key, literal))
    assert numbers(said) == {**{key: sample(name)[key] for key in keys(name)}, key: number}
    assert said.fields_rejected == 0


UNUSABLE = {
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000, '"1e999"', f'"{"9" * 5000}"'),
    *('"NaN"', '"inf"', '"Infinity"', '""', '" "', '"1_000"', '"0x10"', '"\u0664"', '"twelve"', '"12 W"'),
    *("true", "false", '"true"', "[]", "[1]", "{}", '{"value": 1}', '"\\ud800"', '"1\\u0000"'),
}


@pytest.mark.parametrize(
    "name", ["port|metrics", "vc|metrics", "port|errors", "port|etherstats", "port|optical"]
)
@pytest.mark.parametrize("literal", sorted(UNUSABLE), ids=lambda literal: literal[:12])
def test_a_value_that_is_no_number_costs_only_itself(name: str, literal: str) -> None:
    """What is not finite, no number, or no number as JSON writes it, is rejected; its neighbours stay."""
    for key in (keys(name)[0], keys(name)[-1]):
        said = observe(name, raw(name, key, literal))
        assert numbers(said) == {**{key: sample(name)[key] for key in keys(name)}, key: None}
        assert (said.fields_rejected, len(said.unknown), said.timestamp) == (1, 0, T)


@pytest.mark.parametrize("literal", ["-1", "-0.5", '"-1"', "-18446744073709551617", '"- Inf"'])
def test_a_count_below_zero_is_rejected(literal: str) -> None:
    """A counter cannot be negative, a rate can: it is a gauge, and the network may say what it likes."""
    said = observe("port|metrics", raw("port|metrics", "bytes_rx_total", literal))
    assert (numbers(said)["bytes_rx_total"], said.fields_rejected) == (None, 1)
    assert observe("port|metrics", sample("port|metrics", bytes_rx_bps=-8)).values[2] == -8


def test_several_odd_fields_are_counted_one_by_one() -> None:
    """Every unusable field counts once, whichever it is."""
    data = sample("vc|metrics", timestamp=5, vlan=[4], bytes_rx_total=-1, packets_rx_pps="no")
    said = observe("vc|metrics", data)
    assert (said.fields_rejected, len(said.unknown)) == (4, 0)
    assert said.timestamp is None
    assert said.circuit[2] == ""


# Fields and events we do not know


@pytest.mark.parametrize("name", EVENTS)
def test_unknown_fields_are_counted_exactly(name: str) -> None:
    """Each field outside the table counts, whatever its value and spacing, even where another is missing."""
    fields = {"a": 1, "b": {"c": [1, {"d": '":'}]}, '": "e': '": "', "bytes_rx_total ": 1, "\ud800": "\udfff"}
    wanted = numbers(observe(name, sample(name)))
    for separators in ((", ", ": "), (",", ":"), (" , ", " : ")):
        for count in range(len(fields) + 1):
            data = dict(list(fields.items())[:count]) | sample(name)
            said = observe(name, json.dumps(data, separators=separators))
            assert (len(said.unknown), said.fields_rejected, numbers(said)) == (count, 0, wanted)
    # One comes and another goes: the number of fields stays as documented.
    gone = [key for key in sample(name) if key not in EVENTS[name].circuit][-1]
    assert len(observe(name, sample(name, **{gone: ..., "new": 1})).unknown) == 1


def test_a_field_of_another_event_is_unknown() -> None:
    """What one event documents is news in another, and the table's own way to write lanes is no key."""
    assert len(observe("port|metrics", sample("port|metrics", vlan=4)).unknown) == 1
    assert len(observe("port|errors", sample("port|errors", lane_0_rx_dbm=1)).unknown) == 1
    odd = dict.fromkeys(
        ("lane_N_rx_dbm", "lane_N_index", "lane__rx_dbm", "lane_00_rx_dbm", "lane_\u0664_rx_dbm"), 7.0
    )
    odd |= {
        "lane_1_temperature": 40.0,
        "lane_1": 1.0,
        "rx_dbm": 7.0,
        "lane_100_rx_dbm": 7.0,
        "lane_-1_rx_dbm": 7,
    }
    said = observe("port|optical", sample("port|optical", **odd))
    assert len(said.unknown) == len(odd)
    assert numbers(said) == numbers(observe("port|optical", sample("port|optical")))


@pytest.mark.parametrize(
    "name",
    ["", "message", "port", "port|", "|", "port|metrics ", "PORT|METRICS", "port|temperature", "vc|errors"],
)
def test_an_event_of_unknown_name(name: str) -> None:
    """A name that is none of ours says nothing, and its data is not even looked at."""
    assert decode(name, json.dumps(sample("port|metrics"))) is None
    assert decode(name, "{") is None


# VLANs


@pytest.mark.parametrize(
    ("literal", "vlan", "rejected"),
    [
        ('"4"', "4", 0),
        ("4", "4", 0),
        ("4.0", "4", 0),
        ("4e0", "4", 0),
        ("0", "0", 0),
        ("4095", "4095", 0),
        ("null", "", 0),
        ('""', "", 0),
        ('"100.200"', "100.200", 0),
        ("4.5", "", 1),
        ("true", "", 1),
        ("false", "", 1),
        ("[4]", "", 1),
        ('{"id": 4}', "", 1),
        ("NaN", "", 1),
        ("Infinity", "", 1),
        ("-1e999", "", 1),
        ("1e300", "", 1),
        ("9007199254740993", "", 1),
        ("9" * 5000, "", 1),
        ('"' + "4" * 33 + '"', "", 1),
        ('"\\ud800"', "", 1),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_vlan(literal: str, vlan: str, rejected: int) -> None:
    """However a VLAN is written, the same one is the same label; what is none leaves the label empty."""
    text = raw("vc|metrics", "vlan", literal)
    for said in (observe("vc|metrics", text), decode_lenient(EVENTS["vc|metrics"], text)):
        assert said.circuit == ("PF-BC-LAX-NYC-1-PF", "PF-AP-LAX1-1", vlan)
        assert said.fields_rejected == rejected
        assert said.values == observe("vc|metrics", sample("vc|metrics")).values


def test_no_vlan() -> None:
    """An end without a VLAN is untagged, which is nothing to reject."""
    said = observe("vc|metrics", sample("vc|metrics", vlan=...))
    assert (said.circuit[2], said.fields_rejected) == ("", 0)


# Timestamps


@pytest.mark.parametrize("fraction", ["", ".5", ".500", ".50000", ".500000", ".500000000"])
@pytest.mark.parametrize("separator", ["T", " ", "t"])
@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        *(("", 0), ("Z", 0), ("z", 0), (" Z", 0), ("+00:00", 0), ("+0000", 0), ("-00:00", 0)),
        *(("-0700", -25200), ("-07:00", -25200), ("+0530", 19800), ("+05:30", 19800)),
    ],
)
def test_a_timestamp(fraction: str, separator: str, zone: str, offset: int) -> None:
    """Every form the API is known to use, and those around it, give the same instant; no zone is UTC."""
    seconds = epoch(f"2021-09-22{separator}20:34:30{fraction}{zone}")
    assert seconds == T + (0.5 if fraction else 0.0) - offset


NO_TIMESTAMPS = {
    *(
        "",
        "now",
        "0",
        "1632342870",
        "2021-09-22",
        "20:34:30",
        "2021-9-22T20:34:30",
        "2021-09-22T20:34",
        "NaN",
    ),
    *("2021-02-30T20:34:30", "2021-13-01T00:00:00", "2021-09-22T25:00:00", "2021-09-22T20:61:00"),
    *("0000-01-01T00:00:00", "2021-09-22T20:34:30.", "2021-09-22T20:34:30+7", "2021-09-22T20:34:30+07"),
    *("2021-09-22T20:34:30Z+00:00", " 2021-09-22T20:34:30", "2021-09-22T20:34:30\n", "2021/09/22 20:34:30"),
    *("٢٠٢١-09-22T20:34:30", "Wed, 22 Sep 2021 20:34:30 GMT", "2021-09-22T20:34:30.1234567890"),
    *("2021-09-22T20:34:30+24:00", "2021-09-22T20:34:30-00:60", "2021-09-22T20:34:30Z\0", "x" * 100_000),
}


@pytest.mark.parametrize("text", sorted(NO_TIMESTAMPS), ids=lambda text: repr(text)[:30])
def test_no_timestamp(text: str) -> None:
    """A text that is no instant is rejected as a field, and the event is kept without its time."""
    for name in EVENTS:
        said = observe(name, sample(name, timestamp=text))
        assert (said.timestamp, said.fields_rejected) == (None, 1)
        assert numbers(said) == numbers(observe(name, sample(name)))


@pytest.mark.parametrize("value", [0, 1632342870, 1632342870.5, True, [], {}, "\ud800"])
def test_a_timestamp_of_another_type(value: object) -> None:
    """A number could be seconds or milliseconds: it is not guessed at."""
    said = observe("port|metrics", sample("port|metrics", timestamp=value))
    assert (said.timestamp, said.fields_rejected) == (None, 1)


def test_no_timestamp_at_all() -> None:
    """A timestamp that is null or missing is unknown, not rejected."""
    for nothing in (None, ...):
        said = observe("port|metrics", sample("port|metrics", timestamp=nothing))
        assert (said.timestamp, said.fields_rejected) == (None, 0)


def test_long_timestamps_are_not_remembered() -> None:
    """The cache of timestamps holds none that a hostile stream could fill the memory with."""
    epoch.cache_clear()
    for letter in "abc":
        for name in ("port|metrics", "customer|auth"):
            decode(name, json.dumps(sample("port|metrics", timestamp=letter * 1000)))
    assert epoch.cache_info().currsize == 0


@given(st.datetimes(), st.integers(-24 * 60 + 1, 24 * 60 - 1))
def test_offsets_add_up(moment: Any, minutes: int) -> None:
    """Any instant, written in any zone, is the same instant."""
    utc = epoch(moment.isoformat() + "Z")
    sign = "-" if minutes < 0 else "+"
    local = f"{moment.isoformat()}{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    assert utc is not None
    assert epoch(local) == pytest.approx(utc - minutes * 60, abs=1e-4)


# Circuits


@pytest.mark.parametrize(
    "circuit",
    [
        *("PF-AP-LAX1-1234", "PF-AP-ABC-999-PF", "PF-AE-WDC1-7", "CT-00123456", "PF-AP-1234", "pf-ap-lax1-1"),
        *(" x ", 'a"b\\c\nd', "ä€😀", "\u2028", "x" * 256),
    ],
)
def test_ids_are_kept_as_received(circuit: str) -> None:
    """With and without -PF, with and without a POP, in either case: an id is never corrected."""
    for name in EVENTS:
        for ascii_only in (True, False):
            text = json.dumps(sample(name, port_circuit_id=circuit), ensure_ascii=ascii_only)
            said = observe(name, text)
            assert said.circuit[EVENTS[name].circuit.index("port_circuit_id")] == circuit
            assert said == decode_lenient(EVENTS[name], text)


@pytest.mark.parametrize(
    "circuit",
    [
        *(..., None, "", 5, 5.5, True, [], ["PF-AP-LAX1-1"], {}),
        *("x" * 257, "x" * 1_000_000, "\ud800", "a\udfff"),
    ],
    ids=lambda circuit: repr(circuit)[:20],
)
@pytest.mark.parametrize("name", EVENTS)
def test_an_event_without_a_usable_id_is_rejected(name: str, circuit: object) -> None:
    """What does not say of which circuit it speaks, in text that can be a label, is of no use."""
    for label in EVENTS[name].circuit:
        if label != "vlan":
            with pytest.raises(
                NoCircuitId, match=rf"^an event {name.replace('|', '.')} has no usable {label}$"
            ):
                decode(name, json.dumps(sample(name, **{label: circuit})))


# Optics


def light(lane: int, **values: object) -> dict[str, object]:
    return {f"lane_{lane}_{name}": value for name, value in values.items()}


DARK: dict[str, object] = {"rx_dbm": 0.0, "rx_power": 0.0, "tx_dbm": 0.0, "tx_power": 0.0}


@pytest.mark.parametrize("count", [0, 1, 4, 8, 12, 100])
def test_lanes_are_as_many_as_there_are(count: int) -> None:
    """Lane numbers come from the keys, in the order of the numbers, and none is invented."""
    lanes = tuple(map(str, range(count)))
    data = full("port|optical", lanes)
    shuffled = dict(sorted(data.items(), reverse=True))
    for document in (data, shuffled):
        said = observe("port|optical", document)
        assert said.lanes == lanes
        assert numbers(said) == {key: data[key] for key in keys("port|optical", lanes)}
        assert (said.fields_rejected, said.unknown) == (0, ())


def test_lanes_with_a_gap() -> None:
    """A lane's number is its own, not its place among the others."""
    said = observe("port|optical", full("port|optical", ("2", "11")))
    assert said.lanes == ("2", "11")


@pytest.mark.parametrize("zero", [0.0, 0, -0.0, "0.0"])
def test_a_dark_lane_is_no_lane(zero: object) -> None:
    """0.0 dBm is 1 mW: beside 0.0 mW it is no reading, and a lane with none has no bias current either."""
    changes = light(1, **dict.fromkeys(DARK, zero), output_power=0.0, bias_current=36.5)
    said = observe("port|optical", sample("port|optical", **changes))
    assert said.lanes == ("0", "2", "3")
    assert len(said.values) == 18
    assert said.fields_rejected == 0


@pytest.mark.parametrize(("dark", "lit"), [("rx", "tx"), ("tx", "rx")])
def test_a_lane_that_is_dark_in_one_direction(dark: str, lit: str) -> None:
    """The contradiction costs only the direction it stands in."""
    changes = light(2, **{f"{dark}_dbm": 0.0, f"{dark}_power": 0.0})
    data = sample("port|optical", **changes)
    said = numbers(observe("port|optical", data))
    assert (said[f"lane_2_{dark}_dbm"], said[f"lane_2_{dark}_power"]) == (None, None)
    assert said[f"lane_2_{lit}_dbm"] == data[f"lane_2_{lit}_dbm"]
    assert said["lane_2_bias_current"] == data["lane_2_bias_current"]


@pytest.mark.parametrize(
    "dbm", ["- Inf", "-Inf", "-inf", "-Infinity", "-infinity", " - inf ", None, -40, "-40.0"]
)
def test_dark_fibre(dbm: object) -> None:
    """No light is minus infinity, however it is written, or about -40 dBm; 0 mW beside it is a reading."""
    for value, power in ((dbm, 0.0), (dbm, 0.0001)):
        data = sample("port|optical", **light(0, rx_dbm=value, rx_power=power))
        said = numbers(observe("port|optical", data))
        assert said["lane_0_rx_dbm"] == (-40.0 if str(dbm).startswith("-40") else None)
        assert said["lane_0_rx_power"] == power
        assert observe("port|optical", data).fields_rejected == 0


def test_zero_dbm_alone_is_a_reading() -> None:
    """1 mW is an ordinary power: 0.0 dBm beside it, and 0.0 mW beside a low level, both stay."""
    changes = light(0, rx_dbm=0.0, rx_power=1.0, tx_dbm=-35.23, tx_power=0.0)
    said = observe("port|optical", sample("port|optical", **changes))
    assert said.values[:4] == (0.0, -35.23, 1.0, 0.0)


def test_a_module_of_one_lane() -> None:
    """Zeros, nulls or nothing for the other three lanes: there is one."""
    one = full("port|optical", ("0",))
    for rest in (0.0, None, ...):
        changes = {
            f"lane_{lane}_{name}": rest for lane in (1, 2, 3) for name in (*DARK, "bias_current", "index")
        }
        said = observe("port|optical", {**one, **{k: v for k, v in changes.items() if v is not ...}})
        assert (said.lanes, said.values) == (("0",), (1, 2, 3, 4, 5, 6))


@pytest.mark.parametrize("index", [0.0, 3, "0", None, True, [[]], "\u2028"])
def test_a_lane_index_says_nothing(index: object) -> None:
    """The index is ignored, whatever it is."""
    assert observe("port|optical", sample("port|optical", lane_1_index=index)) == observe(
        "port|optical", sample("port|optical")
    )


# The activity log


@pytest.mark.parametrize("name", [name for name in EVENT_NAMES if name not in EVENTS])
def test_every_category(name: str) -> None:
    """All 16 categories are read, those that cannot be asked for too; the event's name decides."""
    said = decode(name, '{"category": "else"}')
    assert said == ActivityLogEntry(name.removeprefix("customer|"), OTHER, None, {"category": "else"}, 0, ())


@pytest.mark.parametrize(
    "name", ["customer|", "customer|high_performance_internet", "customer|a|b", "customer|*"]
)
def test_an_unknown_category(name: str) -> None:
    """A category the stream does not document is another one, and its name does not become a label."""
    said = decode(name, "{}")
    assert isinstance(said, ActivityLogEntry)
    assert said.category == OTHER


@pytest.mark.parametrize(
    ("literal", "level", "rejected"),
    [
        *((f'"{level}"', level, 0) for level in LOG_LEVELS),
        *((str(number), level, 0) for number, level in enumerate(LOG_LEVELS)),
        *((literal, OTHER, 0) for literal in ("null",)),
        *(('"ERROR"', "error", 0), ("3.0", "error", 0)),
        *(
            (literal, OTHER, 1)
            for literal in ("8", "-1", "3.5", "true", "[]", "NaN", "1e999", '"fatal"', '""')
        ),
    ],
)
def test_a_log_level(literal: str, level: str, rejected: int) -> None:
    """Levels have syslog's names or numbers, in either case; anything else is another one, and counted."""
    said = decode("customer|user", f'{{"log_level": {literal}}}')
    assert isinstance(said, ActivityLogEntry)
    assert (said.log_level, said.fields_rejected, len(said.unknown)) == (level, rejected, 0)


def test_the_details_of_an_entry() -> None:
    """Texts are kept as they are, everything else is left out; a missing user and new fields do no harm."""
    data = {
        "message": "a\nb",
        "timestamp": 5,
        "circuit_id": "PF-1",
        "workflow_id": 5,
        "lag": None,
        "new": "x",
    }
    said = decode("customer|lag_interface", json.dumps(data))
    details = {"message": "a\nb", "circuit_id": "PF-1", "new": "x"}
    assert said == ActivityLogEntry("lag_interface", OTHER, None, details, 1, ("new",))


# Data that is no event

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
def test_what_is_not_one_json_object(name: str, data: str) -> None:
    """Not JSON, not an object, or more than one: rejected, in a short line that repeats none of it."""
    with pytest.raises(NotJson) as caught:
        decode(name, data)
    assert len(str(caught.value)) < 200
    assert "xxx" not in str(caught.value)


def test_the_printed_example_of_optics() -> None:
    """The description's own example runs on in words behind its object, and is refused for it."""
    text = json.dumps(PAYLOADS[6]["data"]) + "          description: Body of the event\n"
    with pytest.raises(NotJson, match="Extra data"):
        decode("port|optical", text)


@pytest.mark.parametrize("name", ["port|metrics", "vc|metrics", "port|optical", "customer|auth"])
@pytest.mark.parametrize("opening", ["[", '{"a":', '{"port_circuit_id": "x", "lane_0_index": ' + "["])
@pytest.mark.parametrize("depth", [100_000])
def test_nesting_is_cut_short(name: str, opening: str, depth: int) -> None:
    """Data nested 100,000 deep is rejected as such, wherever it nests, and the next event is read as ever."""
    last = opening[-1] if opening[0] == "{" and opening[-1] == "[" else opening
    with pytest.raises(TooDeep):
        decode(name, opening + last * depth)
    test_every_field_has_its_place("port|optical")


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    """Duplicate keys are read as everywhere: the last one; and the same on both ways."""
    text = json.dumps(sample("port|metrics"))[:-1] + ', "bytes_rx_total": 99, "port_circuit_id": "last"}'
    said = observe("port|metrics", text)
    assert (said.circuit, said.values[0], len(said.unknown)) == (("last",), 99.0, 0)
    assert said == decode_lenient(EVENTS["port|metrics"], text)


def test_huge_strings_in_unknown_fields() -> None:
    """A megabyte in a field that means nothing to us costs the others nothing."""
    said = observe("port|errors", sample("port|errors", note="x" * 1_000_000, **{"k" * 1_000_000: 1}))
    assert (len(said.unknown), said.fields_rejected) == (2, 0)
    assert numbers(said) == numbers(observe("port|errors", sample("port|errors")))


# Whatever comes

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
def nearly_documents(draw: st.DrawFn) -> tuple[str, str]:
    """An event and its data, some of whose fields have been replaced by anything."""
    name = draw(names)
    document = sample(name) if name in EVENTS else {}
    document |= draw(st.dictionaries(known_keys | st.text(max_size=5), anything, max_size=5))
    return name, json.dumps(document, ensure_ascii=draw(st.booleans()))


def check(name: str, data: str) -> None:
    """Decode, and look whether the result is what the rest of the program relies on."""
    try:
        said = decode(name, data)
    except (NotJson, TooDeep, NoCircuitId):
        return
    if said is None:
        assert name == "?"
        return
    assert said.timestamp is None or math.isfinite(said.timestamp)
    assert said.fields_rejected >= 0
    if isinstance(said, ActivityLogEntry):
        assert said.category in (*CATEGORIES, OTHER)
        assert said.log_level in (*LOG_LEVELS, OTHER)
        return
    fields = list(said.event.fields.values())
    assert len(said.values) == len(fields) * (len(said.lanes) if said.event.has_lanes else 1)
    assert len(said.circuit) == len(said.event.circuit)
    assert all(
        text.encode() or label == "vlan" for text, label in zip(said.circuit, said.event.circuit, strict=True)
    )
    assert list(said.lanes) == sorted(set(said.lanes), key=int)
    for index, value in enumerate(said.values):
        if value is not None:
            assert type(value) is float
            assert math.isfinite(value)
            assert value >= 0 or fields[index % len(fields)].type == "gauge"
    assert said == decode_lenient(said.event, data)


@given(nearly_documents())
def test_nearly_documented_events(event: tuple[str, str]) -> None:
    """With anything in any field, an event is read or rejected, both ways agree, and numbers are sound."""
    check(*event)


@given(names, anything)
def test_any_json(name: str, document: object) -> None:
    """Any JSON document at all is read or rejected, and raises nothing else."""
    check(name, json.dumps(document))


@given(names, st.text(st.characters(), max_size=200))
@example("port|metrics", '{"port_circuit_id": "x", "bytes_rx_total": ' + "\ud800")
def test_any_text(name: str, data: str) -> None:
    """Any text at all, lone surrogates included, is read or rejected, and raises nothing else."""
    check(name, data)


@given(names, st.text(st.sampled_from('{}[]":,\\ud0189.eE-+ntfrlasu \n\0\ud800'), max_size=60))
def test_any_text_like_json(name: str, data: str) -> None:
    """So is any text of the letters JSON is made of."""
    check(name, data)


def documented(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Events as the API's schemas allow them: any field may be missing but the ids."""
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
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
def test_both_ways_agree(name: str) -> None:
    """For any event the API documents, the quick way says what reading field by field says."""

    @given(documented(name), st.booleans())
    def agree(document: dict[str, Any], ascii_only: bool) -> None:
        data = json.dumps(document, ensure_ascii=ascii_only)
        said = observe(name, data)
        assert said == decode_lenient(EVENTS[name], data)
        assert (said.fields_rejected, said.unknown) == (0, ())
        if not said.event.has_lanes:
            assert numbers(said) == {key: as_float(document.get(key)) for key in keys(name)}

    agree()


@pytest.mark.parametrize("name", EVENTS)
def test_documented_events_take_the_quick_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event with all documented fields, or some, is not read field by field."""
    tolerant = mock.Mock(wraps=decode_lenient)
    monkeypatch.setattr(decoder, "decode_lenient", tolerant)
    for payload in PAYLOADS:
        if payload["event"] == name:
            observe(name, payload["data"])
    observe(name, sample(name))
    observe(name, sample(name, **{keys(name)[0]: ..., keys(name)[1]: None}))
    tolerant.assert_not_called()
    observe(name, sample(name, new=1))
    tolerant.assert_called_once()
