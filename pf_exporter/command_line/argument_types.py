"""Types of arguments, for argparse."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable

from pf_exporter.command_line.usage_errors import unknown_value
from pf_exporter.config import ADDRESS, UUID, duration

_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def seconds(text: str) -> float:
    """A duration such as ``500ms``, in seconds."""
    try:
        return duration(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def period(text: str) -> float:
    """A duration of at least 1 ms, in seconds."""
    number = seconds(text)
    if not number:
        raise argparse.ArgumentTypeError("expected a duration of at least 1ms")
    return number


def listen_address(text: str) -> str:
    """A listen address, such as ``127.0.0.1:8080``."""
    try:
        return ADDRESS.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def uuid(text: str) -> str:
    """A UUID in its canonical form."""
    try:
        return UUID.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected a whole number") from None


def natural_number(text: str) -> int:
    """A whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("expected a whole number of at least 0")
    return int(text)


def positive_integer(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number of at least 1")
    return int(text)


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
