"""The bytes of ``/metrics``, rendered and compressed incrementally.

Two measures make it fast. Lines are formatted family by family over the columns of the store's rows, without
an object per sample. And the compressed lines of each event are kept until one of its rows changes, for all
formats, which differ only in the headers and in how they write times. Blocks are combined into one gzip
stream without compressing anything twice.
"""

from __future__ import annotations

import enum
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.deflate import DeflateBlock, DeflatedText, compress, decompress, to_gzip
from pf_exporter.metrics.metric_family import exposed_name
from pf_exporter.metrics.parts import WHOLE_PAGE, Part, SelectedFamilies, Selection, part_of
from pf_exporter.metrics.row_family import RowFamily
from pf_exporter.metrics.sample_lines import (
    Stamp,
    last_event_lines,
    plain_lines,
    stamp_in_milliseconds,
    stamp_in_seconds,
    value_lines,
)
from pf_exporter.metrics.section_cache import EventSection, SectionCache, SectionKey
from pf_exporter.metrics.stream_families import LAST_EVENT_FAMILIES, SERIES, describe_stream_families
from pf_exporter.schema import EVENTS, EventType
from pf_exporter.state import LabelValues, Store

END = b"# EOF\n"
"""The last line of a page in OpenMetrics."""


class Format(enum.Enum):
    """An exposition format; the value is its content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    TEXT_1 = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"

    def encode(self, collector: Collector) -> bytes:
        """Return a collector's families in this format, as prometheus_client renders them."""
        return choose_encoder(self.value)[0](collector)


STAMPS: Mapping[Format, Stamp] = {
    Format.TEXT: stamp_in_milliseconds,
    Format.TEXT_1: stamp_in_milliseconds,
    Format.OPENMETRICS: stamp_in_seconds,
}
"""How each format writes the time of a sample."""


class _SingleFamily(Collector):
    """A collector of one family."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def _headers(format: Format) -> dict[str, bytes]:
    """Return the HELP, TYPE and UNIT lines by the names of the stream's families."""
    return {
        exposed_name(family): format.encode(_SingleFamily(family)).removesuffix(END)
        for family in describe_stream_families()
    }


class Exposition:
    """Renders the families of the store's rows, then those of other collectors.

    The page is what prometheus_client renders for the same samples, except for the notation of large numbers.
    Any thread may call; one renders at a time. With ``event_timestamps``, the values of the rows have the
    times of their events; everything else has no time, because it is read when the page is rendered.
    """

    def __init__(
        self,
        store: Store,
        others: Collector,
        *,
        event_timestamps: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._event_timestamps = event_timestamps
        self._others = others
        self._lock = threading.Lock()
        self._sections = SectionCache()
        self._headers = {format: _headers(format) for format in Format}
        self._header_blocks = {
            format: {name: compress([header]) for name, header in headers.items()}
            for format, headers in self._headers.items()
        }

    def accounts(self) -> Collection[str]:
        """Return the accounts that a page can be limited to."""
        return self._store.series()

    def render(
        self, format: Format, selection: Selection = WHOLE_PAGE, *, since: float = math.inf
    ) -> DeflatedText:
        """Return the page, to be sent compressed or not; both share the blocks.

        Lines that were rendered at the time ``since`` or later are not rendered again.
        """
        return DeflatedText(self._blocks(format, selection, since))

    def gzip(self, format: Format, selection: Selection = WHOLE_PAGE) -> bytes:
        """Return the compressed page."""
        return to_gzip(self._blocks(format, selection))

    def plain(self, format: Format, selection: Selection = WHOLE_PAGE) -> bytes:
        """Return the page uncompressed."""
        return decompress(self._blocks(format, selection))

    def _blocks(self, format: Format, selection: Selection, since: float = math.inf) -> list[DeflateBlock]:
        headers = self._header_blocks[format]
        events = {name: event for name, event in EVENTS.items() if part_of(event) in selection.parts}
        stamp = STAMPS[format] if self._event_timestamps else None
        with self._lock:
            sections = {
                name: self._section(SectionKey(name, selection.accounts, stamp), event, since)
                for name, event in events.items()
            }
        blocks: list[DeflateBlock] = []
        for section in sections.values():
            for family, lines in section.values:
                blocks += headers[family], lines
        for kind, family in LAST_EVENT_FAMILIES.items():
            of_kind = [
                section.last_event for name, section in sections.items() if name.startswith(f"{kind}|")
            ]
            if of_kind:
                blocks += [headers[family], *of_kind]
        blocks.append(compress(self._other_lines(format, selection)))
        return blocks

    def _other_lines(self, format: Format, selection: Selection) -> Iterator[bytes]:
        if Part.EXPORTER in selection.parts:
            yield self._headers[format][SERIES]
            counts = self._store.series().items()
            series: dict[LabelValues, float] = {
                (account,): float(count) for account, count in counts if selection.includes(account)
            }
            yield from plain_lines(SERIES, ("account",), series)
        for family in SelectedFamilies(self._others, selection).collect():
            if isinstance(family, RowFamily):
                yield format.encode(_SingleFamily(family.empty)).removesuffix(END)
                yield from family.lines()
            else:
                yield format.encode(_SingleFamily(family)).removesuffix(END)
        if format is Format.OPENMETRICS:
            yield END

    def _section(self, key: SectionKey, event: EventType, since: float) -> EventSection:
        """Return an event's section, rendered again if a row has changed and it is older than ``since``."""
        section = self._sections.get(key)
        version, read_at = self._store.version(event.name), self._clock()
        if section is None or (section.version != version and section.read_at < since):
            # One copy of the rows for both blocks, so that the page shows an event completely or not at all.
            rows = self._store.rows(event.name)
            if key.accounts:
                rows = {account: rows[account] for account in rows if account in key.accounts}
            section = EventSection(
                version,
                read_at,
                tuple((family, compress(lines)) for family, lines in value_lines(event, rows, key.stamp)),
                compress(last_event_lines(event, rows)),
            )
            self._sections.put(key, section)
        return section
