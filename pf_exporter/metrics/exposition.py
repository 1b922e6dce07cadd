"""The bytes of ``/metrics``, rendered and compressed incrementally.

Two measures make it fast. Lines are formatted family by family over the columns of the store's rows, without
an object per sample. And the compressed text of each event is kept until one of its rows changes; blocks are
combined into one gzip stream without compressing anything twice.
"""

from __future__ import annotations

import enum
import itertools
import operator
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import INF, floatToGoString

from pf_exporter.metrics.deflate import DeflateBlock, DeflatedText, compress, decompress, to_gzip
from pf_exporter.metrics.metric_family import exposed_name
from pf_exporter.metrics.stream_families import LAST_EVENT_LABELS, SERIES, describe_stream_families
from pf_exporter.schema import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT, EventType, Numbers
from pf_exporter.state import Row, Store

LINES_PER_CHUNK = 1000
"""Lines that are joined and encoded at a time."""

_LAST_EVENT_FAMILIES = {"port": PORT_LAST_EVENT, "vc": VC_LAST_EVENT}
"""By the first half of an event's name, the family with the time of its last event."""

RowsByAccount = dict[str, list[tuple[tuple[str, ...], Row]]]


class Format(enum.Enum):
    """An exposition format; the value is its content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    TEXT_1 = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"

    def encode(self, collector: Collector) -> bytes:
        """Return a collector's families in this format, as prometheus_client renders them."""
        return choose_encoder(self.value)[0](collector)


class _SingleFamily(Collector):
    """A collector of one family."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def _headers(format: Format) -> dict[str, bytes]:
    """Return the HELP, TYPE and UNIT lines by the names of the stream's families."""
    return {
        exposed_name(family): format.encode(_SingleFamily(family)).removesuffix(b"# EOF\n")
        for family in describe_stream_families()
    }


class _LabelFormatter:
    """Formats labels, sorted by name: ``{account="a",port_circuit_id="p"}``."""

    def __init__(self, names: Sequence[str]) -> None:
        self._sorted = operator.itemgetter(*(names.index(name) for name in sorted(names)))
        self._template = "{" + ",".join(f'{name}="%s"' for name in sorted(names)) + "}"

    def __call__(self, values: Sequence[str]) -> str:
        joined = "".join(values)
        if "\\" in joined or "\n" in joined or '"' in joined:
            values = [v.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"") for v in values]
        text: str = self._template % self._sorted(values)
        return text


def _sample_lines(
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


def _value_lines(event: EventType, rows: RowsByAccount, headers: dict[str, bytes]) -> Iterator[bytes]:
    """Yield the headers and lines of an event's families."""
    width = len(event.fields)
    families = event.fields.values()
    format_labels = _LabelFormatter(next(iter(families)).labels)
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
        yield headers[family.name]
        column = map(operator.itemgetter(index), values)
        yield from _sample_lines(family.name, labels, column, family.divisor)


def _last_event_lines(event: EventType, rows: RowsByAccount) -> Iterator[bytes]:
    """Yield the lines with the time of the last event of each circuit."""
    kind, category = event.name.split("|")
    name = _LAST_EVENT_FAMILIES[kind]
    label_names = LAST_EVENT_LABELS[name]
    last: dict[tuple[str, ...], float] = {}  # two VLANs of a circuit can end on one port
    for account, circuits in rows.items():
        for circuit, row in circuits:
            labels = (account, *circuit, category)[: len(label_names)]
            last[labels] = max(row.received_at, last.get(labels, 0.0))
    return _sample_lines(name, map(_LabelFormatter(label_names), last), last.values())


class _EventSection(NamedTuple):
    """The compressed lines of one event."""

    version: int
    """Version of the rows, or an earlier one."""
    values: DeflateBlock
    last_event: DeflateBlock


class Exposition:
    """Renders the families of the store's rows, then those of a registry.

    The page is what prometheus_client renders for the same samples, except for the notation of large numbers.
    Any thread may call; one renders at a time.
    """

    def __init__(self, store: Store, registry: CollectorRegistry) -> None:
        self._store = store
        self._registry = registry
        self._lock = threading.Lock()
        self._sections: dict[tuple[Format, str], _EventSection] = {}
        self._headers = {format: _headers(format) for format in Format}

    def render(self, format: Format) -> DeflatedText:
        """Return the page, to be sent compressed or not; both share the blocks."""
        return DeflatedText(self._blocks(format))

    def gzip(self, format: Format) -> bytes:
        """Return the compressed page."""
        return to_gzip(self._blocks(format))

    def plain(self, format: Format) -> bytes:
        """Return the page uncompressed."""
        return decompress(self._blocks(format))

    def _blocks(self, format: Format) -> list[DeflateBlock]:
        headers = self._headers[format]
        with self._lock:
            sections = {name: self._section(event, format) for name, event in EVENTS.items()}
        blocks = [section.values for section in sections.values()]
        for kind, family in _LAST_EVENT_FAMILIES.items():
            blocks.append(compress([headers[family]]))
            blocks += (sections[event].last_event for event in EVENTS if event.startswith(kind + "|"))
        series = self._store.series()
        series_lines = _sample_lines(SERIES, map(_LabelFormatter(("account",)), zip(series)), series.values())
        blocks.append(compress([headers[SERIES], *series_lines, format.encode(self._registry)]))
        return blocks

    def _section(self, event: EventType, format: Format) -> _EventSection:
        """Return an event's section, rendered again if a row has changed."""
        section = self._sections.get((format, event.name))
        version = self._store.version(event.name)
        if section is None or section.version != version:
            # One copy of the rows for both blocks, so that the page shows an event completely or not at all.
            rows = self._store.rows(event.name)
            section = _EventSection(
                version,
                compress(_value_lines(event, rows, self._headers[format])),
                compress(_last_event_lines(event, rows)),
            )
            self._sections[format, event.name] = section
        return section
