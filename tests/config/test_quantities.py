"""Durations and sizes: parsed, and formatted as a user would enter them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.config.quantities import duration, format_duration, format_size, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("1d", 86400.0),
        ("1d2h3m4s5ms", 93784.005),
        ("0", 0.0),
        ("0s", 0.0),
        ("1w", 604800.0),
        ("1y", 31536000.0),
        ("365d", 31536000.0),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    """Durations have the format of Prometheus."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "s", "1 m", "1.5h", "-1s", "+1", "1e3", "1m1h", "1h1h", "1S", "nan", "inf", "0x1", "1_0", "١s",
     "10s\n", "9" * 5000, "366d", "999999999d", "15", "1.5", "00", "1M"],
)  # fmt: skip
def test_invalid_duration(text: str) -> None:
    """Anything else is refused with a message that does not repeat it."""
    with pytest.raises(ValueError, match=r"^expected a duration"):
        duration(text)


@given(st.tuples(*(st.integers(0, top) for top in (300, 1000, 10_000, 100_000, 100_000))).filter(any))
def test_duration_is_the_sum_of_its_units(amounts: tuple[int, ...]) -> None:
    """Days, hours, minutes, seconds and milliseconds add up."""
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    text = "".join(f"{amount}{unit}" for amount, unit in zip(amounts, units, strict=True) if amount)
    total = sum(amount * size for amount, size in zip(amounts, units.values(), strict=True))
    assert duration(text) == total / 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (0.5, "500ms"), (1.5, "1500ms"), (1, "1s"), (90, "90s"), (120, "2m"), (6900, "115m"),
     (5400, "90m"), (7200, "2h"), (86400, "1d"), (31536000, "365d"), (float("inf"), "unlimited")],
)  # fmt: skip
def test_format_duration(seconds: float, text: str) -> None:
    """A duration is formatted with the largest unit that it is a multiple of."""
    assert format_duration(seconds) == text


@given(st.integers(0, 365 * 86_400_000))
def test_formatted_duration_is_read_back(milliseconds: int) -> None:
    """The text of a duration parses to the same duration."""
    assert duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize(
    ("text", "number"),
    [("1B", 1), ("1500B", 1500), ("512KiB", 524288), ("64MiB", 67108864), ("2GiB", 2147483648)],
)
def test_size(text: str, number: int) -> None:
    """A size has a unit, a power of 1024, and is formatted as it was entered."""
    assert (size(text), format_size(number)) == (number, text)


@pytest.mark.parametrize(
    "text", ["", "64", "64MB", "64M", "0MiB", "-1MiB", "1.5GiB", "1 GiB", "64mib", "9999999999B"]
)
def test_invalid_size(text: str) -> None:
    """Anything else is refused: MB is ambiguous, 1000 or 1024 squared."""
    with pytest.raises(ValueError, match=r"^expected a size with a unit, such as 512KiB, 64MiB or 1GiB$"):
        size(text)
