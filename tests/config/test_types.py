"""Types of settings: enumerations, levels and numbers."""

from __future__ import annotations

import pytest

from pf_exporter.config.types import LOG_LEVEL, TEMPORALITY, integer_from
from pf_exporter.schema.temporality import Temporality


def test_member_of() -> None:
    """A member of an enumeration is given by its value, and written as it."""
    assert TEMPORALITY.parse("delta") is Temporality.DELTA
    assert (str(Temporality.DELTA), f"{Temporality.DELTA}") == ("delta", "delta")
    assert TEMPORALITY.metavar == "cumulative|delta"
    with pytest.raises(ValueError, match=r"^expected one of cumulative, delta$"):
        TEMPORALITY.parse("DELTA")


@pytest.mark.parametrize(
    ("text", "level"),
    [("INFO", "info"), ("Debug", "debug"), ("warning", "warn"), ("WARNING", "warn"), ("warn", "warn")],
)
def test_log_level(text: str, level: str) -> None:
    """A level is accepted in any case, and warning is warn."""
    assert LOG_LEVEL.parse(text) == level


def test_integer_from() -> None:
    """The message of a number names the true range."""
    assert (integer_from(0).parse("0"), integer_from(1).parse("999999999")) == (0, 999999999)
    for minimum, texts in ((0, ("many", "-1", "1e3", "1000000000", "")), (1, ("0", "01"))):
        for text in texts:
            with pytest.raises(ValueError, match=rf"^expected an integer from {minimum} to 999999999$"):
                integer_from(minimum).parse(text)
