"""What is new is counted and sampled, without a word of its text."""

from __future__ import annotations

import json

import pytest

from pf_exporter.state.unknown_fields import LIMIT, LONGEST, UnknownField, UnknownFields, describe_type


def test_events_and_fields_are_counted() -> None:
    """Each event and each field is listed once, with the look of its first sample and how often it came."""
    found = UnknownFields()
    for rain in (3, 4):
        found.event("port|weather", json.dumps({"rain": rain}))
    found.fields("port|metrics", ("jitter", "who"), json.dumps({"jitter": 1.5, "who": "Ada"}))
    assert found.found() == [
        UnknownField("port|metrics", "jitter", "a number such as 1.5", 1),
        UnknownField("port|metrics", "who", "a text of 3 characters", 1),
        UnknownField("port|weather", "", "an object with rain", 2),
    ]
    assert [str(one) for one in found.found()][1:] == [
        "field who of port|metrics: a text of 3 characters; seen so far: 1",
        "event port|weather: an object with rain; seen so far: 2",
    ]


def test_there_is_a_limit() -> None:
    """Names come from outside: their number and length are bounded, and they are made fit for a page."""
    found = UnknownFields()
    for number in range(10 * LIMIT):
        found.event(f"{number}\x1b[2J" + "x" * 1000, "{}")
    assert len(found.found()) == LIMIT
    assert all(len(one.event) <= LONGEST and "\x1b" not in one.event for one in found.found())


@pytest.mark.parametrize("data", ["", "{", "[" * 100_000, '"\\ud800"', "NaN"])
def test_whatever_the_data(data: str) -> None:
    """Data that cannot be read are a novelty all the same."""
    found = UnknownFields()
    found.event("", data)
    found.fields("port|metrics", ("",), data)
    assert [(one.event, one.field) for one in found.found()] == [
        ("(no name)", ""),
        ("port|metrics", "(no name)"),
    ]


@pytest.mark.parametrize(
    ("value", "look"),
    [
        (True, "true or false"),
        (None, "null"),
        (1e300, "a number"),
        ([], "a list of 0"),
        ({}, "an object with no keys"),
        ({"b": 1, "a": 2}, "an object with a, b"),
    ],
)
def test_looks(value: object, look: str) -> None:
    """Every JSON value has a look."""
    assert describe_type(value) == look
