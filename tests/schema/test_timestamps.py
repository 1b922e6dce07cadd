"""Timestamps: every form of the API gives UNIX seconds, and anything else is rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.schema.decoder import decode
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.timestamps import epoch
from tests.schema.samples import SAMPLED_AT, numbers, observe, sample


@pytest.mark.parametrize("fraction", ["", ".5", ".500", ".50000", ".500000", ".500000000"])
@pytest.mark.parametrize("separator", ["T", " ", "t"])
@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        *(("", 0), ("Z", 0), ("z", 0), (" Z", 0), ("+00:00", 0), ("+0000", 0), ("-00:00", 0)),
        *(("-0700", -25200), ("-07:00", -25200), ("+0530", 19800), ("+05:30", 19800)),
    ],
)
def test_timestamp(fraction: str, separator: str, zone: str, offset: int) -> None:
    """Every known form and its variations give the same instant; without a zone it is UTC."""
    seconds = epoch(f"2021-09-22{separator}20:34:30{fraction}{zone}")
    assert seconds == SAMPLED_AT + (0.5 if fraction else 0.0) - offset


INVALID = {
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


@pytest.mark.parametrize("text", sorted(INVALID), ids=lambda text: repr(text)[:30])
def test_invalid_timestamp(text: str) -> None:
    """A string that is not a timestamp is rejected, and the event is kept without a time."""
    for name in EVENTS:
        observation = observe(name, sample(name, timestamp=text))
        assert (observation.timestamp, observation.fields_rejected) == (None, 1)
        assert numbers(observation) == numbers(observe(name, sample(name)))


@pytest.mark.parametrize("value", [0, 1632342870, 1632342870.5, True, [], {}, "\ud800"])
def test_timestamp_of_another_type(value: object) -> None:
    """A number is rejected, because it could be seconds or milliseconds."""
    observation = observe("port|metrics", sample("port|metrics", timestamp=value))
    assert (observation.timestamp, observation.fields_rejected) == (None, 1)


def test_missing_timestamp() -> None:
    """A null or missing timestamp is None, and not rejected."""
    for absent in (None, ...):
        observation = observe("port|metrics", sample("port|metrics", timestamp=absent))
        assert (observation.timestamp, observation.fields_rejected) == (None, 0)


def test_long_timestamps_are_not_cached() -> None:
    """A hostile stream cannot fill memory through the cache of timestamps."""
    epoch.cache_clear()
    for letter in "abc":
        for name in ("port|metrics", "customer|auth"):
            decode(name, json.dumps(sample("port|metrics", timestamp=letter * 1000)))
    assert epoch.cache_info().currsize == 0


@given(st.datetimes(), st.integers(-24 * 60 + 1, 24 * 60 - 1))
def test_offsets(moment: Any, minutes: int) -> None:
    """An instant written in any time zone is the same instant."""
    utc = epoch(moment.isoformat() + "Z")
    sign = "-" if minutes < 0 else "+"
    local = f"{moment.isoformat()}{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    assert utc is not None
    assert epoch(local) == pytest.approx(utc - minutes * 60, abs=1e-4)
