"""Moments on the command line, and the times that requests ask for."""

from __future__ import annotations

import pytest

from pf_exporter.backfill.time_range import REQUEST_SPAN, TimeSpan, limited, parse_moment, requests

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("24h", NOW - 86_400),
        ("0", NOW),
        ("2026-01-31", 1_769_817_600.0),
        ("2026-01-31T12:00:00Z", 1_769_860_800.0),
        ("2026-01-31 13:00:00.5+01:00", 1_769_860_800.5),
    ],
)
def test_moment(text: str, moment: float) -> None:
    """A duration before now, a date in UTC, or a time."""
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "24", "2026-13-01", "2026-01-31T25:00:00Z", "9" * 100])
def test_no_moment(text: str) -> None:
    """Anything else is refused with what is expected."""
    with pytest.raises(ValueError, match=r"expected a time such as 2026-01-31T12:00:00Z, or a duration"):
        parse_moment(text, NOW)


def test_limited() -> None:
    """Spans are cut, joined and sorted; one into which no whole minute falls is left out."""
    spans = [TimeSpan(600, 660), TimeSpan(0, 130), TimeSpan(61, 119), TimeSpan(100, 250), TimeSpan(661, 719)]
    assert limited(spans, 50, 650) == [TimeSpan(60, 250), TimeSpan(600, 650)]


def test_requests() -> None:
    """Requests cover a span without overlap, and those of a longer span are the same inside."""
    long = list(requests(TimeSpan(0, 2.5 * REQUEST_SPAN)))
    short = list(requests(TimeSpan(60, 2.5 * REQUEST_SPAN)))
    assert long[0] == TimeSpan(0, REQUEST_SPAN)
    assert [span.end for span in long[:-1]] == [span.start for span in long[1:]]
    assert short[1:] == long[1:]
