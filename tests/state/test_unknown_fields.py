"""Unknown events and fields are counted and described, without any of their text."""

from __future__ import annotations

import json

import pytest

from pf_exporter.state.unknown_fields import (
    MAX_FIELDS,
    MAX_NAME,
    UnknownField,
    UnknownFields,
    describe_type,
)


def test_events_and_fields_are_counted() -> None:
    """Each event and each field is listed once, with the type of its first value and its count."""
    unknown = UnknownFields()
    for rain in (3, 4):
        unknown.add_event("port|weather", json.dumps({"rain": rain}))
    unknown.add_fields("port|metrics", ("jitter", "who"), json.dumps({"jitter": 1.5, "who": "Ada"}))
    assert unknown.snapshot() == [
        UnknownField("port|metrics", "jitter", "a number such as 1.5", 1),
        UnknownField("port|metrics", "who", "a string of length 3", 1),
        UnknownField("port|weather", "", "an object with the keys rain", 2),
    ]
    assert [str(field) for field in unknown.snapshot()][1:] == [
        "field who of port|metrics: a string of length 3; seen 1 time",
        "event port|weather: an object with the keys rain; seen 2 times",
    ]


def test_number_and_length_of_names_are_limited() -> None:
    """Names come from outside: their number and length are limited, and control characters are removed."""
    unknown = UnknownFields()
    for number in range(10 * MAX_FIELDS):
        unknown.add_event(f"{number}\x1b[2J" + "x" * 1000, "{}")
    assert len(unknown.snapshot()) == MAX_FIELDS
    assert all(len(field.event) <= MAX_NAME and "\x1b" not in field.event for field in unknown.snapshot())


def test_known_names_are_counted_at_the_limit() -> None:
    """A full table still counts the names it holds."""
    unknown = UnknownFields()
    for number in range(MAX_FIELDS + 1):
        unknown.add_event(f"{number:04}", "{}")
    unknown.add_event("0000", "{}")
    assert unknown.snapshot()[0].seen == 2


def test_unreadable_data_is_described_as_text() -> None:
    """Data of an unknown event that is not JSON is described by its length."""
    unknown = UnknownFields()
    unknown.add_event("port|weather", "{rain")
    assert unknown.snapshot() == [UnknownField("port|weather", "", "a string of length 5", 1)]


@pytest.mark.parametrize("data", ["", "{", "[" * 100_000, '"\\ud800"', "NaN"])
def test_unreadable_data_is_counted(data: str) -> None:
    """Events and fields are counted even if their data cannot be parsed."""
    unknown = UnknownFields()
    unknown.add_event("", data)
    unknown.add_fields("port|metrics", ("",), data)
    assert [(field.event, field.field) for field in unknown.snapshot()] == [
        ("(no name)", ""),
        ("port|metrics", "(no name)"),
    ]


@pytest.mark.parametrize(
    ("value", "description"),
    [
        (True, "a boolean"),
        (None, "null"),
        (1e300, "a number"),
        ([], "a list of length 0"),
        ({}, "an object without keys"),
        ({"b": 1, "a": 2}, "an object with the keys a, b"),
    ],
)
def test_descriptions(value: object, description: str) -> None:
    """Every JSON value has a description."""
    assert describe_type(value) == description
