"""Parse single values of events: numbers, counts, VLANs and log levels."""

from __future__ import annotations

import pytest

from pf_exporter.schema.activity import LOG_LEVELS
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.lenient_decoder import decode_lenient
from pf_exporter.schema.observation import OTHER, ActivityLogEntry
from pf_exporter.schema.values import is_number
from tests.schema.samples import SAMPLED_AT, keys, numbers, observe, sample, with_literal

# Numbers


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
    ],
)
@pytest.mark.parametrize("name", ["port|metrics", "port|optical"])
def test_number_in_another_form(name: str, literal: str, number: float) -> None:
    """Numbers may be strings, with spaces or an exponent, and as large as any machine integer."""
    key = keys(name)[0]
    observation = observe(name, with_literal(name, key, literal))
    assert numbers(observation) == {**{key: sample(name)[key] for key in keys(name)}, key: number}
    assert observation.fields_rejected == 0


UNUSABLE = {
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000, '"1e999"', f'"{"9" * 5000}"'),
    *('"NaN"', '"inf"', '"Infinity"', '""', '" "', '"1_000"', '"0x10"', '"\u0664"', '"twelve"', '"12 W"'),
    *("true", "false", '"true"', "[]", "[1]", "{}", '{"value": 1}', '"\\ud800"', '"1\\u0000"'),
}


@pytest.mark.parametrize(
    "name", ["port|metrics", "vc|metrics", "port|errors", "port|etherstats", "port|optical"]
)
@pytest.mark.parametrize("literal", sorted(UNUSABLE), ids=lambda literal: literal[:12])
def test_unusable_number(name: str, literal: str) -> None:
    """A value that is not a finite JSON number is rejected, and its neighbours are unaffected."""
    for key in (keys(name)[0], keys(name)[-1]):
        observation = observe(name, with_literal(name, key, literal))
        assert numbers(observation) == {**{key: sample(name)[key] for key in keys(name)}, key: None}
        assert (observation.fields_rejected, len(observation.unknown), observation.timestamp) == (
            1,
            0,
            SAMPLED_AT,
        )


@pytest.mark.parametrize(
    "literal",
    ["-1", "-0.5", '"-1"', "-18446744073709551617", '"- Inf"', "18446744073709555712", '"1e20"', "9" * 300],
)
def test_impossible_counts(literal: str) -> None:
    """A negative counter is rejected, as is one above 64 bits; a negative gauge is not."""
    observation = observe("port|metrics", with_literal("port|metrics", "bytes_rx_total", literal))
    assert (numbers(observation)["bytes_rx_total"], observation.fields_rejected) == (None, 1)
    assert observe("port|metrics", sample("port|metrics", bytes_rx_bps=-8)).values[2] == -8


def test_several_unusable_fields() -> None:
    """Every unusable field counts once, of whatever kind."""
    data = sample("vc|metrics", timestamp=5, vlan=[4], bytes_rx_total=-1, packets_rx_pps="no")
    observation = observe("vc|metrics", data)
    assert (observation.fields_rejected, len(observation.unknown)) == (4, 0)
    assert observation.timestamp is None
    assert observation.circuit[2] == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", True), (" -1.5e3 ", True), ("- Inf", True), ("-infinity", True)]
    + [(text, False) for text in ("", "inf", "NaN", "1_000", "0x10", "٤", "12 W", "1" * 65)],
)
def test_numbers_as_text(text: str, expected: bool) -> None:
    """A string is a number in the forms that events use, and in no other."""
    assert is_number(text) is expected


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
        ('"4\\u0000"', "", 1),
        ('"all"', "", 1),
        ('"Hank Aaron"', "", 1),
        ('"\u0664"', "", 1),
    ],
    ids=lambda value: str(value)[:12],
)
def test_vlan(literal: str, vlan: str, rejected: int) -> None:
    """Every form of a VLAN gives the same label; an unusable one gives an empty label."""
    text = with_literal("vc|metrics", "vlan", literal)
    for observation in (observe("vc|metrics", text), decode_lenient(EVENTS["vc|metrics"], text)):
        assert observation.circuit == ("PF-BC-LAX-NYC-1-PF", "PF-AP-LAX1-1", vlan)
        assert observation.fields_rejected == rejected
        assert observation.values == observe("vc|metrics", sample("vc|metrics")).values


def test_missing_vlan() -> None:
    """An end without a VLAN is untagged, and nothing is rejected."""
    observation = observe("vc|metrics", sample("vc|metrics", vlan=...))
    assert (observation.circuit[2], observation.fields_rejected) == ("", 0)


# Log levels


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
def test_log_level(literal: str, level: str, rejected: int) -> None:
    """A syslog name in any case or number is a level; anything else is ``other`` and rejected."""
    observation = decode("customer|user", f'{{"log_level": {literal}}}')
    assert isinstance(observation, ActivityLogEntry)
    assert (observation.log_level, observation.fields_rejected, len(observation.unknown)) == (
        level,
        rejected,
        0,
    )
