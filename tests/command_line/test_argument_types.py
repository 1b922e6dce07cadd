"""Arguments that are refused in one line."""

from __future__ import annotations

import argparse
import math

import pytest

from pf_exporter.command_line.argument_types import (
    period,
    positive_integer,
    seconds,
    speed,
    uuid,
)

UUID = "11111111-2222-3333-4444-555555555555"


def test_values() -> None:
    """Each type converts its text."""
    assert (seconds("500ms"), positive_integer("3"), speed("60"), uuid(UUID)) == (0.5, 3, 60.0, UUID)


def test_speed_without_pauses() -> None:
    """A speed of 0 means as fast as possible."""
    assert speed("0") == math.inf


@pytest.mark.parametrize("text", ["-1", "nan", "fast", "inf"])
def test_bad_speed(text: str) -> None:
    """A speed is a finite number of at least 0."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected a number, such as 60"):
        speed(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", ""])
def test_bad_count(text: str) -> None:
    """A count is a whole number of at least 1."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number of at least 1"):
        positive_integer(text)


@pytest.mark.parametrize("text", ["0", "0s", "0ms", "0h0m"])
def test_bad_period(text: str) -> None:
    """A pause of 0 between two repetitions is refused."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected a duration of at least 1ms"):
        period(text)
