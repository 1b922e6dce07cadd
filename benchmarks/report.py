"""The table: what was measured, against what, and what is wanted."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple


def spread(values: Sequence[float], form: str, scale: float = 1.0) -> str:
    """Median, and in brackets the least and the most."""
    low, middle, high = (form.format(pick(values) * scale) for pick in (min, statistics.median, max))
    return f"{middle} ({low} to {high})"


class Line(NamedTuple):
    """One line of the table."""

    what: str
    ours: str
    against: str
    reached: float
    wanted: float
    at_most: bool = False
    """Whether less is better."""
    unit: str = "×"

    @property
    def good(self) -> bool:
        """Whether it is as wanted."""
        return self.reached <= self.wanted if self.at_most else self.reached >= self.wanted

    @property
    def cells(self) -> tuple[str, ...]:
        """As it stands in the table."""
        bound = f"{'at most' if self.at_most else 'at least'} {self.wanted:g} {self.unit}"
        return (
            self.what,
            self.ours,
            self.against,
            f"{self.reached:.3g} {self.unit}",
            bound,
            "yes" if self.good else "NO",
        )


def table(lines: Iterable[Line]) -> str:
    """The lines in Markdown."""
    head = ("what", "pf_exporter", "against", "reached", "wanted", "good")
    rows = [head, *(line.cells for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def machine() -> str:
    """What it was measured on and with."""
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
