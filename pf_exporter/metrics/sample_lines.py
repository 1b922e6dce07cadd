"""The lines of the samples in the store's rows, formatted family by family without an object per sample."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client.utils import INF, floatToGoString

from pf_exporter.metrics.stream_families import LAST_EVENT_LABELS, RowsByAccount, last_events
from pf_exporter.schema import EventType, Numbers
from pf_exporter.state import LabelValues

LINES_PER_CHUNK = 1000
"""Lines that are joined and encoded at a time."""


class LabelFormatter:
    """Formats labels, sorted by name: ``{account="a",port_circuit_id="p"}``."""

    def __init__(self, names: Sequence[str]) -> None:
        self._sorted = operator.itemgetter(*(names.index(name) for name in sorted(names)))
        self._template = "{" + ",".join(f'{name}="%s"' for name in sorted(names)) + "}"

    def __call__(self, values: Sequence[str]) -> str:
        """Return the labels with these values, which are in the order of the names."""
        joined = "".join(values)
        if "\\" in joined or "\n" in joined or '"' in joined:
            values = [v.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"") for v in values]
        text: str = self._template % self._sorted(values)
        return text


def sample_lines(
    name: str,
    labels: Iterable[str],
    values: Iterable[float | None],
    ends: Iterable[str],
    divisor: int = 1,
) -> Iterator[bytes]:
    """Yield the lines of one family without those whose value is None; ``ends`` are what follows the values.

    Numbers are written as Python's repr() does. prometheus_client writes numbers from a million on with an
    exponent, as Go does; parsers accept both, and repr() takes a third less time.
    """
    lines = (
        f"{name}{label} {number!r}{end}"
        if -INF < (number := value / divisor) < INF
        else f"{name}{label} {floatToGoString(number)}{end}"  # type: ignore[no-untyped-call]
        for label, value, end in zip(labels, values, ends, strict=True)
        if value is not None
    )
    while text := "".join(itertools.islice(lines, LINES_PER_CHUNK)):
        yield text.encode()


class Stamp(Protocol):
    """Formats the time of a sample."""

    def __call__(self, seconds: float) -> str:
        """Return UNIX seconds as they follow a value, to the end of its line."""


def stamp_in_milliseconds(seconds: float) -> str:
    """Return UNIX seconds as the text format has them."""
    return f" {round(seconds * 1000)}\n"


def stamp_in_seconds(seconds: float) -> str:
    """Return UNIX seconds as OpenMetrics has them."""
    return f" {seconds:.3f}\n"


def value_lines(
    event: EventType, rows: RowsByAccount, stamp: Stamp | None
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the name of each of an event's families with its lines, with times if there is ``stamp``."""
    width = len(event.fields)
    families = event.fields.values()
    format_labels = LabelFormatter(next(iter(families)).labels)
    labels: list[str] = []
    values: list[Numbers] = []  # for each of the labels, one value per family
    ends: list[str] = []
    for account, circuits in rows.items():
        for circuit, row in circuits:
            end = "\n" if stamp is None else stamp(row.sampled_at)
            if row.lanes:
                labels += [format_labels((account, *circuit, lane)) for lane in row.lanes]
                values += [row.values[start : start + width] for start in range(0, len(row.values), width)]
                ends += [end] * len(row.lanes)
            elif row.values:
                labels.append(format_labels((account, *circuit)))
                values.append(row.values)
                ends.append(end)
    for index, family in enumerate(families):
        column = map(operator.itemgetter(index), values)
        yield family.name, sample_lines(family.name, labels, column, ends, family.divisor)


def plain_lines(
    name: str, label_names: Sequence[str], values: Mapping[LabelValues, float]
) -> Iterator[bytes]:
    """Yield the lines of one family, without times, from its values by label values."""
    labels = map(LabelFormatter(label_names), values)
    return sample_lines(name, labels, values.values(), ["\n"] * len(values))


def last_event_lines(event: EventType, rows: RowsByAccount) -> Iterator[bytes]:
    """Yield the lines with the time of the last event of each circuit."""
    name, last = last_events(event, rows)
    return plain_lines(name, LAST_EVENT_LABELS[name], last)
