"""Types of settings: durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.config.types import TEMPORALITY, duration
from pf_exporter.schema.temporality import Temporality


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
        ("15", 15.0),
        ("1.5", 1.5),
        ("365d", 31536000.0),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    """Durations have the format of Prometheus; a plain number is in seconds."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "s", "1 m", "1.5h", "-1s", "+1", "1e3", "1m1h", "1h1h", "1S", "nan", "inf", "0x1", "1_0", "١s",
     "10s\n", "9" * 5000, "366d", "999999999d", "1w"],
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


def test_member_of() -> None:
    """A member of an enumeration is given by its value, and written as it."""
    assert TEMPORALITY.parse("delta") is Temporality.DELTA
    assert (str(Temporality.DELTA), f"{Temporality.DELTA}") == ("delta", "delta")
    assert TEMPORALITY.metavar == "cumulative|delta"
    with pytest.raises(ValueError, match=r"^expected one of cumulative, delta$"):
        TEMPORALITY.parse("DELTA")
