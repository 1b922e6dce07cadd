"""Types of arguments, for argparse."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import TypeVar

from pf_exporter.command_line.usage_errors import unknown_value
from pf_exporter.config import ADDRESS, UUID, duration

_T = TypeVar("_T")

_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def _argument_type(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """The type of an argument that ``parse`` converts; its ValueError is the message to the user."""

    def convert(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from None

    return convert


seconds: Callable[[str], float] = _argument_type(duration)
"""A duration such as ``500ms``, in seconds."""
listen_address: Callable[[str], str] = _argument_type(ADDRESS.parse)
"""A listen address, such as ``127.0.0.1:8080``."""
uuid: Callable[[str], str] = _argument_type(UUID.parse)
"""A UUID in its canonical form."""


def period(text: str) -> float:
    """A duration of at least 1 ms, in seconds."""
    number = seconds(text)
    if not number:
        raise argparse.ArgumentTypeError("expected a duration of at least 1ms")
    return number


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected a whole number") from None


def _at_least(minimum: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {minimum}")
        return int(text)

    return convert


natural_number, positive_integer = _at_least(0), _at_least(1)


def one_of(*values: str) -> Callable[[str], str]:
    """A type for one of these values."""

    def parse(text: str) -> str:
        if text not in values:
            raise argparse.ArgumentTypeError(unknown_value(text, values))
        return text

    return parse


def speed(text: str) -> float:
    """A factor of at least 0; 0 means as fast as possible, which is infinity."""
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 <= factor < math.inf:
        raise argparse.ArgumentTypeError("expected a number, such as 60, or 0 for no pauses")
    return factor or math.inf


def label(text: str) -> tuple[str, str]:
    """A label such as ``job=packetfabric``, as name and value."""
    name, separator, value = text.partition("=")
    if not separator or not _LABEL_NAME.fullmatch(name) or name.startswith("__") or not value.isprintable():
        raise argparse.ArgumentTypeError("expected a label, such as job=packetfabric")
    return name, value
