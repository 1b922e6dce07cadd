"""An event sink that prints events, then passes them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pf_exporter.activity import ActivityCounter
from pf_exporter.errors import EventError
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.recording import Mark
from pf_exporter.state import AccountStats, Store
from pf_exporter.stream import EventProcessor
from pf_exporter.tail.event_printer import EventPrinter


class PrintingProcessor:
    """The event sink of ``tail``: prints bytes and events, then passes them to an :class:`EventProcessor`."""

    def __init__(
        self,
        printer: EventPrinter,
        store: Store,
        stats: AccountStats,
        *,
        activity: ActivityCounter,
        wall: Callable[[], float],
    ) -> None:
        self._printer = printer
        self._account = stats.account
        self._processor = EventProcessor(store, stats, activity=activity, wall=wall)

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Print the bytes of a stream."""
        for chunk in self._processor.tap(chunks):
            self._printer.print_raw(chunk)
            yield chunk

    def mark(self, mark: Mark) -> None:
        """Pass on a step of a rotation."""
        self._processor.mark(mark)

    def process(self, event: ServerSentEvent) -> None:
        """Print an event, then process it."""
        self._printer.print_event(self._account, event)
        self._processor.process(event)

    def reject(self, error: EventError) -> None:
        """Pass on an event that the parser rejected."""
        self._processor.reject(error)
