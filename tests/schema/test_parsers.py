"""Parsers of the fields of polled resources."""

from __future__ import annotations

import pytest

from pf_exporter.schema.parsers import parse_megabits, parse_speed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1Gbps", 125e6),
        ("10Gbps", 1.25e9),
        ("100gbps", 12.5e9),
        ("50Mbps", 6.25e6),
        (" 400 MBPS ", 50e6),
        ("10G", 1.25e9),
        ("2.5Gbps", 312.5e6),
        ("1Tbps", 125e9),
    ],
)
def test_speed(text: str, expected: float) -> None:
    """A speed in any case and spacing becomes bytes per second."""
    assert parse_speed(text) == expected


@pytest.mark.parametrize(
    "raw", ["", "fast", "10", "0Gbps", "-1Gbps", "1e3Mbps", "10GBq", "1" * 50 + "G", 10, [], True]
)
def test_invalid_speed(raw: object) -> None:
    """Anything else is rejected, not guessed."""
    with pytest.raises(ValueError, match="not a speed"):
        parse_speed(raw)


@pytest.mark.parametrize("raw", [1e308, "1e308", 2.0**65, -1, "nan", "inf", True])
def test_impossible_rate(raw: object) -> None:
    """A rate that no link has, which would be infinite in bytes, is rejected."""
    with pytest.raises(ValueError, match="not a "):
        parse_megabits(raw)
