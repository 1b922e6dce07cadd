"""The lines of the samples in the store's rows, formatted family by family without an object per sample."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.utils import INF, floatToGoString

from pf_exporter.metrics.stream_families import LAST_EVENT_LABELS
from pf_exporter.schema import PORT_LAST_EVENT, VC_LAST_EVENT, EventType, Numbers
from pf_exporter.state import Row

LINES_PER_CHUNK = 1000
"""Lines that are joined and encoded at a time."""

LAST_EVENT_FAMILIES = {"port": PORT_LAST_EVENT, "vc": VC_LAST_EVENT}
"""By the first half of an event's name, the family with the time of its last event."""

RowsByAccount = dict[str, list[tuple[tuple[str, ...], Row]]]


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
    name: str, labels: Iterable[str], values: Iterable[float | None], divisor: int = 1
) -> Iterator[bytes]:
    """Yield the lines of one family without those whose value is None.

    Numbers are written as Python's repr() does. prometheus_client writes numbers from a million on with an
    exponent, as Go does; parsers accept both, and repr() takes a third less time.
    """
    lines = (
        f"{name}{label} {number!r}\n"
        if -INF < (number := value / divisor) < INF
        else f"{name}{label} {floatToGoString(number)}\n"  # type: ignore[no-untyped-call]
        for label, value in zip(labels, values, strict=True)
        if value is not None
    )
    while text := "".join(itertools.islice(lines, LINES_PER_CHUNK)):
        yield text.encode()


def value_lines(event: EventType, rows: RowsByAccount) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the name of each of an event's families with its lines."""
    width = len(event.fields)
    families = event.fields.values()
    format_labels = LabelFormatter(next(iter(families)).labels)
    labels: list[str] = []
    values: list[Numbers] = []  # for each of the labels, one value per family
    for account, circuits in rows.items():
        for circuit, row in circuits:
            if row.lanes:
                labels += [format_labels((account, *circuit, lane)) for lane in row.lanes]
                values += [row.values[start : start + width] for start in range(0, len(row.values), width)]
            elif row.values:
                labels.append(format_labels((account, *circuit)))
                values.append(row.values)
    for index, family in enumerate(families):
        column = map(operator.itemgetter(index), values)
        yield family.name, sample_lines(family.name, labels, column, family.divisor)


def last_event_lines(event: EventType, rows: RowsByAccount) -> Iterator[bytes]:
    """Yield the lines with the time of the last event of each circuit."""
    kind, category = event.name.split("|")
    name = LAST_EVENT_FAMILIES[kind]
    label_names = LAST_EVENT_LABELS[name]
    last: dict[tuple[str, ...], float] = {}  # two VLANs of a circuit can end on one port
    for account, circuits in rows.items():
        for circuit, row in circuits:
            labels = (account, *circuit, category)[: len(label_names)]
            last[labels] = max(row.received_at, last.get(labels, 0.0))
    return sample_lines(name, map(LabelFormatter(label_names), last), last.values())
