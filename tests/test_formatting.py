"""Durations and quantities for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.formatting import bit_rate, duration, si


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1.0, "0 s"), (0.4, "0 s"), (119.0, "119 s"), (120.0, "2 min"), (7200.0, "2 h"), (200_000.0, "2 d")],
)
def test_durations(seconds: float, text: str) -> None:
    """A duration is shown in the largest unit of which there are at least two."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0 W"),
        (1.0, "1 W"),
        (-1500.0, "-1.5 kW"),
        (999.4, "999 W"),
        (999.6, "1 kW"),
        (999_999.0, "1 MW"),
        (0.00045, "450 µW"),
        (0.0009996, "1 mW"),
        (1.25e18, "1.25 EW"),
    ],
)
def test_si_prefixes(number: float, text: str) -> None:
    """The prefix is that of the rounded number, so that no number is shown as a thousand."""
    assert si(number, "W") == text


def test_digits() -> None:
    """The number of significant digits is a parameter."""
    assert (si(123456.0, "B", digits=4), si(123456.0, "B")) == ("123.5 kB", "123 kB")


@given(st.floats(1e-6, 9.9e20), st.integers(3, 6))
def test_no_exponent(number: float, digits: int) -> None:
    """Every number from a millionth to below 10^21 is between 1 and 1,000 of a unit, without an exponent."""
    value, _ = si(number, "W", digits=digits).split(" ")
    assert "e" not in value
    assert 1 <= float(value) < 1000


def test_bit_rates() -> None:
    """A bit rate has whole bits; an unknown one is a dash."""
    assert (bit_rate(1.25e9), bit_rate(0.4), bit_rate(None)) == ("1.25 Gbit/s", "0 bit/s", "–")
