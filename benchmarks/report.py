"""The table of results: each measurement, its baseline, and its target."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple


def format_spread(values: Sequence[float], format_: str) -> str:
    """Return the median, with minimum and maximum in brackets."""
    low, median, high = map(format_.format, (min(values), statistics.median(values), max(values)))
    return f"{median} ({low} to {high})"


class Result(NamedTuple):
    """One line of the table; ``reached`` is compared with ``target``."""

    name: str
    exporter: str
    baseline: str
    reached: float
    target: float
    at_most: bool = False
    """Whether ``target`` is a maximum; otherwise it is a minimum."""
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.reached <= self.target if self.at_most else self.reached >= self.target

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the line."""
        target = f"{'at most' if self.at_most else 'at least'} {self.target:g} {self.unit}"
        return (
            self.name,
            self.exporter,
            self.baseline,
            f"{self.reached:.3g} {self.unit}",
            target,
            "yes" if self.met else "NO",
        )


def format_table(results: Iterable[Result]) -> str:
    """Return the results as a table in Markdown."""
    head = ("measurement", "pf_exporter", "baseline", "reached", "target", "met")
    rows = [head, *(result.cells for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def describe_machine() -> str:
    """Return the hardware, system and package versions of the run."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        if line.startswith("model name")
    ]
    packages = ("isal", "msgspec", "prometheus-client", "requests", "sseclient-py", "urllib3", "uvicorn")
    return (
        f"{len(os.sched_getaffinity(0))} cores of {models[0] if models else platform.machine()},"
        f" {platform.system()} {platform.release()}, {platform.python_implementation()}"
        f" {platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in packages)
    )
